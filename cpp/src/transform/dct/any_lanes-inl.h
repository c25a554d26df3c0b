// DCT-II and DCT-III of several lines at once, one line a lane, for the instruction set being compiled.
// Not responsible for gathering the lines: element i of the lanes is a register at src + i src_stride.
//
// A rotation takes the numbers of a butterfly of the last pass (forward: of the first, inverse), or of a part of a cut transform, as soon as
// they and their partners are there.
// No include guard: included once for each target that needs it, which are not all.

#include <algorithm>

#include "hwy/highway.h"
#include "transform/dct/any_rotate-inl.h"
#include "transform/dct/plan.h"

HWY_BEFORE_NAMESPACE();
namespace haagenti::HWY_NAMESPACE::any_length {

template <class T>
constexpr std::size_t kPanelRow = 2 * kLanes<T>;

// Calls self(g) for the groups that are their own partners, two(g) for g and groups - g.
template <class Self, class Two>
HWY_INLINE void ForGroups(std::size_t groups, const Self& self, const Two& two) {
  self(0);
  for (std::size_t g = 1; 2 * g < groups; ++g) two(g);
  if (groups % 2 == 0) self(groups / 2);
}

// Numbers in an array of the stack.
template <class T>
struct NumbersIn {
  const LaneComplex<T>* at;
  HWY_INLINE LaneComplex<T> operator()(std::size_t i) const { return at[i]; }
};
template <class T>
struct NumbersOut {
  LaneComplex<T>* at;
  HWY_INLINE void operator()(std::size_t i, LaneComplex<T> z) const { at[i] = z; }
};

// The last pass and the rotation.
template <int kRadix, class T>
HWY_NOINLINE void LastPassRotated(const dct::LinePlan<T>& plan, PanelIn<T> in, LineOut<T> y) {
  const dct::FftPlan<T>& fft = plan.level1;
  const dct::Pass& pass = fft.passes.back();
  const std::size_t groups = pass.stride, count = kRadix == 0 ? pass.radix : kRadix;
  LaneComplex<T> a[kRadix == 0 ? dct::kLargestRadix : kRadix], b[kRadix == 0 ? dct::kLargestRadix : kRadix];
  const auto butterfly = [&](std::size_t q, LaneComplex<T>* z) HWY_ATTR {
    Butterfly<kRadix, false, T>(fft, pass, q, groups, 0, 1, nullptr, in, NumbersOut<T>{z});
  };
  ForGroups(
      groups,
      [&](std::size_t g) HWY_ATTR {
        butterfly(g, a);
        RotateSelf(plan, g, groups, count, NumbersIn<T>{a}, y);
      },
      [&](std::size_t g) HWY_ATTR {
        butterfly(g, a);
        butterfly(groups - g, b);
        RotateTwo(plan, g, groups, count, NumbersIn<T>{a}, NumbersIn<T>{b}, y);
      });
}

// The inverse rotation and the first pass.
template <int kRadix, class T>
HWY_NOINLINE void FirstPassRotated(const dct::LinePlan<T>& plan, LineIn<T> y, PanelOut<T> out) {
  const dct::FftPlan<T>& fft = plan.level1;
  const dct::Pass& pass = fft.passes[0];
  const std::size_t groups = pass.count, count = kRadix == 0 ? pass.radix : kRadix;
  LaneComplex<T> a[kRadix == 0 ? dct::kLargestRadix : kRadix], b[kRadix == 0 ? dct::kLargestRadix : kRadix];
  const auto butterfly = [&](std::size_t p, const LaneComplex<T>* z) HWY_ATTR {
    Butterfly<kRadix, true>(fft, pass, 0, 1, count * p, 1, fft.twiddles.data() + 2 * (count - 1) * p, NumbersIn<T>{z}, out);
  };
  ForGroups(
      groups,
      [&](std::size_t g) HWY_ATTR {
        UnrotateSelf(plan, g, groups, count, y, NumbersOut<T>{a});
        butterfly(g, a);
      },
      [&](std::size_t g) HWY_ATTR {
        UnrotateTwo(plan, g, groups, count, y, NumbersOut<T>{a}, NumbersOut<T>{b});
        butterfly(g, a);
        butterfly(groups - g, b);
      });
}

template <int kRadix, class T>
HWY_INLINE void RunLastRotated(steps::Radix<kRadix>, const dct::LinePlan<T>& plan, const PanelIn<T>& in, const LineOut<T>& y) {
  LastPassRotated<kRadix, T>(plan, in, y);
}
template <int kRadix, class T>
HWY_INLINE void RunFirstRotated(steps::Radix<kRadix>, const dct::LinePlan<T>& plan, const LineIn<T>& y, const PanelOut<T>& out) {
  FirstPassRotated<kRadix, T>(plan, y, out);
}

// Scratch: m numbers, and four times the larger of n1 and n2; where the transform is not cut n1 = m.
template <class T>
struct LaneScratch {
  T* between;
  T* a;
  T* b;
  T* z;
  T* partner;
  LaneScratch(const dct::LinePlan<T>& plan, T* scratch) : between(scratch) {
    const std::size_t part = std::max(plan.n1, plan.n2) * kPanelRow<T>;
    a = between + plan.m * kPanelRow<T>;
    b = a + part;
    z = b + part;
    partner = z + part;
  }
};

template <class T>
HWY_INLINE PanelOut<T> WritePanel(T* at) {
  return {at, kPanelRow<T>, kLanes<T>};
}
template <class T>
HWY_INLINE PanelIn<T> ReadPanel(const T* at) {
  return {at, kPanelRow<T>, kLanes<T>};
}

// source(j2, n2): the source of the numbers j2, j2 + n2, ...
template <class T, class Source>
HWY_INLINE void ForwardFrom(const dct::LinePlan<T>& plan, const Source& source, const LineOut<T>& y, const LaneScratch<T>& s) {
  constexpr std::size_t kRow = kPanelRow<T>;
  const std::size_t n1 = plan.n1, n2 = plan.n2;
  if (n2 == 1 && plan.level1.passes.size() == 1) {
    LaneFft(plan.level1, source(0, 1), WritePanel(s.z), s.a, s.b);
    return RotateSelf(plan, 0, 1, plan.m, ReadPanel<T>(s.z), y);
  }
  if (n2 == 1) {
    const auto source0 = source(0, 1);
    return LanePasses(
        plan.level1, s.a, s.b, [&](auto radix, const PanelOut<T>& out) HWY_ATTR { RunFirst<T>(radix, plan.level1, source0, out); },
        [&](auto radix, const PanelIn<T>& in) HWY_ATTR { RunLastRotated(radix, plan, in, y); });
  }
  for (std::size_t j2 = 0; j2 < n2; ++j2) {
    const PanelOut<T> out = {s.between + j2 * kRow, n2 * kRow, kLanes<T>};
    LaneFft(plan.level1, source(j2, n2), TwiddleOut<T>{out, plan.between_re.data() + j2, plan.between_im.data() + j2, n2}, s.a, s.b);
  }
  const auto part = [&](std::size_t k1, T* z) HWY_ATTR { LaneFft(plan.level2, ReadPanel<T>(s.between + k1 * n2 * kRow), WritePanel(z), s.a, s.b); };
  ForGroups(
      n1,
      [&](std::size_t g) HWY_ATTR {
        part(g, s.z);
        RotateSelf(plan, g, n1, n2, ReadPanel<T>(s.z), y);
      },
      [&](std::size_t g) HWY_ATTR {
        part(g, s.z);
        part(n1 - g, s.partner);
        RotateTwo(plan, g, n1, n2, ReadPanel<T>(s.z), ReadPanel<T>(s.partner), y);
      });
}

// sink(k1, n1) likewise.
template <class T, class Sink>
HWY_INLINE void InverseTo(const dct::LinePlan<T>& plan, const LineIn<T>& y, const Sink& sink, const LaneScratch<T>& s) {
  constexpr std::size_t kRow = kPanelRow<T>;
  const std::size_t n1 = plan.n1, n2 = plan.n2;
  if (n2 == 1 && plan.level1.passes.size() == 1) {
    UnrotateSelf(plan, 0, 1, plan.m, y, WritePanel(s.z));
    return LaneFft(plan.level1, ReadPanel<T>(s.z), sink(0, 1), s.a, s.b);
  }
  if (n2 == 1) {
    const auto sink0 = sink(0, 1);
    return LanePasses(
        plan.level1, s.a, s.b, [&](auto radix, const PanelOut<T>& out) HWY_ATTR { RunFirstRotated(radix, plan, y, out); },
        [&](auto radix, const PanelIn<T>& in) HWY_ATTR { RunLast<T>(radix, plan.level1, in, sink0); });
  }
  const auto part = [&](std::size_t j2, const T* z) HWY_ATTR {
    const PanelOut<T> out = {s.between + j2 * kRow, n2 * kRow, kLanes<T>};
    LaneFft(plan.level1, ReadPanel<T>(z), TwiddleOut<T>{out, plan.between_re.data() + j2, plan.between_im.data() + j2, n2}, s.a, s.b);
  };
  ForGroups(
      n2,
      [&](std::size_t g) HWY_ATTR {
        UnrotateSelf(plan, g, n2, n1, y, WritePanel(s.z));
        part(g, s.z);
      },
      [&](std::size_t g) HWY_ATTR {
        UnrotateTwo(plan, g, n2, n1, y, WritePanel(s.z), WritePanel(s.partner));
        part(g, s.z);
        part(n2 - g, s.partner);
      });
  for (std::size_t k1 = 0; k1 < n1; ++k1) LaneFft(plan.level2, ReadPanel<T>(s.between + k1 * n2 * kRow), sink(k1, n1), s.a, s.b);
}

// dst may be src with the same stride.
template <class T>
void LanesForward(const dct::LinePlan<T>& plan, const T* src, std::size_t src_stride, T* dst, std::size_t dst_stride, T* scratch) {
  const std::uint32_t* order = plan.order.data();
  const LaneScratch<T> s(plan, scratch);
  const LineOut<T> y = {dst, dst_stride};
  if (plan.even) {
    ForwardFrom(plan, [&](std::size_t j2, std::size_t n2) { return PairsIn<T>{src, src_stride, order + 2 * j2, n2}; }, y, s);
  } else {
    ForwardFrom(plan, [&](std::size_t j2, std::size_t n2) { return RealIn<T>{src, src_stride, order + j2, n2}; }, y, s);
  }
}

template <class T>
void LanesInverse(const dct::LinePlan<T>& plan, const T* src, std::size_t src_stride, T* dst, std::size_t dst_stride, T* scratch) {
  const std::uint32_t* order = plan.order.data();
  const LaneScratch<T> s(plan, scratch);
  const LineIn<T> y = {src, src_stride};
  if (plan.even) {
    InverseTo(plan, y, [&](std::size_t k1, std::size_t n1) { return PairsOut<T>{dst, dst_stride, order + 2 * k1, n1}; }, s);
  } else {
    InverseTo(plan, y, [&](std::size_t k1, std::size_t n1) { return RealOut<T>{dst, dst_stride, order + k1, n1}; }, s);
  }
}

}  // namespace haagenti::HWY_NAMESPACE::any_length
HWY_AFTER_NAMESPACE();
