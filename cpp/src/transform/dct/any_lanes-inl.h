// DCT-II and DCT-III of several lines at once, one line a lane, for the instruction set being compiled.
// Not responsible for gathering the lines: element i of the lanes is a register at src + i src_stride.
// No include guard: included once for each target that needs it, which are not all.

#include "hwy/highway.h"
#include "transform/dct/fft-inl.h"
#include "transform/dct/plan.h"

HWY_BEFORE_NAMESPACE();
namespace haagenti::HWY_NAMESPACE::any_length {

template <class T>
constexpr std::size_t kPanelRow = 2 * kLanes<T>;

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

// The Fourier transform's numbers to the cosine transform's.
template <class T>
HWY_NOINLINE void RotateForward(const dct::LinePlan<T>& plan, PanelIn<T> z, LineOut<T> y) {
  using N = LaneNumbers<T>;
  const std::size_t n = plan.n, m = plan.m;
  const auto first = hn::Set(LaneTag<T>(), plan.first);
  const LaneComplex<T> z0 = z(0);
  if (!plan.even) {
    y(0, z0.re * first);
    for (std::size_t k = 1; k <= m / 2; ++k) {
      const LaneComplex<T> pair = steps::dct2_rotate_odd(z(k), Alpha(plan, k));
      y(k, pair.re);
      y(n - k, pair.im);
    }
    return;
  }
  y(0, (z0.re + z0.im) * first);
  y(m, (z0.re - z0.im) * first);
  for (std::size_t k = 1; 2 * k < m; ++k) {
    const auto quad = steps::dct2_rotate<N>(z(k), z(m - k), Alpha(plan, k), Beta(plan, k));
    y(k, quad.y_k);
    y(n - k, quad.y_n_k);
    y(m - k, quad.y_half_k);
    y(m + k, quad.y_half_pk);
  }
  if (m % 2 == 0) {
    const LaneComplex<T> pair = steps::dct2_rotate_middle(z(m / 2), Alpha(plan, m / 2));
    y(m / 2, pair.re);
    y(n - m / 2, pair.im);
  }
}

// The inverse; real and imaginary parts change places, so that the transform after it is the inverse one.
template <class T>
HWY_NOINLINE void RotateInverse(const dct::LinePlan<T>& plan, LineIn<T> y, PanelOut<T> z) {
  using N = LaneNumbers<T>;
  const LaneTag<T> d;
  const std::size_t n = plan.n, m = plan.m;
  const auto first = hn::Set(d, plan.first);
  const auto put = [&](std::size_t k, LaneComplex<T> value) { z(k, {value.im, value.re}); };
  if (!plan.even) {
    put(0, {y(0) * first, hn::Zero(d)});
    for (std::size_t k = 1; k <= m / 2; ++k) {
      const LaneComplex<T> value = steps::dct3_rotate_odd<N>(y(k), y(n - k), Alpha(plan, k));
      put(k, value);
      put(n - k, {value.re, hn::Neg(value.im)});
    }
    return;
  }
  const auto y0 = y(0), ym = y(m);
  put(0, {(y0 + ym) * first, (y0 - ym) * first});
  for (std::size_t k = 1; 2 * k < m; ++k) {
    const auto pair = steps::dct3_rotate<N>({y(k), y(n - k), y(m - k), y(m + k)}, Alpha(plan, k), Beta(plan, k));
    put(k, pair.z_k);
    put(m - k, pair.z_half_k);
  }
  if (m % 2 == 0) put(m / 2, steps::dct3_rotate_middle(y(m / 2), y(n - m / 2), Alpha(plan, m / 2)));
}

// Scratch in elements: three panels of the plan's m numbers.
inline std::size_t LanesScratch(std::size_t m, std::size_t lanes) { return 3 * m * 2 * lanes; }

// source(j2, n2): the source of the numbers j2, j2 + n2, ...; sink(k1, n1) likewise.
template <class T, class Source, class Sink>
HWY_INLINE void CutFft(const dct::LinePlan<T>& plan, const Source& source, const Sink& sink, T* between, T* a, T* b) {
  constexpr std::size_t kRow = kPanelRow<T>;
  const std::size_t n1 = plan.n1, n2 = plan.n2;
  for (std::size_t j2 = 0; j2 < n2; ++j2) {
    const PanelOut<T> out = {between + j2 * kRow, n2 * kRow, kLanes<T>};
    LaneFft<false>(plan.level1, source(j2, n2), TwiddleOut<T>{out, plan.between_re.data() + j2, plan.between_im.data() + j2, n2}, a, b);
  }
  for (std::size_t k1 = 0; k1 < n1; ++k1) {
    LaneFft<false>(plan.level2, PanelIn<T>{between + k1 * n2 * kRow, kRow, kLanes<T>}, sink(k1, n1), a, b);
  }
}

// z: the panel that the source reads (kReadsZ) or the sink writes. a: another; behind it, where the plan is cut, two of n1 or n2 numbers.
template <bool kReadsZ, class T, class Source, class Sink>
HWY_INLINE void PlanFft(const dct::LinePlan<T>& plan, const Source& source, const Sink& sink, T* a, T* z) {
  if (plan.n2 > 1) {
    constexpr std::size_t kRow = kPanelRow<T>;
    T* parts = a + plan.m * kRow;
    CutFft(plan, source, sink, a, parts, parts + (plan.n1 > plan.n2 ? plan.n1 : plan.n2) * kRow);
  } else {
    LaneFft<kReadsZ>(plan.level1, source(0, 1), sink(0, 1), a, z);
  }
}

template <class T>
void LanesForward(const dct::LinePlan<T>& plan, const T* src, std::size_t src_stride, T* dst, std::size_t dst_stride, T* scratch) {
  constexpr std::size_t kRow = kPanelRow<T>;
  T* z = scratch;
  T* a = z + plan.m * kRow;
  const std::uint32_t* order = plan.order.data();
  const auto sink = [&](std::size_t k1, std::size_t n1) { return PanelOut<T>{z + k1 * kRow, n1 * kRow, kLanes<T>}; };
  if (plan.even) {
    PlanFft<false>(plan, [&](std::size_t j2, std::size_t n2) { return PairsIn<T>{src, src_stride, order + 2 * j2, n2}; }, sink, a, z);
  } else {
    PlanFft<false>(plan, [&](std::size_t j2, std::size_t n2) { return RealIn<T>{src, src_stride, order + j2, n2}; }, sink, a, z);
  }
  RotateForward<T>(plan, {z, kRow, kLanes<T>}, {dst, dst_stride});
}

template <class T>
void LanesInverse(const dct::LinePlan<T>& plan, const T* src, std::size_t src_stride, T* dst, std::size_t dst_stride, T* scratch) {
  constexpr std::size_t kRow = kPanelRow<T>;
  T* z = scratch;
  T* a = z + plan.m * kRow;
  const std::uint32_t* order = plan.order.data();
  RotateInverse<T>(plan, {src, src_stride}, {z, kRow, kLanes<T>});
  const auto source = [&](std::size_t j2, std::size_t n2) { return PanelIn<T>{z + j2 * kRow, n2 * kRow, kLanes<T>}; };
  if (plan.even) {
    PlanFft<true>(plan, source, [&](std::size_t k1, std::size_t n1) { return PairsOut<T>{dst, dst_stride, order + 2 * k1, n1}; }, a, z);
  } else {
    PlanFft<true>(plan, source, [&](std::size_t k1, std::size_t n1) { return RealOut<T>{dst, dst_stride, order + k1, n1}; }, a, z);
  }
}

}  // namespace haagenti::HWY_NAMESPACE::any_length
HWY_AFTER_NAMESPACE();
