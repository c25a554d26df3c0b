// Orthonormal cosine transforms (DCT-II and its inverse DCT-III) along an axis, of planes and of tiles; any length.
//
//   DCT-II   y[k] = s(k) sum_j x[j] cos(pi k (2j + 1) / (2n)),   s(0) = sqrt(1 / n), s(k) = sqrt(2 / n)      (N. Ahmed et al., 1974)
//   DCT-III  x[j] = sum_k s(k) y[k] cos(pi k (2j + 1) / (2n))
//
// One order of operations an element, without fused multiply-adds: the same bits for every instruction set, thread count and number of lines.
// Not responsible for strides of whole arrays (the package makes them C-contiguous), nor for other norms.
#pragma once

#include <cstdint>

#include "haagenti/base/dtype.h"
#include "haagenti/transform/poll.h"

namespace haagenti {

enum class DctType { k2 = 2, k3 = 3 };

// Elements as bytes: F32 and F64 are computed as such, F16 and BF16 in binary32. `src` and `dst` are the same array or do not overlap.
struct DctArrays {
  DType dtype;
  const std::uint8_t* src;
  std::uint8_t* dst;
};

// C-contiguous (outer, n, inner), along the middle axis. Throws InvalidArgument for another dtype.
void dct_axis(DctType type, const DctArrays& arrays, std::uint64_t outer, std::uint64_t n, std::uint64_t inner, const Poll& poll = {});

// C-contiguous (batch, rows, cols), along both of the last axes.
void dct_planes(DctType type, const DctArrays& arrays, std::uint64_t batch, std::uint64_t rows, std::uint64_t cols, const Poll& poll = {});

// A matrix of rows `stride` elements apart, cut into tiles of block_rows x block_cols from its first element on; the last tiles of a row or
// column are smaller. Each tile along both axes.
struct TileGrid {
  std::uint64_t rows;
  std::uint64_t cols;
  std::uint64_t src_stride;
  std::uint64_t dst_stride;
  std::uint64_t block_rows;
  std::uint64_t block_cols;
};
void dct_tiles(DctType type, const DctArrays& arrays, const TileGrid& grid, const Poll& poll = {});

// Rows of n elements, `stride` elements apart, in place.
void dct_rows_f32(DctType type, float* data, std::uint64_t stride, std::uint64_t n_rows, std::uint64_t n);

}  // namespace haagenti
