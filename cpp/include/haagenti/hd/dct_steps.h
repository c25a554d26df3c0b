// Orthonormal DCT-II and DCT-III of one line of 2^t numbers: splits, rotations and merges.
// Not responsible for arrays nor for making tables. Order of operations: cpp/src/transform/spec.md, "Lines of 1 to 256".
//
// A table of factor f for DCT-IVs of m = 2, 4, 8, ... holds at index m + 2 j, j < m / 2:  f cos((2 j + 1) pi / (4 m)),  and behind it f times the sine.
//   plain   f = 1; [1] is sqrt(1 / 2)
//   tw      of the whole line's length n: f = sqrt(2 / n); [1] is sqrt(1 / n)
//
// Source: G. Plonka, M. Tasche, "Fast and numerically stable algorithms for discrete cosine transforms", 2005: the splits of DCT-II into DCT-II and DCT-IV and
// of DCT-IV into rotations and two DCT-II.
#pragma once

#include "haagenti/hd/macros.h"

namespace haagenti::hd {

#define HGT_DCT_FN HGT_HD
#include "haagenti/hd/dct_steps.inc"
#undef HGT_DCT_FN

}  // namespace haagenti::hd
