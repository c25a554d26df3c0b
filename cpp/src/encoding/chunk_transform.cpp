#include "encoding/chunk_transform.h"

#include <algorithm>

#include "encoding/float_scratch.h"
#include "haagenti/base/checked.h"
#include "haagenti/base/float_convert.h"

namespace haagenti {
namespace {

// Elements of a band of rows that is decoded at a time where the transform allows it: 256 KiB in binary32, a part of a second-level cache.
constexpr std::uint64_t kBandElements = 65536;
// Quantisers of variable size look at the whole chunk for every band: this many at most.
constexpr std::uint64_t kMaxBands = 16;
constexpr std::uint64_t kStripElements = 65536;  // of a strip of columns, likewise

void add(float value, float* data, std::uint64_t stride, ChunkShape shape) {
  if (value == 0) return;
  for (std::uint64_t row = 0; row < shape.rows; ++row) {
    for (std::uint64_t col = 0; col < shape.cols; ++col) data[row * stride + col] += value;
  }
}

}  // namespace

std::uint64_t ChunkTransform::strip_cols(ChunkShape shape) const {
  if (!transform->functions.has_block) return std::max<std::uint64_t>(1, shape.cols);
  return round_up(std::max<std::uint64_t>(1, kStripElements / std::max<std::uint64_t>(1, shape.rows)), params.block);
}

void ChunkTransform::forward(float* data, std::uint64_t stride, ChunkShape shape, std::uint64_t col_begin) const {
  add(-mean, data, stride, shape);
  transform->functions.forward({data, stride, shape.rows, shape.cols, col_begin, params});
}

void ChunkTransform::inverse(float* data, std::uint64_t stride, ChunkShape shape, std::uint64_t col_begin) const {
  transform->functions.inverse({data, stride, shape.rows, shape.cols, col_begin, params});
  add(mean, data, stride, shape);
}

void dequantize_transformed(const Quantizer& quantizer, const ChunkTransform& transform, const DequantizeArgs& args, std::uint64_t col_begin) {
  thread_local FloatScratch kept;
  const std::uint64_t cols = args.shape.cols;
  const std::uint64_t unit = std::min(transform.row_unit(args.shape.rows), args.shape.rows);
  const std::uint64_t fewest = quantizer.functions.variable_size ? ceil_div(args.shape.rows, kMaxBands) : 1;
  const std::uint64_t band = round_up(std::max({std::uint64_t{1}, fewest, kBandElements / std::max<std::uint64_t>(1, cols)}), unit);
  const std::size_t element = dtype_bits(args.out_dtype) / 8;
  for (std::uint64_t begin = args.row_begin / unit * unit; begin < args.row_end; begin += band) {
    const std::uint64_t end = std::min({begin + band, round_up(args.row_end, unit), args.shape.rows});
    const std::uint64_t first = std::max(begin, args.row_begin), last = std::min(end, args.row_end);
    std::uint8_t* dst = args.dst + (first - args.row_begin) * args.dst_stride * element;
    const bool in_place = args.out_dtype == DType::kF32 && first == begin && last == end;
    FloatScratch::Lease lease(kept, in_place ? 0 : (end - begin) * cols);
    float* values = in_place ? reinterpret_cast<float*>(dst) : lease.data();
    const std::uint64_t stride = in_place ? args.dst_stride : cols;
    DequantizeArgs part = args;
    part.row_begin = begin;
    part.row_end = end;
    part.out_dtype = DType::kF32;
    part.dst = reinterpret_cast<std::uint8_t*>(values);
    part.dst_stride = stride;
    part.stream = false;
    quantizer.functions.dequantize(part);
    const std::uint64_t strip = transform.strip_cols({end - begin, cols});
    for (std::uint64_t col = 0; col < cols; col += strip) {
      const std::uint64_t width = std::min(strip, cols - col);
      transform.inverse(values + col, stride, {end - begin, width}, col_begin + col);
      for (std::uint64_t row = first; row < last && !in_place; ++row) {
        store_f32(values + (row - begin) * cols + col, args.out_dtype, width, dst + ((row - first) * args.dst_stride + col) * element);
      }
    }
  }
}

}  // namespace haagenti
