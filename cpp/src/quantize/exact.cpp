// `exact`: the elements' own bytes.
#include <cstring>

#include "haagenti/base/error.h"
#include "haagenti/quantize/quantizer.h"

namespace haagenti {
namespace {

constexpr SegmentKind kSegments[] = {SegmentKind::kCodes};

bool accepts(DType) { return true; }
bool decodes_to(DType from, DType to) { return from == to; }

void check_params(ByteView params) {
  if (!params.empty()) fail(ErrorKind::kCorrupt, "quantiser exact has no parameters, found ", params.size(), " bytes");
}

// Sub-byte types come as one flat row whose size was checked when the record was laid out.
std::uint64_t bytes_of(DType dtype, std::uint64_t n_elements) { return n_elements * dtype_bits(dtype) / 8; }

std::uint64_t segment_bytes(std::size_t, ChunkShape shape, DType dtype, ByteView) { return bytes_of(dtype, shape.rows * shape.cols); }

void copy_rows(std::uint8_t* dst, std::uint64_t dst_stride, const std::uint8_t* src, std::uint64_t src_stride, std::uint64_t rows,
               std::uint64_t row_bytes) {
  if (row_bytes == dst_stride && row_bytes == src_stride) {
    if (rows * row_bytes != 0) std::memcpy(dst, src, rows * row_bytes);
    return;
  }
  for (std::uint64_t row = 0; row < rows; ++row) std::memcpy(dst + row * dst_stride, src + row * src_stride, row_bytes);
}

std::optional<Rejection> quantize(const QuantizeArgs& args) {
  const std::uint64_t row_bytes = bytes_of(args.dtype, args.shape.cols);
  const std::uint64_t stride = args.shape.rows == 1 ? row_bytes : bytes_of(args.dtype, args.src_stride);
  copy_rows(args.segments[0], row_bytes, args.src, stride, args.shape.rows, row_bytes);
  return std::nullopt;
}

void dequantize(const DequantizeArgs& args) {
  const std::uint64_t row_bytes = bytes_of(args.dtype, args.shape.cols);
  const std::uint64_t rows = args.row_end - args.row_begin;
  const std::uint64_t stride = rows == 1 ? row_bytes : bytes_of(args.dtype, args.dst_stride);
  copy_rows(args.dst, stride, args.segments[0] + args.row_begin * row_bytes, row_bytes, rows, row_bytes);
}

}  // namespace

QuantizerFunctions exact_quantizer() {
  return {true, 0, kSegments, accepts, decodes_to, check_params, segment_bytes, quantize, dequantize};
}

}  // namespace haagenti
