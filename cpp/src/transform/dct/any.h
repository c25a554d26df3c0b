// DCT-II and DCT-III of lines of any length that has no straight-line kernel (small.h).
// Not responsible for threads, dtypes or arrays: dct.cpp.
//
// The bits of a line depend on its length, type and T alone.
#pragma once

#include <cstdint>

#include "haagenti/transform/dct.h"

namespace haagenti::dct {

// Contiguous lines; dst may be src.
template <class T>
void any_rows(DctType type, const T* src, std::uint64_t src_stride, T* dst, std::uint64_t dst_stride, std::uint64_t n_lines, std::uint64_t n);

// Element i of line c at i stride + c; dst may be src.
template <class T>
void any_cols(DctType type, const T* src, std::uint64_t src_stride, T* dst, std::uint64_t dst_stride, std::uint64_t n, std::uint64_t n_cols);

}  // namespace haagenti::dct
