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

// Column of the first NaN or infinity of n values, or n.
std::uint64_t first_not_finite(const float* x, std::uint64_t n) {
  std::uint32_t largest = 0;
  for (std::uint64_t i = 0; i < n; ++i) largest = std::max(largest, hd::magnitude_bits(x[i]));
  if (largest < hd::kInfinityBits) return n;
  return static_cast<std::uint64_t>(std::find_if(x, x + n, [](float value) { return !std::isfinite(value); }) - x);
}

std::optional<Rejection> rejection(const float* x, std::uint64_t stride, ChunkShape shape) {
  for (std::uint64_t row = 0; row < shape.rows; ++row) {
    const std::uint64_t col = first_not_finite(x + row * stride, shape.cols);
    if (col != shape.cols) return Rejection{row, col, std::isnan(x[row * stride + col]) ? "a NaN" : "an infinity"};
  }
  return std::nullopt;
}

// The sum of term(x) over a chunk, in one order for every machine.
template <class Term>
double sum_over(const float* x, std::uint64_t stride, ChunkShape shape, const Term& term) {
  constexpr std::size_t kLanes = 8;
  double sum = 0;
  for (std::uint64_t row = 0; row < shape.rows; ++row) {
    double lanes[kLanes] = {};
    const float* values = x + row * stride;
    std::uint64_t col = 0;
    for (; col + kLanes <= shape.cols; col += kLanes) {
      for (std::size_t lane = 0; lane < kLanes; ++lane) lanes[lane] += term(static_cast<double>(values[col + lane]));
    }
    for (std::size_t lane = 0; col < shape.cols; ++lane, ++col) lanes[lane] += term(static_cast<double>(values[col]));
    for (const double lane : lanes) sum += lane;
  }
  return sum;
}

double sum_of(const float* x, std::uint64_t stride, ChunkShape shape) {
  return sum_over(x, stride, shape, [](double value) { return value; });
}

double energy_of(const float* x, std::uint64_t stride, ChunkShape shape) {
  return sum_over(x, stride, shape, [](double value) { return value * value; });
}

double total(const std::vector<double>& parts) {
  double sum = 0;
  for (const double part : parts) sum += part;
  return sum;
}

}  // namespace

ValueEncoder::ValueEncoder(const TensorView& tensor, const ChunkGrid& grid, const Stages& stages, ScaleRule rule)
    : tensor_(tensor),
      grid_(grid),
      quantizer_(quantizer(stages.quantizer)),
      rule_(rule),
      params_(stages.params),
      transform_{&transform(stages.transform), stages.transform_params, 0} {}

void ValueEncoder::load(std::uint64_t chunk, float* dst, std::uint64_t stride) const {
  const ChunkShape shape = grid_.shape(chunk);
  const std::size_t element = dtype_bits(tensor_.dtype) / 8;
  const std::uint64_t first = grid_.row_begin(chunk) * grid_.row_length + grid_.col_begin(chunk);
  for (std::uint64_t row = 0; row < shape.rows; ++row) {
    load_f32(tensor_.bytes.data() + (first + row * grid_.row_length) * element, tensor_.dtype, shape.cols, dst + row * stride);
  }
}

void ValueEncoder::prepare(std::uint64_t overhead_bytes, std::vector<std::optional<Rejection>>& rejections) {
  const std::uint64_t n_chunks = rejections.size();
  const bool keeps = quantizer_.functions.prepare != nullptr;
  if (keeps) kept_ = Buffer(grid_.n_rows * grid_.row_length * sizeof(float));
  auto* matrix = reinterpret_cast<float*>(kept_.data());
  const auto place = [&](std::uint64_t chunk) { return matrix + grid_.row_begin(chunk) * grid_.row_length + grid_.col_begin(chunk); };
  std::vector<double> sums(n_chunks);
  std::vector<double> energies(n_chunks);
  parallel_for(n_chunks, [&](std::size_t chunk) {
    thread_local FloatScratch scratch;
    const ChunkShape shape = grid_.shape(chunk);
    FloatScratch::Lease lease(scratch, keeps ? 0 : shape.rows * shape.cols);
    float* x = keeps ? place(chunk) : lease.data();
    const std::uint64_t stride = keeps ? grid_.row_length : shape.cols;
    load(chunk, x, stride);
    rejections[chunk] = rejection(x, stride, shape);
    if (quantizer_.functions.mean != nullptr) sums[chunk] = sum_of(x, stride, shape);
    energies[chunk] = energy_of(x, stride, shape);
  });
  rules_.resize(n_chunks);
  const bool rejected = std::any_of(rejections.begin(), rejections.end(), [](const auto& one) { return one.has_value(); });
  if (rejected || n_chunks == 0) return;
  const double n = static_cast<double>(grid_.n_rows) * static_cast<double>(grid_.row_length);
  negligible_ = static_cast<float>(kNegligible * std::sqrt(total(energies) / n));
  if (quantizer_.functions.mean != nullptr) {
    quantizer_.functions.set_mean(params_, static_cast<float>(total(sums) / n));
    transform_.mean = quantizer_.functions.mean(params_);
  }
  if (!keeps) return;
  std::vector<ChunkValues> chunks(n_chunks);
  parallel_for(n_chunks, [&](std::size_t chunk) {
    chunks[chunk] = {place(chunk), grid_.row_length, grid_.shape(chunk)};
    transform_.forward(place(chunk), grid_.row_length, grid_.shape(chunk), grid_.col_begin(chunk));
  });
  quantizer_.functions.prepare({chunks, params_, overhead_bytes, rules_});
}

ChunkValues ValueEncoder::values_of(std::uint64_t chunk, float* scratch) const {
  const ChunkShape shape = grid_.shape(chunk);
  if (quantizer_.functions.prepare != nullptr) {
    const auto* matrix = reinterpret_cast<const float*>(kept_.data());
    return {matrix + grid_.row_begin(chunk) * grid_.row_length + grid_.col_begin(chunk), grid_.row_length, shape};
  }
  load(chunk, scratch, shape.cols);
  transform_.forward(scratch, shape.cols, shape, grid_.col_begin(chunk));
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
  const std::size_t element = dtype_bits(tensor_.dtype) / 8;
  const std::uint64_t first = grid_.row_begin(chunk) * grid_.row_length + grid_.col_begin(chunk);
  for (std::uint64_t r = 0; r < shape.rows; ++r) {
    load_f32(tensor_.bytes.data() + (first + r * grid_.row_length) * element, tensor_.dtype, shape.cols, row);
    add_error(row, restored + r * shape.cols, shape.cols, tensor_.dtype, &lanes);
  }
  return lanes.total();
}

}  // namespace haagenti
