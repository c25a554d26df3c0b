// Blocks of as many lines as a register has lanes, turned between lines and lanes, for the instruction set being compiled.
// Not responsible for transforms.
// No include guard: included once for each target that needs it, which are not all.

#include <algorithm>
#include <cstdint>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace haagenti::HWY_NAMESPACE::any_length {

// The even and the odd parts of kBytes of a and b, interleaved: a0 b0 a2 b2 ... and a1 b1 a3 b3 ...
template <std::size_t kBytes, class D, class V = hn::Vec<D>>
HWY_INLINE void SwapParts([[maybe_unused]] D d, V& a, V& b) {
  V even, odd;
#if HWY_TARGET == HWY_SCALAR
  even = a;  // one lane: never called
  odd = b;
#else
  if constexpr (kBytes == 4) {
    even = hn::InterleaveEven(d, a, b);
    odd = hn::InterleaveOdd(d, a, b);
  } else if constexpr (kBytes == 8) {
    const hn::Repartition<double, D> d64;
    even = hn::BitCast(d, hn::InterleaveEven(d64, hn::BitCast(d64, a), hn::BitCast(d64, b)));
    odd = hn::BitCast(d, hn::InterleaveOdd(d64, hn::BitCast(d64, a), hn::BitCast(d64, b)));
  } else if constexpr (kBytes * 2 == hn::MaxLanes(D()) * sizeof(hn::TFromD<D>)) {
    even = hn::ConcatLowerLower(d, b, a);
    odd = hn::ConcatUpperUpper(d, b, a);
  } else {
    even = hn::OddEvenBlocks(hn::SwapAdjacentBlocks(b), a);
    odd = hn::OddEvenBlocks(b, hn::SwapAdjacentBlocks(a));
  }
#endif
  a = even;
  b = odd;
}

template <std::size_t kStep, class D, class V = hn::Vec<D>>
HWY_INLINE void TransposeSteps(D d, V* rows) {
  constexpr std::size_t kCount = hn::MaxLanes(D());
  if constexpr (kStep < kCount) {
#pragma GCC unroll 16
    for (std::size_t i = 0; i < kCount; ++i) {
      if ((i & kStep) == 0) SwapParts<kStep * sizeof(hn::TFromD<D>)>(d, rows[i], rows[i + kStep]);
    }
    TransposeSteps<2 * kStep>(d, rows);
  }
}

// Elements first .. first + used of n_lines lines to rows of lanes; lanes without a line repeat the last.
template <class T>
HWY_INLINE void BlockToLanes(const T* src, std::size_t src_stride, std::size_t n_lines, std::size_t used, T* dst, std::size_t dst_stride) {
  const LaneTag<T> d;
  constexpr std::size_t kCount = kLanes<T>;
  LaneVec<T> rows[kCount];
  if (n_lines == kCount && used == kCount) {
#pragma GCC unroll 16
    for (std::size_t i = 0; i < kCount; ++i) rows[i] = hn::LoadU(d, src + i * src_stride);
    TransposeSteps<1>(d, rows);
#pragma GCC unroll 16
    for (std::size_t i = 0; i < kCount; ++i) hn::StoreU(rows[i], d, dst + i * dst_stride);
    return;
  }
#pragma GCC unroll 16
  for (std::size_t i = 0; i < kCount; ++i) rows[i] = hn::LoadN(d, src + std::min(i, n_lines - 1) * src_stride, used);
  TransposeSteps<1>(d, rows);
#pragma GCC unroll 16
  for (std::size_t i = 0; i < kCount; ++i) {
    if (i < used) hn::StoreU(rows[i], d, dst + i * dst_stride);
  }
}

template <class T>
HWY_INLINE void BlockFromLanes(const T* src, std::size_t src_stride, T* dst, std::size_t dst_stride, std::size_t n_lines, std::size_t used) {
  const LaneTag<T> d;
  constexpr std::size_t kCount = kLanes<T>;
  LaneVec<T> rows[kCount];
#pragma GCC unroll 16
  for (std::size_t i = 0; i < kCount; ++i) rows[i] = hn::LoadU(d, src + std::min(i, used - 1) * src_stride);
  TransposeSteps<1>(d, rows);
  if (n_lines == kCount && used == kCount) {
#pragma GCC unroll 16
    for (std::size_t i = 0; i < kCount; ++i) hn::StoreU(rows[i], d, dst + i * dst_stride);
    return;
  }
#pragma GCC unroll 16
  for (std::size_t i = 0; i < kCount; ++i) {
    if (i < n_lines) hn::StoreN(rows[i], d, dst + i * dst_stride, used);
  }
}

// Up to kLanes lines of n elements to rows of lanes, and back.
template <class T>
HWY_NOINLINE void LinesToLanes(const T* src, std::size_t src_stride, std::size_t n_lines, std::size_t n, T* dst, std::size_t dst_stride) {
  for (std::size_t i = 0; i < n; i += kLanes<T>) {
    BlockToLanes(src + i, src_stride, n_lines, std::min(kLanes<T>, n - i), dst + i * dst_stride, dst_stride);
  }
}
template <class T>
HWY_NOINLINE void LanesToLines(const T* src, std::size_t src_stride, T* dst, std::size_t dst_stride, std::size_t n_lines, std::size_t n) {
  for (std::size_t i = 0; i < n; i += kLanes<T>) {
    BlockFromLanes(src + i * src_stride, src_stride, dst + i, dst_stride, n_lines, std::min(kLanes<T>, n - i));
  }
}

}  // namespace haagenti::HWY_NAMESPACE::any_length
HWY_AFTER_NAMESPACE();
