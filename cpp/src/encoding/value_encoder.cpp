#include "encoding/value_encoder.h"

#include <algorithm>
#include <cmath>

#include "encoding/float_scratch.h"
#include "haagenti/base/executor.h"
#include "haagenti/base/float_convert.h"
#include "haagenti/hd/float_bits.h"
#include "quantize/error_lanes.h"

namespace haagenti {
namespace {

// Where the first value that is not finite stands in a row, or n.
std::uint64_t first_not_finite(const float* x, std::uint64_t n) {
  return static_cast<std::uint64_t>(std::find_if(x, x + n, [](float value) { return !std::isfinite(value); }) - x);
}

// Of the root mean square of the tensor.
constexpr double kNegligible = 1e-3;

// Shares of the energy that the mean must hold to be taken off: under the identity it is what most values have in common.
constexpr double kMeanShare = 1e-3;
constexpr double kMeanShareOfIdentity = 0.5;

}  // namespace

float negligible_magnitude(const ValueStats& stats, double n_elements) { return static_cast<float>(kNegligible * std::sqrt(stats.energy / n_elements)); }

float mean_to_keep(const ValueStats& stats, double n_elements, TransformId transform) {
  const double mean = stats.sum / n_elements;
  const double least = transform == TransformId::kIdentity ? kMeanShareOfIdentity : kMeanShare;
  return mean * mean * n_elements < least * stats.energy ? 0 : static_cast<float>(mean);
}

ValueEncoder::ValueEncoder(const TensorView& tensor, const ChunkGrid& grid, const Stages& stages, ScaleRule rule)
    : tensor_(tensor),
      grid_(grid),
      quantizer_(quantizer(stages.quantizer)),
      rule_(rule),
      params_(stages.params),
      transform_{&transform(stages.transform), stages.transform_params, 0} {}

void ValueEncoder::load(std::uint64_t chunk, std::uint64_t row, std::uint64_t col, std::uint64_t n, float* dst) const {
  const std::uint64_t first = (grid_.row_begin(chunk) + row) * grid_.row_length + grid_.col_begin(chunk) + col;
  load_f32(tensor_.bytes.data() + first * dtype_bits(tensor_.dtype) / 8, tensor_.dtype, n, dst);
}

// A row of a chunk in binary32: the tensor's own bytes where they are that already.
const float* ValueEncoder::row_of(std::uint64_t chunk, std::uint64_t row, float* scratch) const {
  const std::uint64_t first = (grid_.row_begin(chunk) + row) * grid_.row_length + grid_.col_begin(chunk);
  const std::uint8_t* bytes = tensor_.bytes.data() + first * dtype_bits(tensor_.dtype) / 8;
  const bool as_it_is = tensor_.dtype == DType::kF32 && reinterpret_cast<std::uintptr_t>(bytes) % alignof(float) == 0;
  if (as_it_is) return reinterpret_cast<const float*>(bytes);
  load_f32(bytes, tensor_.dtype, grid_.shape(chunk).cols, scratch);
  return scratch;
}

std::optional<Rejection> ValueEncoder::add_stats(std::uint64_t chunk, ValueStats* stats) const {
  thread_local FloatScratch scratch;
  const ChunkShape shape = grid_.shape(chunk);
  FloatScratch::Lease lease(scratch, shape.cols);
  for (std::uint64_t row = 0; row < shape.rows; ++row) {
    const float* values = row_of(chunk, row, lease.data());
    const ValueStats one = value_stats(values, shape.cols);
    stats->add(one);
    if (one.largest_bits < hd::kInfinityBits) continue;
    const std::uint64_t col = first_not_finite(values, shape.cols);
    return Rejection{row, col, std::isnan(values[col]) ? "a NaN" : "an infinity"};
  }
  return std::nullopt;
}

// The values of a chunk, transformed, strip by strip.
void ValueEncoder::transform_chunk(std::uint64_t chunk, float* dst, std::uint64_t stride) const {
  const ChunkShape shape = grid_.shape(chunk);
  const std::uint64_t strip = transform_.strip_cols(shape);
  for (std::uint64_t col = 0; col < shape.cols; col += strip) {
    const std::uint64_t width = std::min(strip, shape.cols - col);
    for (std::uint64_t row = 0; row < shape.rows; ++row) load(chunk, row, col, width, dst + row * stride + col);
    transform_.forward(dst + col, stride, {shape.rows, width}, grid_.col_begin(chunk) + col);
  }
}

void ValueEncoder::prepare(std::uint64_t overhead_bytes, std::vector<std::optional<Rejection>>& rejections) {
  const std::uint64_t n_chunks = rejections.size();
  rules_.resize(n_chunks);
  std::vector<ValueStats> stats(n_chunks);
  parallel_for(n_chunks, [&](std::size_t chunk) { rejections[chunk] = add_stats(chunk, &stats[chunk]); });
  const bool rejected = std::any_of(rejections.begin(), rejections.end(), [](const auto& one) { return one.has_value(); });
  if (rejected || n_chunks == 0) return;
  ValueStats total;
  for (const ValueStats& part : stats) total.add(part);
  const double n = static_cast<double>(grid_.n_rows) * static_cast<double>(grid_.row_length);
  negligible_ = negligible_magnitude(total, n);
  if (quantizer_.functions.mean != nullptr) {
    quantizer_.functions.set_mean(params_, mean_to_keep(total, n, transform_.transform->id));
    transform_.mean = quantizer_.functions.mean(params_);
  }
  if (quantizer_.functions.prepare == nullptr) return;
  kept_ = Buffer(grid_.n_rows * grid_.row_length * sizeof(float));
  kept_.prefer_large_pages();
  auto* matrix = reinterpret_cast<float*>(kept_.data());
  std::vector<ChunkValues> chunks(n_chunks);
  parallel_for(n_chunks, [&](std::size_t chunk) {
    float* values = matrix + grid_.row_begin(chunk) * grid_.row_length + grid_.col_begin(chunk);
    chunks[chunk] = {values, grid_.row_length, grid_.shape(chunk)};
    transform_chunk(chunk, values, grid_.row_length);
  });
  quantizer_.functions.prepare({chunks, params_, overhead_bytes, rules_});
}

ChunkValues ValueEncoder::values_of(std::uint64_t chunk, float* scratch) const {
  const ChunkShape shape = grid_.shape(chunk);
  if (quantizer_.functions.prepare != nullptr) {
    const auto* matrix = reinterpret_cast<const float*>(kept_.data());
    return {matrix + grid_.row_begin(chunk) * grid_.row_length + grid_.col_begin(chunk), grid_.row_length, shape};
  }
  transform_chunk(chunk, scratch, shape.cols);
  return {scratch, shape.cols, shape};
}

std::optional<Rejection> ValueEncoder::encode(std::uint64_t chunk, Segments& segments, ErrorSums* error) const {
  thread_local FloatScratch scratch;
  const ChunkShape shape = grid_.shape(chunk);
  FloatScratch::Lease lease(scratch, shape.rows * shape.cols);
  const ChunkValues values = values_of(chunk, lease.data());
  std::array<std::uint64_t, kMaxSegments> sizes{};
  QuantizeArgs args{
      .src = reinterpret_cast<const std::uint8_t*>(values.data),
      .src_stride = values.stride,
      .dtype = DType::kF32,
      .shape = shape,
      .params = params_,
      .scale_rule = rule_,
      .negligible = negligible_,
      .keep = rules_[chunk],
      .segments = {},
      .sizes = &sizes,
      .error = nullptr,
  };
  for (std::size_t s = 0; s < kMaxSegments; ++s) args.segments[s] = segments[s].data();
  if (auto rejected = quantizer_.functions.quantize(args)) {
    rejected->reason += " among the transformed values";
    return rejected;
  }
  if (quantizer_.functions.variable_size) {
    for (std::size_t s = 0; s < kMaxSegments; ++s) segments[s] = segments[s].first(sizes[s]);
  }
  *error = measure(chunk, segments);
  return std::nullopt;
}

// Decodes the chunk as a reader will, and compares it with the tensor.
ErrorSums ValueEncoder::measure(std::uint64_t chunk, const Segments& segments) const {
  thread_local FloatScratch scratch;
  const ChunkShape shape = grid_.shape(chunk);
  const std::uint64_t n = shape.rows * shape.cols;
  FloatScratch::Lease lease(scratch, n + shape.cols);
  float* restored = lease.data();
  float* row = restored + n;
  DequantizeArgs args{
      .segments = {},
      .sizes = {},
      .dtype = tensor_.dtype,
      .shape = shape,
      .row_begin = 0,
      .row_end = shape.rows,
      .params = params_,
      .out_dtype = DType::kF32,
      .dst = reinterpret_cast<std::uint8_t*>(restored),
      .dst_stride = shape.cols,
      .stream = false,
  };
  for (std::size_t s = 0; s < kMaxSegments; ++s) {
    args.segments[s] = segments[s].data();
    args.sizes[s] = segments[s].size();
  }
  dequantize_transformed(quantizer_, transform_, args, grid_.col_begin(chunk));
  ErrorLanes lanes;
  for (std::uint64_t r = 0; r < shape.rows; ++r) {
    add_error(row_of(chunk, r, row), restored + r * shape.cols, shape.cols, tensor_.dtype, &lanes);
  }
  return lanes.total();
}

}  // namespace haagenti
