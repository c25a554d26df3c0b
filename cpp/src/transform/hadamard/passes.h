// The two loops of the Hadamard transform: tiles do the steps inside a run of elements, columns those between rows of elements.
// Not responsible for checking, allocating, threads, nor for which passes make a block (plan.h).
#pragma once

#include <cstdint>

#include "haagenti/base/dtype.h"

namespace haagenti {

// Columns [begin, ...) of the signs of a seed.
struct HadamardSigns {
  enum class When { kNever, kBefore, kAfter };
  When when = When::kNever;
  std::uint32_t seed = 0;
  std::uint64_t begin = 0;
};

// Bytes that a pass asks the L2 cache for while it computes: those that a later pass reads. None of them need exist.
struct Ahead {
  const std::uint8_t* begin = nullptr;
  std::uint64_t n_bytes = 0;
};

// Steps h = 1, 2, ..., 2^(log2_steps - 1) on a run of elements, at most hadamard_tile_log2 of them.
// 2^log2_steps divides n. src and dst are the same or apart.
struct HadamardTiles {
  const void* src;
  DType src_dtype;
  void* dst;
  DType dst_dtype;  // that of src, or the one that is computed in
  std::uint64_t n;
  unsigned log2_steps;
  bool last;     // multiply by scale
  double scale;  // a value of the dtype that is computed in
  HadamardSigns signs;
  bool stream = false;  // write past the caches; then dst is 64-aligned and dst_dtype the one that is computed in
  Ahead ahead = {};
};
void hadamard_tiles(const HadamardTiles& tiles);

// The log2 of the elements on which one tile does all steps, for the instruction set of this machine; dtype: that of the computation.
unsigned hadamard_tile_log2(DType dtype);

// The log2 of the rows that one pass of columns can take.
unsigned hadamard_radix_log2();

// Steps between 2^log2_rows rows that are row_step apart, from the nearest to the farthest, in each group; width columns, a multiple of the
// lanes of a register. src and dst are the same or apart.
struct HadamardColumns {
  const void* src;
  std::uint64_t src_row_step;
  std::uint64_t src_group_step;
  void* dst;
  std::uint64_t dst_row_step;
  std::uint64_t dst_group_step;
  DType dtype;      // that of the computation, and of src
  DType dst_dtype;
  std::uint64_t groups;
  std::uint64_t width;
  unsigned log2_rows;
  bool last;            // multiply by scale; then groups is 1
  double scale;
  HadamardSigns signs;  // after the last step; begin: of row 0, and rows are dst_row_step columns apart
  bool stream = false;  // only when last: write past the caches; then dst and its rows are 64-aligned, dst_dtype is dtype
  Ahead ahead = {};
  std::uint64_t ahead_columns = 0;  // if not 0: asks the L2 cache for the rows of src, so many columns further on
};
void hadamard_columns(const HadamardColumns& columns);

}  // namespace haagenti
