// Blocks of as many lines as a register has lanes, turned between lines and lanes, for the instruction set being compiled.
// Not responsible for transforms.
// No include guard: included once for each target that needs it, which are not all.

#include <algorithm>
#include <cstdint>

#include "hwy/cache_control.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace haagenti::HWY_NAMESPACE::any_length {

constexpr std::size_t kPrefetchLines = 128;  // elements ahead

// The blocks of 16 bytes at `at`, at + step, ... in a register.
template <class T>
HWY_INLINE LaneVec<T> LoadBlocks(const T* at, std::size_t step) {
  const hn::CappedTag<T, 16 / sizeof(T)> d_block;
  const LaneTag<T> d;
  LaneVec<T> v = hn::ResizeBitCast(d, hn::LoadU(d_block, at));
#if HWY_MAX_BYTES >= 32 && !HWY_HAVE_SCALABLE
  if constexpr (hn::MaxLanes(d) * sizeof(T) >= 32) v = hn::InsertBlock<1>(v, hn::LoadU(d_block, at + step));
  if constexpr (hn::MaxLanes(d) * sizeof(T) >= 64) {
    v = hn::InsertBlock<2>(v, hn::LoadU(d_block, at + 2 * step));
    v = hn::InsertBlock<3>(v, hn::LoadU(d_block, at + 3 * step));
  }
#endif
  return v;
}

// The squares of 4 x 4 or 2 x 2 elements in each block of 16 bytes.
template <class D, class V = hn::Vec<D>>
HWY_INLINE void TransposeInBlocks(D d, V* rows) {
#if HWY_TARGET != HWY_SCALAR
  if constexpr (sizeof(hn::TFromD<D>) == 8) {
    const V lower = hn::InterleaveLower(d, rows[0], rows[1]);
    rows[1] = hn::InterleaveUpper(d, rows[0], rows[1]);
    rows[0] = lower;
  } else {
    const hn::Repartition<double, D> d64;
    const auto low01 = hn::BitCast(d64, hn::InterleaveLower(d, rows[0], rows[1])), low23 = hn::BitCast(d64, hn::InterleaveLower(d, rows[2], rows[3]));
    const auto high01 = hn::BitCast(d64, hn::InterleaveUpper(d, rows[0], rows[1])), high23 = hn::BitCast(d64, hn::InterleaveUpper(d, rows[2], rows[3]));
    rows[0] = hn::BitCast(d, hn::InterleaveLower(d64, low01, low23));
    rows[1] = hn::BitCast(d, hn::InterleaveUpper(d64, low01, low23));
    rows[2] = hn::BitCast(d, hn::InterleaveLower(d64, high01, high23));
    rows[3] = hn::BitCast(d, hn::InterleaveUpper(d64, high01, high23));
  }
#endif
}

// A square of kLanes rows and columns. Blocks of 16 bytes are put in place by the loads, elements within them by interleaving.
template <class T>
HWY_INLINE void TransposeSquare(const T* src, [[maybe_unused]] std::size_t src_stride, T* dst, [[maybe_unused]] std::size_t dst_stride) {
  const LaneTag<T> d;
#if HWY_TARGET == HWY_SCALAR
  hn::StoreU(hn::LoadU(d, src), d, dst);
#else
  constexpr std::size_t kEach = 16 / sizeof(T);  // elements of a block
#pragma GCC unroll 8
  for (std::size_t q = 0; q < kLanes<T>; q += kEach) {
    LaneVec<T> rows[kEach];
#pragma GCC unroll 4
    for (std::size_t i = 0; i < kEach; ++i) rows[i] = LoadBlocks(src + i * src_stride + q, kEach * src_stride);
    TransposeInBlocks(d, rows);
#pragma GCC unroll 4
    for (std::size_t i = 0; i < kEach; ++i) hn::StoreU(rows[i], d, dst + (q + i) * dst_stride);
  }
#endif
}

// A square of which n_rows rows of n_cols elements are there; the result has n_cols rows of n_out elements.
template <class T>
HWY_NOINLINE void TransposePart(const T* src, std::size_t src_stride, std::size_t n_rows, std::size_t n_cols, T* dst, std::size_t dst_stride,
                                std::size_t n_out) {
  const LaneTag<T> d;
  constexpr std::size_t kCount = kLanes<T>;
  HWY_ALIGN T from[kCount * kCount];
  HWY_ALIGN T to[kCount * kCount];
  for (std::size_t i = 0; i < kCount; ++i) hn::Store(hn::LoadN(d, src + std::min(i, n_rows - 1) * src_stride, n_cols), d, from + i * kCount);
  TransposeSquare(from, kCount, to, kCount);
  for (std::size_t i = 0; i < n_cols; ++i) hn::StoreN(hn::Load(d, to + i * kCount), d, dst + i * dst_stride, n_out);
}

// Elements first .. first + used of n_lines lines to rows of lanes; lanes without a line repeat the last.
template <class T>
HWY_INLINE void BlockToLanes(const T* src, std::size_t src_stride, std::size_t n_lines, std::size_t used, T* dst, std::size_t dst_stride) {
  constexpr std::size_t kCount = kLanes<T>;
  if (n_lines == kCount && used == kCount) return TransposeSquare(src, src_stride, dst, dst_stride);
  TransposePart(src, src_stride, n_lines, used, dst, dst_stride, kCount);
}

template <class T>
HWY_INLINE void BlockFromLanes(const T* src, std::size_t src_stride, T* dst, std::size_t dst_stride, std::size_t n_lines, std::size_t used) {
  constexpr std::size_t kCount = kLanes<T>;
  if (n_lines == kCount && used == kCount) return TransposeSquare(src, src_stride, dst, dst_stride);
  TransposePart(src, src_stride, used, n_lines, dst, dst_stride, used);
}

// Ahead of an access to n_lines lines.
template <class T>
HWY_INLINE void PrefetchLines(const T* at, std::size_t stride, std::size_t n_lines) {
  for (std::size_t l = 0; l < n_lines; ++l) hwy::Prefetch(at + l * stride);
}

// Up to kLanes lines of n elements to rows of lanes, and back.
template <class T>
HWY_NOINLINE void LinesToLanes(const T* src, std::size_t src_stride, std::size_t n_lines, std::size_t n, T* dst, std::size_t dst_stride) {
  for (std::size_t i = 0; i < n; i += kLanes<T>) {
    if (i + kPrefetchLines < n) PrefetchLines(src + i + kPrefetchLines, src_stride, n_lines);
    BlockToLanes(src + i, src_stride, n_lines, std::min(kLanes<T>, n - i), dst + i * dst_stride, dst_stride);
  }
}
template <class T>
HWY_NOINLINE void LanesToLines(const T* src, std::size_t src_stride, T* dst, std::size_t dst_stride, std::size_t n_lines, std::size_t n) {
  for (std::size_t i = 0; i < n; i += kLanes<T>) {
    if (i + kPrefetchLines < n) PrefetchLines(dst + i + kPrefetchLines, dst_stride, n_lines);
    BlockFromLanes(src + i * src_stride, src_stride, dst + i, dst_stride, n_lines, std::min(kLanes<T>, n - i));
  }
}

}  // namespace haagenti::HWY_NAMESPACE::any_length
HWY_AFTER_NAMESPACE();
