// The SIMD loops of `sparse`. They neither check sizes nor allocate: their callers do.
// Every instruction set gives the same bytes. cpp/src/quantize/spec.md says what is computed; hd/sparse_mask.h says it for one position.
#pragma once

#include <cstdint>

#include "haagenti/base/dtype.h"
#include "haagenti/hd/sparse_mask.h"

namespace haagenti::sparse {

inline constexpr std::uint32_t kBlock = hd::kSparseBlock;
inline constexpr std::uint32_t kPadding = 16;  // elements after a block's values that loops may read or write

// One bit a position of a block, least bit first; 0 beyond the block.
struct alignas(64) BitMap {
  std::uint64_t words[kBlock / 64];

  std::uint8_t* bytes() { return reinterpret_cast<std::uint8_t*>(words); }
  const std::uint8_t* bytes() const { return reinterpret_cast<const std::uint8_t*>(words); }
};

// --- What is kept (sparse_keep.cpp)

struct Kept {
  std::uint32_t count;
  std::uint32_t largest;  // bits of the largest magnitude of the whole block, kept or not
};

// Positions of x[0..length) whose magnitude has bits above `above`, which is -1 to keep everything. kept: their values in order, of
// length + kPadding elements, or null.
Kept keep_above(const float* x, std::uint32_t length, std::int32_t above, BitMap* map, float* kept);

// Values whose magnitude has exactly these bits.
std::uint64_t count_equal(const float* x, std::uint64_t n, std::uint32_t bits);

// Bins of magnitude bits: bin i counts those in begin + (i << shift) .. begin + ((i + 1) << shift).
inline constexpr std::uint32_t kBins = 2048;

struct BinRange {
  std::uint32_t begin;
  std::uint32_t shift;  // at most 20
};

// counts[i] and, unless null, energy[i] (sums of squares in the order of the values) are added to; returns how many are above all bins.
std::uint64_t count_bins(const float* x, std::uint64_t n, BinRange range, std::uint64_t* counts, double* energy);

// --- Where it was (sparse_mask_encode.cpp)

struct MaskPlan {
  std::uint32_t rice;
  std::uint32_t n_bytes;
  std::uint32_t n_gaps;  // of a mask with rice != 0
};

struct alignas(64) Gaps {
  std::uint16_t values[kBlock / 2 + 64];
};

// The shortest mask of a block; fills gaps.
MaskPlan plan_mask(const BitMap& map, std::uint32_t length, std::uint32_t n_kept, Gaps* gaps);

// plan.n_bytes bytes.
void write_mask(const BitMap& map, const MaskPlan& plan, const Gaps& gaps, std::uint8_t* dst);

// --- And back (sparse_mask_decode.cpp, sparse_expand.cpp)

// hd::sparse_expand_mask, of an entry that fits.
bool read_mask(const std::uint8_t* mask, const hd::SparseEntry& entry, std::uint32_t length, BitMap* map);

// dst[0..length): the next of `values` where the map has a one, else 0. `values` is read up to kPadding elements past the last.
void expand(const BitMap& map, const float* values, std::uint32_t length, float* dst);

}  // namespace haagenti::sparse
