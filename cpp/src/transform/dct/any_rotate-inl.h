// The rotations between Fourier and cosine transforms of several lines, one line a lane, for the instruction set being compiled.
// Not responsible for the Fourier transforms: numbers come and go in the groups that one butterfly, or one part of a cut transform, holds.
//
// Group g of `groups` is the numbers g, g + groups, ..., `count` of them. A rotation takes numbers k and m - k: those of the groups g and
// groups - g, in opposite order.
// No include guard: included once for each target that needs it, which are not all.

#include "hwy/highway.h"
#include "transform/dct/fft-inl.h"
#include "transform/dct/plan.h"

HWY_BEFORE_NAMESPACE();
namespace haagenti::HWY_NAMESPACE::any_length {

// Rows of the line, a register each.
template <class T>
struct LineIn {
  const T* base;
  std::size_t stride;
  HWY_INLINE LaneVec<T> operator()(std::size_t i) const { return hn::LoadU(LaneTag<T>(), base + i * stride); }
};
template <class T>
struct LineOut {
  T* base;
  std::size_t stride;
  HWY_INLINE void operator()(std::size_t i, LaneVec<T> y) const { hn::StoreU(y, LaneTag<T>(), base + i * stride); }
};

template <class T>
HWY_INLINE LaneComplex<T> Alpha(const dct::LinePlan<T>& plan, std::size_t k) {
  return Broadcast(plan.alpha_re[k], plan.alpha_im[k]);
}
template <class T>
HWY_INLINE LaneComplex<T> Beta(const dct::LinePlan<T>& plan, std::size_t k) {
  return Broadcast(plan.beta_re[k], plan.beta_im[k]);
}

// The Fourier transform's numbers k and m - k, 0 < k < m / 2, to the cosine transform's.
template <class T>
HWY_INLINE void Rotate(const dct::LinePlan<T>& plan, std::size_t k, LaneComplex<T> z_k, LaneComplex<T> z_half_k, const LineOut<T>& y) {
  const std::size_t n = plan.n, m = plan.m;
  const auto quad = steps::dct2_rotate<LaneNumbers<T>>(z_k, z_half_k, Alpha(plan, k), Beta(plan, k));
  y(k, quad.y_k);
  y(n - k, quad.y_n_k);
  y(m - k, quad.y_half_k);
  y(m + k, quad.y_half_pk);
}

// Group g, whose numbers decide outputs alone since n is odd.
template <class T, class A>
HWY_INLINE void RotateOdd(const dct::LinePlan<T>& plan, std::size_t g, std::size_t groups, std::size_t count, const A& a, const LineOut<T>& y) {
  const std::size_t n = plan.n;
  if (g == 0) y(0, a(0).re * hn::Set(LaneTag<T>(), plan.first));
  for (std::size_t i = g == 0 ? 1 : 0, k = g + i * groups; i < count && 2 * k < n; ++i, k += groups) {
    const LaneComplex<T> pair = steps::dct2_rotate_odd(a(i), Alpha(plan, k));
    y(k, pair.re);
    y(n - k, pair.im);
  }
}

// Group 0 or groups / 2, its own partner.
template <class T, class A>
HWY_INLINE void RotateSelf(const dct::LinePlan<T>& plan, std::size_t g, std::size_t groups, std::size_t count, const A& a, const LineOut<T>& y) {
  if (!plan.even) return RotateOdd(plan, g, groups, count, a, y);
  const std::size_t m = plan.m, sum = g == 0 ? count : count - 1;  // number i pairs with sum - i
  if (g == 0) {
    const auto first = hn::Set(LaneTag<T>(), plan.first);
    const LaneComplex<T> z0 = a(0);
    y(0, (z0.re + z0.im) * first);
    y(m, (z0.re - z0.im) * first);
  }
  for (std::size_t i = g == 0 ? 1 : 0; 2 * i < sum; ++i) Rotate<T>(plan, g + i * groups, a(i), a(sum - i), y);
  if (sum % 2 == 0) {
    const LaneComplex<T> pair = steps::dct2_rotate_middle(a(sum / 2), Alpha(plan, m / 2));
    y(m / 2, pair.re);
    y(plan.n - m / 2, pair.im);
  }
}

// Groups g and groups - g, 0 < g < groups / 2.
template <class T, class A>
HWY_INLINE void RotateTwo(const dct::LinePlan<T>& plan, std::size_t g, std::size_t groups, std::size_t count, const A& a, const A& b,
                          const LineOut<T>& y) {
  if (!plan.even) {
    RotateOdd(plan, g, groups, count, a, y);
    return RotateOdd(plan, groups - g, groups, count, b, y);
  }
  for (std::size_t i = 0; i < (count + 1) / 2; ++i) Rotate<T>(plan, g + i * groups, a(i), b(count - 1 - i), y);
  for (std::size_t i = 0; i < count / 2; ++i) Rotate<T>(plan, groups - g + i * groups, b(i), a(count - 1 - i), y);
}

// The inverses. Real and imaginary parts change places, so that the transform after them is the inverse one.
template <class T>
HWY_INLINE LaneComplex<T> Swapped(LaneComplex<T> z) {
  return {z.im, z.re};
}
template <class T>
HWY_INLINE steps::Pair<LaneVec<T>> Unrotate(const dct::LinePlan<T>& plan, std::size_t k, const LineIn<T>& y) {
  const std::size_t n = plan.n, m = plan.m;
  const auto pair = steps::dct3_rotate<LaneNumbers<T>>({y(k), y(n - k), y(m - k), y(m + k)}, Alpha(plan, k), Beta(plan, k));
  return {Swapped<T>(pair.z_k), Swapped<T>(pair.z_half_k)};
}

template <class T, class A>
HWY_INLINE void UnrotateOdd(const dct::LinePlan<T>& plan, std::size_t g, std::size_t groups, std::size_t count, const LineIn<T>& y, const A& a) {
  const LaneTag<T> d;
  const std::size_t n = plan.n;
  if (g == 0) a(0, {hn::Zero(d), y(0) * hn::Set(d, plan.first)});
  for (std::size_t i = g == 0 ? 1 : 0; i < count; ++i) {
    const std::size_t number = g + i * groups, k = 2 * number < n ? number : n - number;
    const LaneComplex<T> z = steps::dct3_rotate_odd<LaneNumbers<T>>(y(k), y(n - k), Alpha(plan, k));
    a(i, {k == number ? z.im : hn::Neg(z.im), z.re});
  }
}

template <class T, class A>
HWY_INLINE void UnrotateSelf(const dct::LinePlan<T>& plan, std::size_t g, std::size_t groups, std::size_t count, const LineIn<T>& y, const A& a) {
  if (!plan.even) return UnrotateOdd(plan, g, groups, count, y, a);
  const std::size_t m = plan.m, sum = g == 0 ? count : count - 1;
  if (g == 0) {
    const auto first = hn::Set(LaneTag<T>(), plan.first);
    const auto y0 = y(0), ym = y(m);
    a(0, {(y0 - ym) * first, (y0 + ym) * first});
  }
  for (std::size_t i = g == 0 ? 1 : 0; 2 * i < sum; ++i) {
    const auto pair = Unrotate<T>(plan, g + i * groups, y);
    a(i, pair.z_k);
    a(sum - i, pair.z_half_k);
  }
  if (sum % 2 == 0) a(sum / 2, Swapped<T>(steps::dct3_rotate_middle(y(m / 2), y(plan.n - m / 2), Alpha(plan, m / 2))));
}

template <class T, class A>
HWY_INLINE void UnrotateTwo(const dct::LinePlan<T>& plan, std::size_t g, std::size_t groups, std::size_t count, const LineIn<T>& y, const A& a,
                            const A& b) {
  if (!plan.even) {
    UnrotateOdd(plan, g, groups, count, y, a);
    return UnrotateOdd(plan, groups - g, groups, count, y, b);
  }
  for (std::size_t i = 0; i < (count + 1) / 2; ++i) {
    const auto pair = Unrotate<T>(plan, g + i * groups, y);
    a(i, pair.z_k);
    b(count - 1 - i, pair.z_half_k);
  }
  for (std::size_t i = 0; i < count / 2; ++i) {
    const auto pair = Unrotate<T>(plan, groups - g + i * groups, y);
    b(i, pair.z_k);
    a(count - 1 - i, pair.z_half_k);
  }
}

}  // namespace haagenti::HWY_NAMESPACE::any_length
HWY_AFTER_NAMESPACE();
