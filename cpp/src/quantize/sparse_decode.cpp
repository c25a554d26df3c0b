// The decoder of `sparse`: checks of the index, and the walk over the blocks that hold the rows asked for.
#include <algorithm>

#include "haagenti/base/error.h"
#include "quantize/grouped_kernels.h"
#include "quantize/sparse.h"

namespace haagenti::sparse {
namespace {

struct BlockView {
  hd::SparseEntry entry;
  std::uint32_t length;
  const std::uint8_t* mask;
  const std::uint8_t* codes;
  const std::uint8_t* scales;
};

// The blocks of a chunk in order, with where the bytes of each are.
class BlockWalk {
 public:
  BlockWalk(const DequantizeArgs& args, const SparseParams& params)
      : params_(params),
        n_(args.shape.rows * args.shape.cols),
        index_(args.segments[kIndexSegment]),
        next_{{}, 0, args.segments[kMaskSegment], args.segments[kCodesSegment], args.segments[kScalesSegment]} {}

  // The entry must fit: check_segments has seen to that.
  BlockView next() {
    BlockView block = next_;
    block.length = hd::sparse_block_length(n_, block_);
    block.entry = hd::sparse_entry(load_le<std::uint32_t>(index_ + hd::kSparseEntryBytes * block_++));
    const SegmentSizes sizes = value_sizes(block.entry.n_kept, params_);
    next_.mask += block.entry.n_mask_bytes;
    next_.codes += sizes.codes;
    next_.scales += sizes.scales;
    return block;
  }

 private:
  SparseParams params_;
  std::uint64_t n_;
  const std::uint8_t* index_;
  std::uint64_t block_ = 0;
  BlockView next_;
};

void expect_size(const char* segment, std::uint64_t expected, std::uint64_t found) {
  if (expected != found) fail(ErrorKind::kCorrupt, "sparse: the index says ", expected, " bytes of ", segment, ", found ", found);
}

// After this every byte that the index leads to is there.
void check_segments(const DequantizeArgs& args, const SparseParams& params, std::uint64_t n) {
  const std::uint64_t n_blocks = block_count(n);
  const std::uint64_t index_bytes = hd::kSparseEntryBytes * n_blocks;
  if (args.sizes[kIndexSegment] != index_bytes) {
    fail(ErrorKind::kCorrupt, "sparse: expected ", index_bytes, " bytes of index for ", n_blocks, " blocks, found ", args.sizes[kIndexSegment]);
  }
  SegmentSizes total;
  for (std::uint64_t i = 0; i < n_blocks; ++i) {
    const hd::SparseEntry entry = hd::sparse_entry(load_le<std::uint32_t>(args.segments[kIndexSegment] + hd::kSparseEntryBytes * i));
    if (!hd::sparse_entry_fits(entry, hd::sparse_block_length(n, i))) {
      fail(ErrorKind::kCorrupt, "sparse: index of block ", i, ": ", entry.n_kept, " kept values, ", entry.n_mask_bytes, " bytes of mask, rice ", entry.rice,
           " and reserved ", entry.reserved, " do not fit a block of ", hd::sparse_block_length(n, i));
    }
    total.add(value_sizes(entry.n_kept, params));
    total.mask += entry.n_mask_bytes;
  }
  expect_size("mask", total.mask, args.sizes[kMaskSegment]);
  expect_size("codes", total.codes, args.sizes[kCodesSegment]);
  expect_size("scales", total.scales, args.sizes[kScalesSegment]);
}

// dst: block.length elements.
void decode_block(const BlockView& block, std::uint64_t index, const SparseParams& params, float* dst) {
  const std::uint32_t n_kept = block.entry.n_kept;
  if (n_kept == 0) return std::fill_n(dst, block.length, 0.0f), void();
  if (n_kept == block.length) return load_values(block.codes, block.scales, n_kept, params, dst);
  BitMap map;
  if (!read_mask(block.mask, block.entry, block.length, &map)) {
    fail(ErrorKind::kCorrupt, "sparse: the mask of block ", index, " is not one of ", n_kept, " kept values of ", block.length);
  }
  alignas(64) float values[kBlock + kPadding];
  load_values(block.codes, block.scales, n_kept, params, values);
  std::fill_n(values + n_kept, kPadding, 0.0f);
  expand(map, values, block.length, dst);
}

// Positions begin .. end of the chunk, which lie in `values` from first on, to the rows of the output.
void store_positions(const DequantizeArgs& args, const float* values, std::uint64_t first, std::uint64_t begin, std::uint64_t end) {
  const std::uint64_t cols = args.shape.cols;
  const std::size_t element = dtype_bits(args.out_dtype) / 8;
  for (std::uint64_t at = begin; at < end;) {
    const std::uint64_t n = std::min(end - at, cols - at % cols);
    std::uint8_t* dst = args.dst + ((at / cols - args.row_begin) * args.dst_stride + at % cols) * element;
    store_f32(values + (at - first), args.out_dtype, n, dst);
    at += n;
  }
}

}  // namespace

void load_values(const std::uint8_t* codes, const std::uint8_t* scales, std::uint32_t n_kept, const SparseParams& params, float* values) {
  if (params.coefficients == CoefficientType::kF32) return load_f32(codes, DType::kF32, n_kept, values);
  if (params.coefficients == CoefficientType::kF16) return load_f32(codes, DType::kF16, n_kept, values);
  const DequantizeRow row{codes, scales, n_kept, params.group_size, DType::kF32, false, reinterpret_cast<std::uint8_t*>(values)};
  dequantize_row(row, params.coefficients == CoefficientType::kInt8 ? IntWidth::kInt8 : IntWidth::kInt4);
}

void dequantize(const DequantizeArgs& args) {
  const SparseParams params = SparseParams::load(args.params);
  const std::uint64_t cols = args.shape.cols;
  check_segments(args, params, args.shape.rows * cols);
  const std::uint64_t begin = args.row_begin * cols;
  const std::uint64_t end = args.row_end * cols;
  const bool in_place = args.out_dtype == DType::kF32 && (args.dst_stride == cols || args.row_end - args.row_begin == 1);
  BlockWalk walk(args, params);
  alignas(64) float staged[kBlock];
  for (std::uint64_t at = 0; at < end; at += kBlock) {
    const BlockView block = walk.next();
    const std::uint64_t stop = at + block.length;
    if (stop <= begin) continue;
    const bool whole = at >= begin && stop <= end;
    if (in_place && whole) {
      decode_block(block, at / kBlock, params, reinterpret_cast<float*>(args.dst) + (at - begin));
    } else {
      decode_block(block, at / kBlock, params, staged);
      store_positions(args, staged, at, std::max(at, begin), std::min(stop, end));
    }
  }
}

}  // namespace haagenti::sparse
