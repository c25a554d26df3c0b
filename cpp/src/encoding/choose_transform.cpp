#include "haagenti/encoding/choose_transform.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "encoding/chunk_transform.h"
#include "encoding/value_encoder.h"
#include "haagenti/base/executor.h"
#include "haagenti/base/float_convert.h"
#include "haagenti/base/checked.h"

namespace haagenti {
namespace {

// Elements of the sample: the signal-to-noise ratios of two transforms of a Gaussian sample of this size differ by about 0.02 dB.
constexpr std::uint64_t kSampleElements = 262144;
// Rows of a band of the sample, and the rows its start is a multiple of: a whole number of the largest tiles tried.
constexpr std::uint64_t kBandRows = 128;
constexpr std::uint64_t kMaxBands = 8;
// Matrices up to this are tried as one plane.
constexpr std::uint64_t kMaxPlane = 4u << 20;
// Rows longer than this are sampled in part, and only by transforms with blocks.
constexpr std::uint64_t kMaxWholeRow = 65536;
constexpr std::uint32_t kDctBlocks[] = {8, 16, 32, 64, 128};
constexpr double kDecibelsPerBit = 6.0205999132796239;  // 20 log10(2)

// Rows of the matrix in binary32 with the mean taken off, band after band.
struct Sample {
  std::vector<float> values;
  std::vector<ChunkShape> bands;
  double energy = 0;
  bool finite = true;
  std::uint64_t cols = 0;
  bool whole = false;  // the bands are the whole matrix
};

Sample take_sample(const TensorView& tensor, bool without_mean) {
  Sample sample;
  const bool whole = tensor.n_rows * tensor.row_length <= kSampleElements;
  sample.cols = std::min(tensor.row_length, kMaxWholeRow);
  const std::uint64_t fitting = std::max<std::uint64_t>(1, kSampleElements / std::max<std::uint64_t>(1, sample.cols));
  const std::uint64_t rows = whole ? tensor.n_rows : std::min({tensor.n_rows, kBandRows, fitting});
  const std::uint64_t slots = ceil_div(tensor.n_rows, kBandRows);
  const std::uint64_t n_bands = whole ? 1 : std::clamp<std::uint64_t>(fitting / rows, 1, std::min(slots, kMaxBands));
  const std::size_t element = dtype_bits(tensor.dtype) / 8;
  double sum = 0;
  for (std::uint64_t b = 0; b < n_bands; ++b) {
    const std::uint64_t begin = whole ? 0 : b * slots / n_bands * kBandRows;
    const std::uint64_t end = std::min(begin + rows, tensor.n_rows);
    sample.bands.push_back({end - begin, sample.cols});
    for (std::uint64_t row = begin; row < end; ++row) {
      const std::size_t at = sample.values.size();
      sample.values.resize(at + sample.cols);
      load_f32(tensor.bytes.data() + row * tensor.row_length * element, tensor.dtype, sample.cols, sample.values.data() + at);
    }
  }
  sample.whole = sample.values.size() == tensor.n_rows * tensor.row_length;
  for (const float value : sample.values) sum += static_cast<double>(value);
  const float mean = without_mean && !sample.values.empty() ? static_cast<float>(sum / static_cast<double>(sample.values.size())) : 0;
  for (float& value : sample.values) {
    sample.finite = sample.finite && std::isfinite(value);
    value -= mean;
    sample.energy += static_cast<double>(value) * static_cast<double>(value);
  }
  return sample;
}

std::vector<TransformRequest> candidates(const TensorView& tensor, const Sample& sample) {
  std::vector<TransformRequest> found{{}};
  if (sample.cols == tensor.row_length && tensor.row_length > 1) found.push_back({.id = TransformId::kDctRows});
  if (tensor.n_rows > 1 && sample.whole && sample.values.size() <= kMaxPlane) found.push_back({.id = TransformId::kDct2d});
  for (const std::uint32_t block : kDctBlocks) {
    // A single row would be a transform of runs of it; a block beyond the matrix is the plane itself.
    const bool fits = tensor.n_rows > 1 && block < std::max(tensor.n_rows, tensor.row_length) && block <= 2 * std::min(tensor.n_rows, tensor.row_length);
    if (fits) found.push_back({.id = TransformId::kBlockDct, .block = block});
  }
  if (tensor.row_length % 2 == 0 && tensor.row_length > 0) found.push_back({.id = TransformId::kHadamard});
  return found;
}

// Signal-to-noise ratio and bits of a sample under one transform, both in the transformed domain: the maps are orthonormal.
bool measure(const Sample& sample, const Stages& stages, ScaleRule rule, const ChunkTransform& transform, TransformMeasure* result) {
  const Quantizer& codes = quantizer(stages.quantizer);
  std::vector<float> values = sample.values;
  std::vector<ChunkValues> chunks;
  float* at = values.data();
  for (const ChunkShape& shape : sample.bands) {
    chunks.push_back({at, shape.cols, shape});
    transform.forward(at, shape.cols, shape, 0);
    at += shape.rows * shape.cols;
  }
  std::vector<KeepRule> rules(chunks.size());
  if (codes.functions.prepare != nullptr) codes.functions.prepare({chunks, stages.params, 0, rules});
  const auto negligible = static_cast<float>(kNegligible * std::sqrt(sample.energy / static_cast<double>(values.size())));
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
  result->snr_db = error == 0 ? std::numeric_limits<double>::infinity() : 10 * std::log10(sample.energy / error);
  result->bits_per_weight = 8 * static_cast<double>(n_bytes) / static_cast<double>(sample.values.size());
  return true;
}

double gain_of(const TransformMeasure& one, const TransformMeasure& identity) {
  if (std::isinf(one.snr_db) || std::isinf(identity.snr_db)) return std::isinf(one.snr_db) && !std::isinf(identity.snr_db) ? one.snr_db : 0;
  return one.snr_db - identity.snr_db + kDecibelsPerBit * (identity.bits_per_weight - one.bits_per_weight);
}

}  // namespace

std::vector<TransformMeasure> measure_transforms(const TensorView& tensor, const Stages& stages, ScaleRule rule) {
  if (tensor.bytes.empty()) return {};
  const Sample sample = take_sample(tensor, quantizer(stages.quantizer).functions.mean != nullptr);
  if (!sample.finite || sample.energy == 0) return {};
  const std::vector<TransformRequest> requests = candidates(tensor, sample);
  std::vector<TransformMeasure> measures(requests.size());
  std::vector<char> measured(requests.size());
  parallel_for(requests.size(), [&](std::size_t i) {
    measures[i].id = requests[i].id;
    measures[i].params = settle_transform(requests[i], tensor.n_rows, tensor.row_length);
    measured[i] = measure(sample, stages, rule, {&transform(requests[i].id), measures[i].params, 0}, &measures[i]);
  });
  if (measured[0] == 0) return {};
  std::vector<TransformMeasure> result;
  for (std::size_t i = 0; i < measures.size(); ++i) {
    if (measured[i] == 0) continue;
    measures[i].gain_db = gain_of(measures[i], measures[0]);
    result.push_back(measures[i]);
  }
  return result;
}

TransformChoice choose_transform(const TensorView& tensor, const Stages& stages, ScaleRule rule) {
  const std::vector<TransformMeasure> measures = measure_transforms(tensor, stages, rule);
  TransformChoice choice;
  if (measures.size() < 2) return choice;
  const auto best = std::max_element(measures.begin() + 1, measures.end(), [](const auto& a, const auto& b) { return a.gain_db < b.gain_db; });
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
