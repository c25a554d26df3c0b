// What the encoder and the decoder of `sparse` share: sizes, and blocks of a chunk.
// Not responsible for SIMD loops: sparse_kernels.h.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <optional>
#include <vector>

#include "haagenti/base/checked.h"
#include "haagenti/quantize/quantizer.h"
#include "haagenti/quantize/sparse_params.h"
#include "quantize/sparse_kernels.h"

namespace haagenti::sparse {

// Segments of a chunk, in the order in which they are stored.
enum Segment : std::size_t { kIndexSegment, kMaskSegment, kCodesSegment, kScalesSegment };

struct SegmentSizes {
  std::uint64_t mask = 0;
  std::uint64_t codes = 0;
  std::uint64_t scales = 0;

  void add(const SegmentSizes& other) {
    mask += other.mask;
    codes += other.codes;
    scales += other.scales;
  }
};

// What a block of n_kept values takes beside its mask.
inline SegmentSizes value_sizes(std::uint32_t n_kept, const SparseParams& params) {
  return {0, hd::sparse_code_bytes(n_kept, coefficient_bits(params.coefficients)), 2 * hd::sparse_scale_count(n_kept, params.group_size)};
}

inline std::uint64_t block_count(std::uint64_t n) { return ceil_div(n, kBlock); }

// A vector that grows and stays; never shrinks below what a chunk of usual size needs.
template <class T>
T* at_least(std::vector<T>& v, std::uint64_t n) {
  if (v.size() < n) v.resize(n);
  return v.data();
}

// Positions begin .. begin + length of a chunk: in place where they are back to back, else copied to scratch (of kBlock elements).
inline const float* block_values(const ChunkValues& chunk, std::uint64_t begin, std::uint32_t length, float* scratch) {
  const std::uint64_t cols = chunk.shape.cols;
  if (chunk.stride == cols) return chunk.data + begin;
  const std::uint64_t row = begin / cols;
  const std::uint64_t col = begin % cols;
  if (col + length <= cols) return chunk.data + row * chunk.stride + col;
  std::uint64_t at = begin;
  for (std::uint64_t done = 0; done < length;) {
    const std::uint64_t n = std::min<std::uint64_t>(length - done, cols - at % cols);
    std::copy_n(chunk.data + at / cols * chunk.stride + at % cols, n, scratch + done);
    done += n;
    at += n;
  }
  return scratch;
}

// Applies the rule of a chunk to its blocks, one after the other.
class Keeper {
 public:
  explicit Keeper(const KeepRule& rule) : threshold_(rule.threshold), ties_left_(rule.n_ties) {}

  // As keep_above, of the next block.
  Kept keep(const float* x, std::uint32_t length, BitMap* map, float* kept);

 private:
  Kept keep_some_ties(const float* x, std::uint32_t length, BitMap* map, float* kept) const;

  std::uint32_t threshold_;
  std::uint64_t ties_left_;
};

// Sizes of what `quantize` would write for a chunk.
SegmentSizes measure_chunk(const ChunkValues& chunk, const KeepRule& rule, const SparseParams& params);

// The kept values of a block in binary32, n_kept of them.
void load_values(const std::uint8_t* codes, const std::uint8_t* scales, std::uint32_t n_kept, const SparseParams& params, float* values);

void prepare_share(const PrepareArgs& args, const SparseParams& params);  // retention and energy
void prepare_bits(const PrepareArgs& args, const SparseParams& params);

std::optional<Rejection> quantize(const QuantizeArgs& args);
void dequantize(const DequantizeArgs& args);

}  // namespace haagenti::sparse
