// Where the elements of a line are read from and written to: vectors apart by a stride, or rows that are turned on the way. For the instruction set being
// compiled.
// Not responsible for the arithmetic (small_lines-inl.h).
// No include guard: included once for each target that needs it, which are not all.

#include <cstddef>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace haagenti::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class D>
constexpr int kBlock = 16 / sizeof(hn::TFromD<D>);  // elements of 128 bits

// Element i of the lines is the vector from i * stride on.
template <class T>
struct Straight {
  template <class D>
  static constexpr int kStep = 2;  // elements at a time: more fill the registers
  T* at;
  std::size_t stride;

  template <int n, class D, class V = hn::Vec<D>>
  HWY_INLINE void Load(D d, std::size_t i, V* v) const {
    for (int r = 0; r < n; ++r) v[r] = hn::LoadU(d, at + (i + r) * stride);
  }
  template <int n, class D, class V = hn::Vec<D>>
  HWY_INLINE void Store(D d, const V* v, std::size_t i) const {
    for (int r = 0; r < n; ++r) hn::StoreU(v[r], d, at + (i + r) * stride);
  }
};

#if HWY_TARGET != HWY_SCALAR

template <class D>
using BlockTag = hn::CappedTag<hn::TFromD<D>, kBlock<D>>;

// Lanes [b * kBlock, (b + 1) * kBlock) from src + b * stride.
template <class D, class T = hn::TFromD<D>>
HWY_INLINE hn::Vec<D> LoadBlocks(D d, const T* src, std::size_t stride) {
  const BlockTag<D> block;
  if constexpr (hn::MaxLanes(d) == kBlock<D>) {
    return hn::LoadU(d, src);
  } else {
    const auto low = hn::ResizeBitCast(d, hn::LoadU(block, src));
    auto v = hn::InsertBlock<1>(low, hn::LoadU(block, src + stride));
    if constexpr (hn::MaxLanes(d) == 4 * kBlock<D>) {
      v = hn::InsertBlock<2>(v, hn::LoadU(block, src + 2 * stride));
      v = hn::InsertBlock<3>(v, hn::LoadU(block, src + 3 * stride));
    }
    return v;
  }
}

template <class D, class T = hn::TFromD<D>>
HWY_INLINE void StoreBlocks(D d, hn::Vec<D> v, T* dst, std::size_t stride) {
  const BlockTag<D> block;
  if constexpr (hn::MaxLanes(d) == kBlock<D>) {
    hn::StoreU(v, d, dst);
  } else {
    hn::StoreU(hn::ExtractBlock<0>(v), block, dst);
    hn::StoreU(hn::ExtractBlock<1>(v), block, dst + stride);
    if constexpr (hn::MaxLanes(d) == 4 * kBlock<D>) {
      hn::StoreU(hn::ExtractBlock<2>(v), block, dst + 2 * stride);
      hn::StoreU(hn::ExtractBlock<3>(v), block, dst + 3 * stride);
    }
  }
}

// Transposes the square matrix in block b of kBlock registers, for every b.
template <class D, class V = hn::Vec<D>>
HWY_INLINE void TransposeBlocks(D d, V* v) {
  if constexpr (kBlock<D> == 2) {
    const V upper = hn::InterleaveUpper(d, v[0], v[1]);
    v[0] = hn::InterleaveLower(d, v[0], v[1]);
    v[1] = upper;
  } else {
    const hn::Repartition<double, D> wide;
    const auto a = hn::BitCast(wide, hn::InterleaveLower(d, v[0], v[1]));
    const auto b = hn::BitCast(wide, hn::InterleaveLower(d, v[2], v[3]));
    const auto e = hn::BitCast(wide, hn::InterleaveUpper(d, v[0], v[1]));
    const auto f = hn::BitCast(wide, hn::InterleaveUpper(d, v[2], v[3]));
    v[0] = hn::BitCast(d, hn::InterleaveLower(wide, a, b));
    v[1] = hn::BitCast(d, hn::InterleaveUpper(wide, a, b));
    v[2] = hn::BitCast(d, hn::InterleaveLower(wide, e, f));
    v[3] = hn::BitCast(d, hn::InterleaveUpper(wide, e, f));
  }
}

// Lines are rows, `stride` apart, transposed on the way, kBlock elements at a time.
// Two words, as Straight: three would be passed in memory, which the first loads would wait for.
template <class T>
struct Turned {
  template <class D>
  static constexpr int kStep = kBlock<D>;
  T* at;
  std::size_t stride;

  template <int n, class D, class V = hn::Vec<D>>
  HWY_INLINE void Load(D d, std::size_t i, V* v) const {
    static_assert(n == kBlock<D>);
    for (int r = 0; r < n; ++r) v[r] = LoadBlocks(d, at + i + r * stride, n * stride);
    TransposeBlocks(d, v);
  }
  template <int n, class D, class V = hn::Vec<D>>
  HWY_INLINE void Store(D d, V* v, std::size_t i) const {
    static_assert(n == kBlock<D>);
    TransposeBlocks(d, v);
    for (int r = 0; r < n; ++r) StoreBlocks(d, v[r], at + i + r * stride, n * stride);
  }
};

// Lines are columns of panels, `stride` apart: in a panel, the lanes of one vector are as many elements of one line.
template <class T>
struct Panels {
  template <class D>
  static constexpr int kStep = kBlock<D>;
  T* at;
  std::size_t stride;

  template <int n, class D, class V = hn::Vec<D>>
  HWY_INLINE void Load(D d, std::size_t i, V* v) const {
    constexpr std::size_t kLanes = hn::MaxLanes(d);
    Turned<T>{at + i / kLanes * stride, kLanes}.template Load<n>(d, i % kLanes, v);
  }
};

#endif  // HWY_TARGET != HWY_SCALAR

}  // namespace haagenti::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
