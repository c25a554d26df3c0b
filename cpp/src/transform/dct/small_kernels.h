// What small.cpp, which chooses the instruction set, hands to small_f32.cpp and small_f64.cpp.
// Not responsible for the callers' interface (small.h).
#pragma once

#include <cstddef>
#include <cstdint>

#include "transform/dct/small.h"
#include "transform/dct/small_tables.h"

namespace haagenti::dct {

// rows x cols elements; the arguments of small.h.
template <class T>
struct SmallCall {
  DctType type;
  const T* src;
  std::uint64_t src_stride;
  T* dst;
  std::uint64_t dst_stride;
  std::uint64_t rows;
  std::uint64_t cols;
};

// Elements between the rows of a tile between its two axes: no power of two, whose columns would share few sets of the cache.
constexpr std::size_t scratch_stride(std::uint64_t cols) { return static_cast<std::size_t>(cols) + 16; }

// Elements between panels of `lanes` rows of a tile, in the same memory.
constexpr std::size_t panel_stride(std::uint64_t cols, std::size_t lanes) { return static_cast<std::size_t>(cols + 1) * lanes; }

void rows_f32(const SmallCall<float>& call);
void cols_f32(const SmallCall<float>& call);
void tile_f32(const SmallCall<float>& call, float* scratch);
void rows_f64(const SmallCall<double>& call);
void cols_f64(const SmallCall<double>& call);
void tile_f64(const SmallCall<double>& call, double* scratch);

}  // namespace haagenti::dct
