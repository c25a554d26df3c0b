#include "quantize/grouped.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "haagenti/base/error.h"
#include "haagenti/hd/float_bits.h"

namespace haagenti::grouped {
namespace {

// Elements of a row block: its binary32 copy and its codes together stay well inside a second-level cache.
constexpr std::uint64_t kBlockElements = 16384;

// Bytes; below it, streaming rows one by one was measured 2 to 15 times slower than through the cache.
constexpr std::uint64_t kMinStreamedRow = 16384;

// Scratch of one chunk; grows to the largest need of its thread and stays.
struct Scratch {
  std::vector<float> x;
  std::vector<std::int8_t> codes;
  std::vector<std::uint16_t> scales;
  std::vector<float> search;

  template <class T>
  static T* at_least(std::vector<T>& v, std::uint64_t n) {
    if (v.size() < n) v.resize(n);
    return v.data();
  }
};

std::string why_rejected(const float* x, std::uint64_t n) {
  for (std::uint64_t i = 0; i < n; ++i) {
    if (std::isnan(x[i])) return "a NaN";
    if (std::isinf(x[i])) return "an infinity";
  }
  float largest = 0;
  for (std::uint64_t i = 0; i < n; ++i) largest = std::max(largest, std::fabs(x[i]));
  return concat("a largest magnitude of ", largest, ", which needs a scale outside the range of binary16");
}

// Of the first group without a scale: where it is, and why.
Rejection rejection(const RowBlock& block, std::uint64_t row_begin, std::uint64_t index) {
  const std::uint64_t row = index / block.groups_per_row;
  const std::uint64_t col = index % block.groups_per_row * block.group;
  const std::uint64_t n = std::min(block.group, block.cols - col);
  return {row_begin + row, col, why_rejected(block.x + row * block.cols + col, n)};
}

void store_codes(const RowBlock& block, IntWidth width, const std::int8_t* codes, std::uint8_t* dst) {
  const std::uint64_t row_bytes = code_row_bytes(width, block.cols);
  if (width == IntWidth::kInt8) {
    std::copy_n(codes, block.rows * block.cols, reinterpret_cast<std::int8_t*>(dst));
  } else if (block.cols % 2 == 0) {
    pack_int4(codes, block.rows * block.cols, dst);
  } else {
    for (std::uint64_t row = 0; row < block.rows; ++row) pack_int4(codes + row * block.cols, block.cols, dst + row * row_bytes);
  }
}

}  // namespace

bool accepts(DType dtype) { return dtype == DType::kF32 || dtype == DType::kF16 || dtype == DType::kBF16; }

bool decodes_to(DType, DType to) { return accepts(to); }

void check_params(ByteView params) {
  if (load_le<std::uint32_t>(params.data() + 4) != 0) fail(ErrorKind::kCorrupt, "reserved bytes of the group parameters are not zero");
}

std::uint64_t code_row_bytes(IntWidth width, std::uint64_t cols) { return width == IntWidth::kInt8 ? cols : ceil_div(cols, 2); }

std::uint64_t segment_bytes(IntWidth width, std::size_t segment, ChunkShape shape, ByteView params) {
  if (segment == 0) return shape.rows * code_row_bytes(width, shape.cols);
  return 2 * shape.rows * GroupedParams::load(params).groups_per_row(shape.cols);
}

std::optional<Rejection> quantize(IntWidth width, const QuantizeArgs& args) {
  thread_local Scratch scratch;
  const GroupedParams params = GroupedParams::load(args.params);
  const std::uint64_t cols = args.shape.cols;
  const std::uint64_t group = params.group_elements(cols);
  const std::uint64_t groups_per_row = params.groups_per_row(cols);
  const std::uint64_t block_rows = std::max<std::uint64_t>(1, kBlockElements / std::max<std::uint64_t>(1, cols));
  const std::size_t element = dtype_bits(args.dtype) / 8;
  float* x = Scratch::at_least(scratch.x, std::min(block_rows, args.shape.rows) * cols);
  std::int8_t* codes = Scratch::at_least(scratch.codes, std::min(block_rows, args.shape.rows) * cols);
  std::uint16_t* scales = Scratch::at_least(scratch.scales, std::min(block_rows, args.shape.rows) * groups_per_row);
  ErrorLanes error;
  for (std::uint64_t row = 0; row < args.shape.rows; row += block_rows) {
    const RowBlock block{x, std::min(block_rows, args.shape.rows - row), cols, group, groups_per_row, args.negligible};
    for (std::uint64_t r = 0; r < block.rows; ++r) load_f32(args.src + (row + r) * args.src_stride * element, args.dtype, cols, x + r * cols);
    const std::uint64_t n_groups = block.rows * groups_per_row;
    const std::uint64_t accepted = max_scales(block, width, scales);
    if (accepted != n_groups) return rejection(block, row, accepted);
    if (args.scale_rule == ScaleRule::kSearch) {
      search_scales(block, width, Scratch::at_least(scratch.search, search_scratch_floats(group)), scales);
    }
    quantize_rows(block, width, scales, args.dtype, codes, &error);
    store_codes(block, width, codes, args.segments[0] + row * code_row_bytes(width, cols));
    std::memcpy(args.segments[1] + 2 * row * groups_per_row, scales, 2 * n_groups);
  }
  if (args.error != nullptr) *args.error = error.total();
  return std::nullopt;
}

void dequantize(IntWidth width, const DequantizeArgs& args) {
  const GroupedParams params = GroupedParams::load(args.params);
  const std::uint64_t cols = args.shape.cols;
  const std::uint64_t row_bytes = code_row_bytes(width, cols);
  const std::uint64_t groups_per_row = params.groups_per_row(cols);
  const std::size_t element = dtype_bits(args.out_dtype) / 8;
  const std::uint64_t rows = args.row_end - args.row_begin;
  DequantizeRow row{
      .codes = args.segments[0] + args.row_begin * row_bytes,
      .scales = args.segments[1] + 2 * args.row_begin * groups_per_row,
      .cols = cols,
      .group = params.group_elements(cols),
      .out_dtype = args.out_dtype,
      .stream = args.stream,
      .dst = args.dst,
  };
  // Rows of whole groups and whole bytes that lie back to back are one long row.
  if (cols != 0 && cols % row.group == 0 && (width == IntWidth::kInt8 || cols % 2 == 0) && args.dst_stride == cols) {
    row.cols = rows * cols;
    return dequantize_row(row, width);
  }
  // Around the cache only where a row has many whole lines: each row ends in a fence, and its ends are partial lines.
  row.stream = row.stream && cols * element >= kMinStreamedRow;
  for (std::uint64_t r = 0; r < rows; ++r) {
    dequantize_row(row, width);
    row.codes += row_bytes;
    row.scales += 2 * groups_per_row;
    row.dst += args.dst_stride * element;
  }
}

}  // namespace haagenti::grouped
