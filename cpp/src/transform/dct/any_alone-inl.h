// DCT-II and DCT-III of one line whose Fourier transform is cut, for the instruction set being compiled: lanes hold neighbouring numbers.
// The operations on each element are those of any_lanes-inl.h, so that the bits are.
// Not responsible for lines that are not cut, nor for strides.
// No include guard: included once for each target that needs it, which are not all.

#include <algorithm>
#include <utility>

#include "hwy/highway.h"
#include "transform/dct/plan.h"

HWY_BEFORE_NAMESPACE();
namespace haagenti::HWY_NAMESPACE::any_length {

// Numbers as two arrays.
template <class T>
struct Planar {
  T* re;
  T* im;
  HWY_INLINE LaneComplex<T> Load(std::size_t k) const { return {hn::LoadU(LaneTag<T>(), re + k), hn::LoadU(LaneTag<T>(), im + k)}; }
  HWY_INLINE void Store(std::size_t k, LaneComplex<T> z) const {
    hn::StoreU(z.re, LaneTag<T>(), re + k);
    hn::StoreU(z.im, LaneTag<T>(), im + k);
  }
};

template <class T>
HWY_INLINE LaneComplex<T> LoadComplex(const T* re, const T* im) {
  return {hn::LoadU(LaneTag<T>(), re), hn::LoadU(LaneTag<T>(), im)};
}

// Numbers in the order of the transform from elements of the line, and back.
template <class T>
HWY_NOINLINE void OrderForward(const dct::LinePlan<T>& plan, const T* x, Planar<T> z) {
  const std::size_t n = plan.n, m = plan.m;
  const auto element = [n](std::size_t t) { return 2 * t < n ? 2 * t : 2 * (n - t) - 1; };
  if (!plan.even) {
    for (std::size_t j = 0; j < m; ++j) z.re[j] = x[element(j)];
    std::fill(z.im, z.im + m, T{0});
    return;
  }
  std::size_t j = 0;
  for (; 4 * j + 2 < n; ++j) {
    z.re[j] = x[4 * j];
    z.im[j] = x[4 * j + 2];
  }
  for (; j < m && 4 * j < n; ++j) {
    z.re[j] = x[element(2 * j)];
    z.im[j] = x[element(2 * j + 1)];
  }
  for (; j < m; ++j) {
    z.re[j] = x[2 * n - 4 * j - 1];
    z.im[j] = x[2 * n - 4 * j - 3];
  }
}
template <class T>
HWY_NOINLINE void OrderInverse(const dct::LinePlan<T>& plan, Planar<T> z, T* x) {
  const std::size_t n = plan.n, m = plan.m;
  const auto element = [n](std::size_t t) { return 2 * t < n ? 2 * t : 2 * (n - t) - 1; };
  if (!plan.even) {
    for (std::size_t j = 0; j < m; ++j) x[element(j)] = z.im[j];
    return;
  }
  std::size_t j = 0;
  for (; 4 * j + 2 < n; ++j) {
    x[4 * j] = z.im[j];
    x[4 * j + 2] = z.re[j];
  }
  for (; j < m && 4 * j < n; ++j) {
    x[element(2 * j)] = z.im[j];
    x[element(2 * j + 1)] = z.re[j];
  }
  for (; j < m; ++j) {
    x[2 * n - 4 * j - 1] = z.im[j];
    x[2 * n - 4 * j - 3] = z.re[j];
  }
}

// Begins of runs of `step` that cover [0, count), the last one moved back: its numbers are computed twice.
template <class Body>
HWY_INLINE void OverlappingRuns(std::size_t begin, std::size_t end, std::size_t step, const Body& body) {
  std::size_t i = begin;
  for (; i + step <= end; i += step) body(i);
  if (i < end) body(end - step);
}

// The cut transform of z, in place. between: m numbers. panels: three of the larger of n1 and n2 numbers.
template <class T>
void AloneFft(const dct::LinePlan<T>& plan, Planar<T> z, Planar<T> between, T* panels) {
  constexpr std::size_t kCount = kLanes<T>, kRow = kPanelRow<T>;
  const std::size_t n1 = plan.n1, n2 = plan.n2, larger = std::max(n1, n2);
  T* a = panels;
  T* b = a + larger * kRow;
  T* lines = b + larger * kRow;
  const auto offset = [](Planar<T> p) { return static_cast<std::size_t>(p.im - p.re); };
  OverlappingRuns(0, n2, kCount, [&](std::size_t j2) {
    const PanelOut<T> out = {between.re + j2, n2, offset(between)};
    const TwiddleLanesOut<T> sink = {out, plan.between_re.data() + j2, plan.between_im.data() + j2, n2};
    LaneFft(plan.level1, PanelIn<T>{z.re + j2, n2, offset(z)}, sink, a, b);
  });
  OverlappingRuns(0, n1, kCount, [&](std::size_t k1) {
    LinesToLanes(between.re + k1 * n2, n2, kCount, n2, lines, kRow);
    LinesToLanes(between.im + k1 * n2, n2, kCount, n2, lines + kCount, kRow);
    LaneFft(plan.level2, PanelIn<T>{lines, kRow, kCount}, PanelOut<T>{z.re + k1, n1, offset(z)}, a, b);
  });
}

// RotateForward and RotateInverse, kLanes numbers of one line at a time.
template <class T>
HWY_NOINLINE void AloneRotateForward(const dct::LinePlan<T>& plan, Planar<T> z, T* y) {
  using N = LaneNumbers<T>;
  const LaneTag<T> d;
  constexpr std::size_t kCount = kLanes<T>;
  const std::size_t n = plan.n, m = plan.m;
  const auto at = [&](std::size_t k) { return LaneComplex<T>{hn::Set(d, z.re[k]), hn::Set(d, z.im[k])}; };
  const auto first = hn::Set(d, plan.first);
  const auto put = [&](std::size_t k, LaneVec<T> v) { y[k] = hn::GetLane(v); };
  const LaneComplex<T> z0 = at(0);
  if (!plan.even) {
    put(0, z0.re * first);
    OverlappingRuns(1, m / 2 + 1, kCount, [&](std::size_t k) {
      const LaneComplex<T> pair = steps::dct2_rotate_odd(z.Load(k), LoadComplex(plan.alpha_re.data() + k, plan.alpha_im.data() + k));
      hn::StoreU(pair.re, d, y + k);
      hn::StoreU(hn::Reverse(d, pair.im), d, y + n - k - kCount + 1);
    });
    return;
  }
  put(0, (z0.re + z0.im) * first);
  put(m, (z0.re - z0.im) * first);
  OverlappingRuns(1, (m + 1) / 2, kCount, [&](std::size_t k) {
    const std::size_t back = k + kCount - 1;
    const LaneComplex<T> partner = z.Load(m - back);
    const auto quad = steps::dct2_rotate<N>(z.Load(k), LaneComplex<T>{hn::Reverse(d, partner.re), hn::Reverse(d, partner.im)},
                                            LoadComplex(plan.alpha_re.data() + k, plan.alpha_im.data() + k),
                                            LoadComplex(plan.beta_re.data() + k, plan.beta_im.data() + k));
    hn::StoreU(quad.y_k, d, y + k);
    hn::StoreU(hn::Reverse(d, quad.y_n_k), d, y + n - back);
    hn::StoreU(hn::Reverse(d, quad.y_half_k), d, y + m - back);
    hn::StoreU(quad.y_half_pk, d, y + m + k);
  });
  if (m % 2 == 0) {
    const LaneComplex<T> pair = steps::dct2_rotate_middle(at(m / 2), Alpha(plan, m / 2));
    put(m / 2, pair.re);
    put(n - m / 2, pair.im);
  }
}

template <class T>
HWY_NOINLINE void AloneRotateInverse(const dct::LinePlan<T>& plan, const T* y, Planar<T> z) {
  using N = LaneNumbers<T>;
  const LaneTag<T> d;
  constexpr std::size_t kCount = kLanes<T>;
  const std::size_t n = plan.n, m = plan.m;
  const auto at = [&](std::size_t k) { return hn::Set(d, y[k]); };
  const auto reversed = [&](std::size_t last) { return hn::Reverse(d, hn::LoadU(d, y + last)); };
  const auto first = hn::Set(d, plan.first);
  const auto put = [&](std::size_t k, LaneComplex<T> v) {
    z.re[k] = hn::GetLane(v.im);
    z.im[k] = hn::GetLane(v.re);
  };
  if (!plan.even) {
    put(0, {at(0) * first, hn::Zero(d)});
    OverlappingRuns(1, m / 2 + 1, kCount, [&](std::size_t k) {
      const std::size_t back = k + kCount - 1;
      const LaneComplex<T> factor = LoadComplex(plan.alpha_re.data() + k, plan.alpha_im.data() + k);
      const LaneComplex<T> value = steps::dct3_rotate_odd<N>(hn::LoadU(d, y + k), reversed(n - back), factor);
      z.Store(k, {value.im, value.re});
      z.Store(n - back, {hn::Reverse(d, hn::Neg(value.im)), hn::Reverse(d, value.re)});
    });
    return;
  }
  put(0, {(at(0) + at(m)) * first, (at(0) - at(m)) * first});
  OverlappingRuns(1, (m + 1) / 2, kCount, [&](std::size_t k) {
    const std::size_t back = k + kCount - 1;
    const auto pair = steps::dct3_rotate<N>(steps::Quad<LaneVec<T>>{hn::LoadU(d, y + k), reversed(n - back), reversed(m - back), hn::LoadU(d, y + m + k)},
                                            LoadComplex(plan.alpha_re.data() + k, plan.alpha_im.data() + k),
                                            LoadComplex(plan.beta_re.data() + k, plan.beta_im.data() + k));
    z.Store(k, {pair.z_k.im, pair.z_k.re});
    z.Store(m - back, {hn::Reverse(d, pair.z_half_k.im), hn::Reverse(d, pair.z_half_k.re)});
  });
  if (m % 2 == 0) put(m / 2, steps::dct3_rotate_middle(at(m / 2), at(n - m / 2), Alpha(plan, m / 2)));
}

// dst may be src. scratch: 4 m numbers and three panels of the larger of n1 and n2.
template <class T>
void AloneForward(const dct::LinePlan<T>& plan, const T* src, T* dst, T* scratch) {
  const std::size_t m = plan.m;
  const Planar<T> z = {scratch, scratch + m}, between = {scratch + 2 * m, scratch + 3 * m};
  OrderForward(plan, src, z);
  AloneFft(plan, z, between, scratch + 4 * m);
  AloneRotateForward(plan, z, dst);
}
template <class T>
void AloneInverse(const dct::LinePlan<T>& plan, const T* src, T* dst, T* scratch) {
  const std::size_t m = plan.m;
  const Planar<T> z = {scratch, scratch + m}, between = {scratch + 2 * m, scratch + 3 * m};
  AloneRotateInverse(plan, src, z);
  AloneFft(plan, z, between, scratch + 4 * m);
  OrderInverse(plan, z, dst);
}

}  // namespace haagenti::HWY_NAMESPACE::any_length
HWY_AFTER_NAMESPACE();
