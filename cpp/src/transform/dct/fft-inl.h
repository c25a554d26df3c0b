// Complex Fourier transforms of several lines at once, one line a lane, for the instruction set being compiled.
// Not responsible for what the numbers mean: sources and sinks of numbers are given.
//
// A panel holds number j of every lane as a register of real parts and one of imaginary parts, side by side.
// No include guard: included once for each target that needs it, which are not all.

#include <cstdint>
#include <utility>

#include "haagenti/hd/macros.h"
#include "hwy/highway.h"
#include "transform/dct/plan.h"

HWY_BEFORE_NAMESPACE();
namespace haagenti::HWY_NAMESPACE::any_length {
namespace hn = hwy::HWY_NAMESPACE;
namespace steps {
#define HGT_STEP HWY_INLINE
#include "haagenti/hd/fft_steps.inc"
#undef HGT_STEP
}  // namespace steps

template <class T>
using LaneTag = hn::CappedTag<T, 64 / sizeof(T)>;
template <class T>
using LaneVec = hn::Vec<LaneTag<T>>;
template <class T>
using LaneComplex = steps::Complex<LaneVec<T>>;
template <class T>
constexpr std::size_t kLanes = hn::MaxLanes(LaneTag<T>());

template <class T>
struct LaneNumbers {
  using Value = LaneVec<T>;
  static HWY_INLINE Value constant(double c) { return hn::Set(LaneTag<T>(), static_cast<T>(c)); }
  static HWY_INLINE Value entry(const T* at) { return hn::Set(LaneTag<T>(), *at); }
};

template <class T>
HWY_INLINE LaneComplex<T> Broadcast(T re, T im) {
  return {hn::Set(LaneTag<T>(), re), hn::Set(LaneTag<T>(), im)};
}

// Sources: number j.
template <class T>
struct PanelIn {
  const T* base;
  std::size_t step;
  std::size_t imaginary;  // from the real to the imaginary parts
  HWY_INLINE LaneComplex<T> operator()(std::size_t j) const {
    const T* at = base + j * step;
    return {hn::LoadU(LaneTag<T>(), at), hn::LoadU(LaneTag<T>(), at + imaginary)};
  }
};
// Rows of a matrix in the order of a plan: order[2 j order_step] and the one after it.
template <class T>
struct PairsIn {
  const T* base;
  std::size_t stride;
  const std::uint32_t* order;
  std::size_t order_step;
  HWY_INLINE LaneComplex<T> operator()(std::size_t j) const {
    const std::uint32_t* row = order + 2 * j * order_step;
    return {hn::LoadU(LaneTag<T>(), base + row[0] * stride), hn::LoadU(LaneTag<T>(), base + row[1] * stride)};
  }
};
template <class T>
struct RealIn {
  const T* base;
  std::size_t stride;
  const std::uint32_t* order;
  std::size_t order_step;
  HWY_INLINE LaneComplex<T> operator()(std::size_t j) const {
    return {hn::LoadU(LaneTag<T>(), base + order[j * order_step] * stride), hn::Zero(LaneTag<T>())};
  }
};

// Sinks.
template <class T>
struct PanelOut {
  T* base;
  std::size_t step;
  std::size_t imaginary;
  HWY_INLINE void operator()(std::size_t k, LaneComplex<T> z) const {
    T* at = base + k * step;
    hn::StoreU(z.re, LaneTag<T>(), at);
    hn::StoreU(z.im, LaneTag<T>(), at + imaginary);
  }
};
// Times the factor of number k, one for all lanes.
template <class T>
struct TwiddleOut {
  PanelOut<T> out;
  const T* re;
  const T* im;
  std::size_t step;
  HWY_INLINE void operator()(std::size_t k, LaneComplex<T> z) const { out(k, z * Broadcast(re[k * step], im[k * step])); }
};
// Times a factor for each lane.
template <class T>
struct TwiddleLanesOut {
  PanelOut<T> out;
  const T* re;
  const T* im;
  std::size_t step;
  HWY_INLINE void operator()(std::size_t k, LaneComplex<T> z) const {
    const LaneTag<T> d;
    out(k, z * LaneComplex<T>{hn::LoadU(d, re + k * step), hn::LoadU(d, im + k * step)});
  }
};
// As PairsIn and RealIn; real and imaginary parts change places, which makes the transform the inverse one.
template <class T>
struct PairsOut {
  T* base;
  std::size_t stride;
  const std::uint32_t* order;
  std::size_t order_step;
  HWY_INLINE void operator()(std::size_t k, LaneComplex<T> z) const {
    const std::uint32_t* row = order + 2 * k * order_step;
    hn::StoreU(z.im, LaneTag<T>(), base + row[0] * stride);
    hn::StoreU(z.re, LaneTag<T>(), base + row[1] * stride);
  }
};
template <class T>
struct RealOut {
  T* base;
  std::size_t stride;
  const std::uint32_t* order;
  std::size_t order_step;
  HWY_INLINE void operator()(std::size_t k, LaneComplex<T> z) const { hn::StoreU(z.im, LaneTag<T>(), base + order[k * order_step] * stride); }
};

// A radix that has no step of its own.
template <class T>
HWY_NOINLINE void AnyOddStep(const dct::Pass& pass, const T* roots, LaneComplex<T>* a, LaneComplex<T>* result) {
  steps::fft_any_odd_step<LaneNumbers<T>>(static_cast<int>(pass.radix), roots + pass.roots, a, result);
}

// One butterfly at (p, q). kRadix 0: any odd one.
template <int kRadix, bool kTwiddles, class T, class In, class Out>
HWY_INLINE void Butterfly(const dct::FftPlan<T>& plan, const dct::Pass& pass, std::size_t from, std::size_t from_step, std::size_t to,
                          std::size_t to_step, const T* twiddles, const In& in, const Out& out) {
  constexpr int kMax = kRadix == 0 ? dct::kLargestRadix : kRadix;
  const int radix = kRadix == 0 ? static_cast<int>(pass.radix) : kRadix;
  LaneComplex<T> a[kMax], separate[kRadix == 0 ? kMax : 1];
  LaneComplex<T>* result = kRadix == 0 ? separate : a;
#pragma GCC unroll 16
  for (int i = 0; i < radix; ++i) a[i] = in(from + i * from_step);
  if constexpr (kRadix == 0) {
    AnyOddStep(pass, plan.roots.data(), a, result);
  } else {
    steps::fft_step<LaneNumbers<T>>(steps::Radix<kRadix>{}, a);
  }
  out(to, result[0]);
#pragma GCC unroll 16
  for (int i = 1; i < radix; ++i) {
    if constexpr (kTwiddles) {
      out(to + i * to_step, result[i] * Broadcast(twiddles[2 * i - 2], twiddles[2 * i - 1]));
    } else {
      out(to + i * to_step, result[i]);
    }
  }
}

template <int kRadix, class T, class In, class Out>
HWY_NOINLINE void FirstPass(const dct::FftPlan<T>& plan, In in, Out out) {
  const dct::Pass& pass = plan.passes[0];
  const std::size_t count = pass.count, radix = kRadix == 0 ? pass.radix : kRadix;
  const T* twiddles = plan.twiddles.data();
  for (std::size_t p = 0; p < count; ++p) {
    Butterfly<kRadix, true>(plan, pass, p, count, radix * p, 1, twiddles, in, out);
    twiddles += 2 * (radix - 1);
  }
}

template <int kRadix, class T>
HWY_NOINLINE void MiddlePass(const dct::FftPlan<T>& plan, const dct::Pass& pass, PanelIn<T> in, PanelOut<T> out) {
  const std::size_t count = pass.count, stride = pass.stride, radix = kRadix == 0 ? pass.radix : kRadix;
  const T* twiddles = plan.twiddles.data() + pass.twiddle;
  for (std::size_t p = 0; p < count; ++p) {
    for (std::size_t q = 0; q < stride; ++q) {
      Butterfly<kRadix, true>(plan, pass, q + stride * p, stride * count, q + stride * radix * p, stride, twiddles, in, out);
    }
    twiddles += 2 * (radix - 1);
  }
}

template <int kRadix, class T, class Out>
HWY_NOINLINE void LastPass(const dct::FftPlan<T>& plan, PanelIn<T> in, Out out) {
  const dct::Pass& pass = plan.passes.back();
  const std::size_t stride = pass.stride;
  for (std::size_t q = 0; q < stride; ++q) Butterfly<kRadix, false, T>(plan, pass, q, stride, q, stride, nullptr, in, out);
}

// Calls body(Radix<r>) for the radix of a pass.
template <class Body>
HWY_INLINE void WithRadix(std::uint32_t radix, const Body& body) {
  switch (radix) {
    case 2: return body(steps::Radix<2>{});
    case 3: return body(steps::Radix<3>{});
    case 4: return body(steps::Radix<4>{});
    case 5: return body(steps::Radix<5>{});
    case 6: return body(steps::Radix<6>{});
    case 7: return body(steps::Radix<7>{});
    case 8: return body(steps::Radix<8>{});
    case 9: return body(steps::Radix<9>{});
    case 11: return body(steps::Radix<11>{});
    case 13: return body(steps::Radix<13>{});
    default: return body(steps::Radix<0>{});
  }
}

template <class T, int kRadix, class In>
HWY_INLINE void RunFirst(steps::Radix<kRadix>, const dct::FftPlan<T>& plan, const In& in, const PanelOut<T>& out) {
  FirstPass<kRadix, T>(plan, in, out);
}
template <class T, int kRadix>
HWY_INLINE void RunMiddle(steps::Radix<kRadix>, const dct::FftPlan<T>& plan, const dct::Pass& pass, const PanelIn<T>& in, const PanelOut<T>& out) {
  MiddlePass<kRadix, T>(plan, pass, in, out);
}
template <class T, int kRadix, class Out>
HWY_INLINE void RunLast(steps::Radix<kRadix>, const dct::FftPlan<T>& plan, const PanelIn<T>& in, const Out& out) {
  LastPass<kRadix, T>(plan, in, out);
}

// The passes of a plan, two or more: first(radix, sink), those between, last(radix, source). a and b: panels of plan.m numbers each.
template <class T, class First, class Last>
HWY_INLINE void LanePasses(const dct::FftPlan<T>& plan, T* a, T* b, const First& first, const Last& last) {
  constexpr std::size_t kRow = 2 * kLanes<T>;
  const auto panel = [](T* at) { return PanelOut<T>{at, kRow, kLanes<T>}; };
  const auto read = [](const T* at) { return PanelIn<T>{at, kRow, kLanes<T>}; };
  WithRadix(plan.passes[0].radix, [&](auto radix) { first(radix, panel(a)); });
  for (std::size_t i = 1; i + 1 < plan.passes.size(); ++i) {
    const dct::Pass& pass = plan.passes[i];
    WithRadix(pass.radix, [&](auto radix) { RunMiddle<T>(radix, plan, pass, read(a), panel(b)); });
    std::swap(a, b);
  }
  WithRadix(plan.passes.back().radix, [&](auto radix) { last(radix, read(a)); });
}

// The transform of a plan; `in` and `out` have nothing to do with a and b.
template <class T, class In, class Out>
void LaneFft(const dct::FftPlan<T>& plan, const In& in, const Out& out, T* a, T* b) {
  if (plan.m == 1) return out(0, in(0));
  if (plan.passes.size() > 1) {
    return LanePasses(
        plan, a, b, [&](auto radix, const PanelOut<T>& to) { RunFirst<T>(radix, plan, in, to); },
        [&](auto radix, const PanelIn<T>& from) { RunLast<T>(radix, plan, from, out); });
  }
  constexpr std::size_t kRow = 2 * kLanes<T>;
  WithRadix(plan.passes[0].radix, [&](auto radix) { RunFirst<T>(radix, plan, in, PanelOut<T>{a, kRow, kLanes<T>}); });
  const PanelIn<T> result = {a, kRow, kLanes<T>};
  for (std::size_t k = 0; k < plan.m; ++k) out(k, result(k));
}

}  // namespace haagenti::HWY_NAMESPACE::any_length
HWY_AFTER_NAMESPACE();
