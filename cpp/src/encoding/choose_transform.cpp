#include "haagenti/encoding/choose_transform.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "encoding/chunk_transform.h"
#include "encoding/transform_sample.h"
#include "encoding/value_encoder.h"
#include "haagenti/base/executor.h"
#include "haagenti/hd/float_bits.h"

namespace haagenti {
namespace {

constexpr std::uint32_t kDctBlocks[] = {8, 16, 32, 64, 128};
constexpr std::uint32_t kShortHadamard = 128;
constexpr double kDecibelsPerBit = 6.0205999132796239;  // 20 log10(2)

std::vector<TransformRequest> candidates(const TensorView& tensor) {
  std::vector<TransformRequest> found{{}};
  if (tensor.row_length > 1 && tensor.row_length <= kMaxWholeRow) found.push_back({.id = TransformId::kDctRows});
  if (tensor.n_rows > 1 && fits_whole(tensor)) found.push_back({.id = TransformId::kDct2d});
  for (const std::uint32_t block : kDctBlocks) {
    // A single row would be a transform of runs of it; a block beyond the matrix is the plane itself.
    const bool fits = tensor.n_rows > 1 && block < std::max(tensor.n_rows, tensor.row_length) && block <= 2 * std::min(tensor.n_rows, tensor.row_length);
    if (fits) found.push_back({.id = TransformId::kBlockDct, .block = block});
  }
  if (tensor.row_length % 2 == 0 && tensor.row_length > 0) found.push_back({.id = TransformId::kHadamard});
  if (tensor.row_length % kShortHadamard == 0 && tensor.row_length > kShortHadamard) found.push_back({.id = TransformId::kHadamard, .block = kShortHadamard});
  return found;
}

// Signal-to-noise ratio and bits of a sample under one transform, both in the transformed domain: the maps are orthonormal. False where the
// codes cannot hold the values.
bool measure(const Sample& sample, const Stages& stages, ScaleRule rule, const Transform& row, TransformMeasure* result) {
  const Quantizer& codes = quantizer(stages.quantizer);
  const bool plain = row.id == TransformId::kIdentity && codes.functions.prepare == nullptr;  // then the encoder takes nothing off and forgives nothing
  const auto n = static_cast<double>(sample.values.size());
  const float mean = codes.functions.mean == nullptr ? 0 : mean_to_keep(sample.stats, n, row.id);
  const ChunkTransform transform{&row, result->params, mean};
  std::vector<float> values = sample.values;
  std::vector<ChunkValues> chunks;
  float* at = values.data();
  for (const Band& band : sample.bands) {
    chunks.push_back({at, band.shape.cols, band.shape});
    transform.forward(at, band.shape.cols, band.shape, band.col);
    at += band.shape.rows * band.shape.cols;
  }
  std::vector<KeepRule> rules(chunks.size());
  if (codes.functions.prepare != nullptr) codes.functions.prepare({chunks, stages.params, 0, rules});
  const float negligible = plain ? 0 : negligible_magnitude(sample.stats, n);
  double error = 0;
  std::uint64_t n_bytes = 0;
  for (std::size_t c = 0; c < chunks.size(); ++c) {
    const ChunkShape shape = chunks[c].shape;
    std::array<std::vector<std::uint8_t>, kMaxSegments> storage;
    std::array<std::uint64_t, kMaxSegments> sizes{};
    ErrorSums sums;
    QuantizeArgs args{.src = reinterpret_cast<const std::uint8_t*>(chunks[c].data), .src_stride = shape.cols, .dtype = DType::kF32, .shape = shape,
                      .params = stages.params, .scale_rule = rule, .negligible = negligible, .keep = rules[c], .segments = {}, .sizes = &sizes, .error = &sums};
    for (std::size_t s = 0; s < codes.functions.segments.size(); ++s) {
      sizes[s] = codes.functions.segment_bytes(s, shape, DType::kF32, stages.params);
      storage[s].resize(sizes[s]);
      args.segments[s] = storage[s].data();
    }
    if (codes.functions.quantize(args)) return false;
    for (const std::uint64_t size : sizes) n_bytes += size;
    error += sums.error_energy;
  }
  result->snr_db = error == 0 ? std::numeric_limits<double>::infinity() : 10 * std::log10(sample.stats.energy / error);
  result->bits_per_weight = 8 * static_cast<double>(n_bytes) / n;
  return true;
}

double gain_of(const TransformMeasure& one, const TransformMeasure& identity) {
  if (std::isinf(one.snr_db) || std::isinf(identity.snr_db)) return std::isinf(one.snr_db) && !std::isinf(identity.snr_db) ? one.snr_db : 0;
  return one.snr_db - identity.snr_db + kDecibelsPerBit * (identity.bits_per_weight - one.bits_per_weight);
}

}  // namespace

std::vector<TransformMeasure> measure_transforms(const TensorView& tensor, const Stages& stages, ScaleRule rule) {
  if (tensor.bytes.empty()) return {};
  const Sample rows = take_sample(tensor, bands_of_rows(tensor));
  const Sample tiles = fits_whole(tensor) ? Sample{} : take_sample(tensor, bands_of_tiles(tensor));
  const bool finite = std::max(rows.stats.largest_bits, tiles.stats.largest_bits) < hd::kInfinityBits;
  if (!finite || rows.stats.energy == 0) return {};
  std::vector<TransformRequest> requests = candidates(tensor);
  const bool two_samples = !tiles.values.empty() && tiles.stats.energy != 0;
  requests.push_back({});  // the identity again, on the tiles
  std::vector<TransformMeasure> measures(requests.size());
  std::vector<char> measured(requests.size());
  const auto on_tiles = [&](std::size_t i) { return two_samples && (requests[i].id == TransformId::kBlockDct || i + 1 == requests.size()); };
  parallel_for(requests.size(), [&](std::size_t i) {
    measures[i].id = requests[i].id;
    measures[i].params = settle_transform(requests[i], tensor.n_rows, tensor.row_length);
    measured[i] = measure(on_tiles(i) ? tiles : rows, stages, rule, transform(requests[i].id), &measures[i]);
  });
  std::vector<TransformMeasure> result;
  for (std::size_t i = 0; i + 1 < measures.size(); ++i) {
    if (measured[i] == 0) continue;
    const std::size_t identity = on_tiles(i) ? measures.size() - 1 : 0;
    measures[i].gain_db = measured[identity] != 0 ? gain_of(measures[i], measures[identity]) : std::numeric_limits<double>::infinity();
    result.push_back(measures[i]);
  }
  return result;
}

TransformChoice choose_transform(const TensorView& tensor, const Stages& stages, ScaleRule rule) {
  const std::vector<TransformMeasure> measures = measure_transforms(tensor, stages, rule);
  TransformChoice choice;
  const auto score = [](const TransformMeasure& one) {
    return std::pair(one.gain_db, one.snr_db - kDecibelsPerBit * one.bits_per_weight);  // the second where the identity cannot be stored at all
  };
  const TransformMeasure* best = nullptr;
  for (const TransformMeasure& one : measures) {
    if (one.id != TransformId::kIdentity && (best == nullptr || score(*best) < score(one))) best = &one;
  }
  if (best == nullptr) return choice;
  if (best->gain_db >= kLeastGain) {
    choice.id = best->id;
    choice.params = best->params;
  }
  choice.params.measured = true;
  constexpr double kLargest = std::numeric_limits<std::int16_t>::max();
  choice.params.gain = static_cast<std::int16_t>(std::clamp(std::round(best->gain_db * kGainSteps), -kLargest, kLargest));
  return choice;
}

}  // namespace haagenti
