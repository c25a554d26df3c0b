// Orthonormal DCT-II and DCT-III of lines of 1, 2, 4, ..., 256 elements, in registers that hold the same element of several lines.
// Not responsible for other lengths, types or arguments that do not fit. Order of operations: ../spec.md, "Lines of 1 to 256".
//
// The bits of a line depend neither on which function computed it, nor on the number of lines, nor on the instruction set. T is float or double. Strides are in
// elements. src and dst are the same with equal strides, or do not overlap.
#pragma once

#include <bit>
#include <cstdint>

#include "haagenti/transform/dct.h"

namespace haagenti::dct {

inline constexpr std::uint64_t kMaxSmall = 256;

constexpr bool is_small(std::uint64_t n) { return n <= kMaxSmall && std::has_single_bit(n); }

// Line r is the n elements from src + r * src_stride on.
template <class T>
void small_rows(DctType type, const T* src, std::uint64_t src_stride, T* dst, std::uint64_t dst_stride, std::uint64_t n_lines, std::uint64_t n);

// Element i of line c is src[i * src_stride + c].
template <class T>
void small_cols(DctType type, const T* src, std::uint64_t src_stride, T* dst, std::uint64_t dst_stride, std::uint64_t n, std::uint64_t n_cols);

// Both axes of a tile: DCT-II along rows, then along columns; DCT-III along columns, then along rows.
template <class T>
void small_tile(DctType type, const T* src, std::uint64_t src_stride, T* dst, std::uint64_t dst_stride, std::uint64_t rows, std::uint64_t cols);

}  // namespace haagenti::dct
