// Lines of hd/dct_steps.h longer than the registers hold: passes over memory around blocks of 16 elements. For the instruction set being compiled.
// Not responsible for where lines come from and go to (small-inl.h).
// No include guard: included once for each target that needs it, which are not all.

#include <cstddef>

#include "hwy/highway.h"
#include "transform/dct/small_ends-inl.h"

HWY_BEFORE_NAMESPACE();
namespace haagenti::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#define HGT_DCT_FN HWY_INLINE
#include "haagenti/hd/dct_steps.inc"
#undef HGT_DCT_FN

// Reads a table's entry into every lane.
template <class D, class T = hn::TFromD<D>>
struct Broadcast {
  const T* table;
  HWY_INLINE hn::Vec<D> operator[](std::size_t i) const { return hn::Set(D(), table[i]); }
};

constexpr int kInRegisters = 16;

// Elements [first, first + n).
template <int n, class D, class In, class V = hn::Vec<D>>
HWY_INLINE void LoadLine(D d, const In& in, std::size_t first, V* x) {
  if constexpr (n <= kBlock<D>) {
    in.template Load<n>(d, first, x);
  } else {
    LoadLine<n / 2>(d, in, first, x);
    LoadLine<n / 2>(d, in, first + n / 2, x + n / 2);
  }
}

template <int n, class D, class Out, class V = hn::Vec<D>>
HWY_INLINE void StoreLine(D d, V* x, const Out& out, std::size_t first) {
  if constexpr (n <= kBlock<D>) {
    out.template Store<n>(d, x, first);
  } else {
    StoreLine<n / 2>(d, x, out, first);
    StoreLine<n / 2>(d, x + n / 2, out, first + n / 2);
  }
}

// k2Plain: without a factor.
enum class Line { k2Scaled, k2Plain, k3, k4 };

template <Line kLine, int n, class V, class Tw>
HWY_INLINE void LineOfRegisters(const V* x, V* y, Tw scaled, Tw plain) {
  if constexpr (kLine == Line::k2Scaled) dct2_line<n, true>(x, y, scaled, plain);
  if constexpr (kLine == Line::k2Plain) dct2_line<n, false>(x, y, plain, plain);
  if constexpr (kLine == Line::k3) dct3_line<n>(x, y, scaled, plain);
  if constexpr (kLine == Line::k4) dct4_line<n>(x, y, scaled, plain);
}

template <Line kLine, int n, class D, class In, class Out, class T = hn::TFromD<D>>
HWY_NOINLINE void LineInRegisters(D d, In in, Out out, const T* scaled, const T* plain) {
  hn::Vec<D> x[n], y[n];
  LoadLine<n>(d, in, 0, x);
  LineOfRegisters<kLine, n>(x, y, Broadcast<D>{scaled}, Broadcast<D>{plain});
  StoreLine<n>(d, y, out, 0);
}

// dct_merge of m with u in memory and, in registers, the elements kFirst, kFirst + kStep, ... of w.
template <int m, int kStep, int kFirst, int i = 0, class D, class V = hn::Vec<D>, class T = hn::TFromD<D>>
HWY_INLINE void MergeStore(D d, const T* u, const V* w, T* dst, std::size_t ds) {
  constexpr int k = m / 2 - (kFirst + kStep * i);
  if constexpr (k == m / 2) {
    hn::StoreU(hn::LoadU(d, u), d, dst);
    hn::StoreU(w[i], d, dst + (m - 1) * ds);
  } else if constexpr (k > 0) {
    V before, at;
    dct_butterfly(hn::LoadU(d, u + k * hn::Lanes(d)), w[i], before, at);
    hn::StoreU(before, d, dst + (2 * k - 1) * ds);
    hn::StoreU(at, d, dst + 2 * k * ds);
  }
  if constexpr (k > kStep) MergeStore<m, kStep, kFirst, i + 1>(d, u, w, dst, ds);
}

// The end of a DCT-IV of m: those elements of its w are a line of x, u is done.
template <Line kLine, int m, int kStep, int kFirst, class D, class T = hn::TFromD<D>>
HWY_NOINLINE void MergeInRegisters(D d, const T* u, const T* x, T* dst, std::size_t ds, const T* plain) {
  constexpr int n = m / 2 / kStep;
  hn::Vec<D> in[n], out[n];
  LoadLine<n>(d, Straight<const T>{x, hn::Lanes(d)}, 0, in);
  LineOfRegisters<kLine, n>(in, out, Broadcast<D>{plain}, Broadcast<D>{plain});
  MergeStore<m, kStep, kFirst>(d, u, out, dst, ds);
}

// A line from `in` to `out`, which may be the same, over tmp: 2 n vectors. Only `in` of a DCT-II is anything but Straight.
template <Line kLine, int n, class D, class In, class Out, class T = hn::TFromD<D>>
HWY_NOINLINE void LineInMemory(D d, In in, Out out, T* tmp, const T* scaled, const T* plain);

template <Line kLine, int n, class D, class In, class Out, class T = hn::TFromD<D>>
HWY_INLINE void EndToEnd(D d, const In& in, const Out& out, T* tmp, const T* scaled, const T* plain) {
  if constexpr (n <= kInRegisters) {
    LineInRegisters<kLine, n>(d, in, out, scaled, plain);
  } else {
    LineInMemory<kLine, n>(d, in, out, tmp, scaled, plain);
  }
}

template <Line kLine, int n, class D, class T = hn::TFromD<D>>
HWY_INLINE void AnyLine(D d, const T* src, std::size_t ss, T* dst, std::size_t ds, T* tmp, const T* scaled, const T* plain) {
  EndToEnd<kLine, n>(d, Straight<const T>{src, ss}, Straight<T>{dst, ds}, tmp, scaled, plain);
}

// A DCT-IV of m after its rotations, to dst; u and w, m / 2 vectors each, are overwritten.
template <int m, class D, class T = hn::TFromD<D>>
HWY_INLINE void Rotated(D d, T* u, T* w, T* dst, std::size_t ds, T* tmp, const T* plain) {
  const std::size_t lanes = hn::Lanes(d);
  AnyLine<Line::k2Plain, m / 2>(d, u, lanes, u, lanes, tmp, plain, plain);
  if constexpr (m / 2 <= kInRegisters) {
    MergeInRegisters<Line::k2Plain, m, 1, 0>(d, u, w, dst, ds, plain);
  } else {
    AnyLine<Line::k2Plain, m / 2>(d, w, lanes, w, lanes, tmp, plain, plain);
    hn::StoreU(hn::LoadU(d, u), d, dst);
    hn::StoreU(hn::LoadU(d, w), d, dst + (m - 1) * ds);
    for (int k = 1; k < m / 2; ++k) {
      hn::Vec<D> before, at;
      dct_butterfly(hn::LoadU(d, u + k * lanes), hn::LoadU(d, w + (m / 2 - k) * lanes), before, at);
      hn::StoreU(before, d, dst + (2 * k - 1) * ds);
      hn::StoreU(at, d, dst + 2 * k * ds);
    }
  }
}

template <int m, class D, class T>
HWY_INLINE void Rotate(D d, const T* src, std::size_t ss, T* u, T* w, const T* scaled) {
  const std::size_t lanes = hn::Lanes(d);
  const Broadcast<D> tw{scaled};
  for (int j = 0; j < m / 2; j += 2) {
    hn::Vec<D> u0, w0, u1, w1;
    dct_rotate<false>(hn::LoadU(d, src + j * ss), hn::LoadU(d, src + (m - 1 - j) * ss), tw[m + 2 * j], tw[m + 2 * j + 1], u0, w0);
    dct_rotate<true>(hn::LoadU(d, src + (j + 1) * ss), hn::LoadU(d, src + (m - 2 - j) * ss), tw[m + 2 * j + 2], tw[m + 2 * j + 3], u1, w1);
    hn::StoreU(u0, d, u + j * lanes);
    hn::StoreU(w0, d, w + j * lanes);
    hn::StoreU(u1, d, u + (j + 1) * lanes);
    hn::StoreU(w1, d, w + (j + 1) * lanes);
  }
}

template <int n, class D, class In, class T>
HWY_NOINLINE void Split(D d, In in, T* sum, T* difference) {
  constexpr int k = In::template kStep<D>;
  const std::size_t lanes = hn::Lanes(d);
  for (int j = 0; j < n / 2; j += k) {
    hn::Vec<D> a[k], b[k], s, t;
    in.template Load<k>(d, j, a);
    in.template Load<k>(d, n - k - j, b);
    for (int i = 0; i < k; ++i) {
      dct_butterfly(a[i], b[k - 1 - i], s, t);
      hn::StoreU(s, d, sum + (j + i) * lanes);
      hn::StoreU(t, d, difference + (j + i) * lanes);
    }
  }
}

template <int n, class D, class T, class Out>
HWY_INLINE void Unsplit(D d, const T* sum, const T* difference, const Out& out) {
  constexpr int k = Out::template kStep<D>;
  const std::size_t lanes = hn::Lanes(d);
  for (int j = 0; j < n / 2; j += k) {
    hn::Vec<D> a[k], b[k];
    for (int i = 0; i < k; ++i) dct_butterfly(hn::LoadU(d, sum + (j + i) * lanes), hn::LoadU(d, difference + (j + i) * lanes), a[i], b[k - 1 - i]);
    out.template Store<k>(d, a, j);
    out.template Store<k>(d, b, n - k - j);
  }
}

// Elements j, n / 2 - 1 - j, n / 2 + j and n - 1 - j of a split of n, followed by the split of its sums and the rotation of its differences.
template <int n, bool kOdd, class D, class V = hn::Vec<D>, class T = hn::TFromD<D>>
HWY_INLINE void SplitTwiceAt(D d, int j, V a, V b, V e, V f, T* tmp, const T* tw) {
  const std::size_t lanes = hn::Lanes(d);
  const Broadcast<D> rotation{tw + n / 2 + 2 * j};
  V s0, s1, d0, d1, ss, sd, u, w;
  dct_butterfly(a, f, s0, d0);
  dct_butterfly(b, e, s1, d1);
  dct_butterfly(s0, s1, ss, sd);
  dct_rotate<kOdd>(d0, d1, rotation[0], rotation[1], u, w);
  hn::StoreU(ss, d, tmp + j * lanes);
  hn::StoreU(sd, d, tmp + (n / 4 + j) * lanes);
  hn::StoreU(u, d, tmp + (n / 2 + j) * lanes);
  hn::StoreU(w, d, tmp + (3 * n / 4 + j) * lanes);
}

// To quarters of tmp: the sums of sums, their differences, u and w.
template <int n, class D, class In, class T>
HWY_NOINLINE void SplitTwice(D d, In in, T* tmp, const T* tw) {
  constexpr int k = In::template kStep<D>;
  for (int j = 0; j < n / 4; j += k) {
    hn::Vec<D> a[k], b[k], e[k], f[k];
    in.template Load<k>(d, j, a);
    in.template Load<k>(d, n / 2 - k - j, b);
    in.template Load<k>(d, n / 2 + j, e);
    in.template Load<k>(d, n - k - j, f);
    for (int i = 0; i < k; i += 2) {
      SplitTwiceAt<n, false>(d, j + i, a[i], b[k - 1 - i], e[i], f[k - 1 - i], tmp, tw);
      SplitTwiceAt<n, true>(d, j + i + 1, a[i + 1], b[k - 2 - i], e[i + 1], f[k - 2 - i], tmp, tw);
    }
  }
}

template <int n, bool kScaled, class D, class T>
HWY_INLINE void AfterSplitTwice(D d, T* tmp, T* dst, std::size_t ds, const T* tw, const T* plain) {
  const std::size_t quarter = n / 4 * hn::Lanes(d);
  T* rest = tmp + 4 * quarter;
  AnyLine<kScaled ? Line::k2Scaled : Line::k2Plain, n / 4>(d, tmp, hn::Lanes(d), dst, 4 * ds, rest, tw, plain);
  AnyLine<Line::k4, n / 4>(d, tmp + quarter, hn::Lanes(d), dst + 2 * ds, 4 * ds, rest, tw, plain);
  Rotated<n / 2>(d, tmp + 2 * quarter, tmp + 3 * quarter, dst + ds, 2 * ds, rest, plain);
}

// Two unsplits: quarters 0 and 1 of tmp are the sums and differences of the inner one, the rest the differences of the outer one.
template <int n, class D, class T, class Out>
HWY_INLINE void UnsplitTwice(D d, const T* tmp, const Out& out) {
  constexpr int k = Out::template kStep<D>;
  const std::size_t lanes = hn::Lanes(d);
  for (int j = 0; j < n / 4; j += k) {
    hn::Vec<D> s0, s1, x[4][k];
    for (int i = 0; i < k; ++i) {
      const int at = j + i, back = k - 1 - i;
      dct_butterfly(hn::LoadU(d, tmp + at * lanes), hn::LoadU(d, tmp + (n / 4 + at) * lanes), s0, s1);
      dct_butterfly(s0, hn::LoadU(d, tmp + (n / 2 + at) * lanes), x[0][i], x[3][back]);
      dct_butterfly(s1, hn::LoadU(d, tmp + (n - 1 - at) * lanes), x[1][back], x[2][i]);
    }
    out.template Store<k>(d, x[0], j);
    out.template Store<k>(d, x[1], n / 2 - k - j);
    out.template Store<k>(d, x[2], n / 2 + j);
    out.template Store<k>(d, x[3], n - k - j);
  }
}

template <int n, class D, class T>
HWY_INLINE void BeforeUnsplitTwice(D d, const T* src, std::size_t ss, T* tmp, const T* tw, const T* plain) {
  const std::size_t lanes = hn::Lanes(d);
  T* rest = tmp + n * lanes;
  AnyLine<Line::k3, n / 4>(d, src, 4 * ss, tmp, lanes, rest, tw, plain);
  AnyLine<Line::k4, n / 4>(d, src + 2 * ss, 4 * ss, tmp + n / 4 * lanes, lanes, rest, tw, plain);
  AnyLine<Line::k4, n / 2>(d, src + ss, 2 * ss, tmp + n / 2 * lanes, lanes, rest, tw, plain);
}

#include "transform/dct/small_long_lines-inl.h"

template <Line kLine, int n, class D, class In, class Out, class T>
HWY_NOINLINE void LineInMemory(D d, In in, Out out, T* tmp, const T* scaled, const T* plain) {
  const std::size_t lanes = hn::Lanes(d);
  constexpr bool kTwice = n / 4 >= kInRegisters;
  constexpr bool kThrice = n / 8 == kInRegisters;
  T* low = tmp;
  T* high = tmp + n / 2 * lanes;
  T* rest = tmp + n * lanes;
  if constexpr (kLine == Line::k4 && n / 4 == kInRegisters) {
    RotateAndSplit<n>(d, in.at, in.stride, tmp, scaled);
    AfterRotateAndSplit<n>(d, tmp, out.at, out.stride, rest, plain);
  } else if constexpr (kLine == Line::k4) {
    Rotate<n>(d, in.at, in.stride, low, high, scaled);
    Rotated<n>(d, low, high, out.at, out.stride, rest, plain);
  } else if constexpr (kLine == Line::k3 && kThrice) {
    BeforeUnsplitThrice<n>(d, in.at, in.stride, tmp, scaled, plain);
    UnsplitThrice<n>(d, tmp, out);
  } else if constexpr (kLine == Line::k3 && kTwice) {
    BeforeUnsplitTwice<n>(d, in.at, in.stride, tmp, scaled, plain);
    UnsplitTwice<n>(d, tmp, out);
  } else if constexpr (kLine == Line::k3) {
    AnyLine<kLine, n / 2>(d, in.at, 2 * in.stride, low, lanes, rest, scaled, plain);
    AnyLine<Line::k4, n / 2>(d, in.at + in.stride, 2 * in.stride, high, lanes, rest, scaled, plain);
    Unsplit<n>(d, low, high, out);
  } else if constexpr (kThrice) {
    SplitThrice<n>(d, in, tmp, scaled);
    AfterSplitThrice<n, kLine>(d, tmp, out.at, out.stride, scaled, plain);
  } else if constexpr (kTwice) {
    SplitTwice<n>(d, in, tmp, scaled);
    AfterSplitTwice<n, kLine == Line::k2Scaled>(d, tmp, out.at, out.stride, scaled, plain);
  } else {
    Split<n>(d, in, low, high);
    AnyLine<kLine, n / 2>(d, low, lanes, out.at, 2 * out.stride, rest, scaled, plain);
    AnyLine<Line::k4, n / 2>(d, high, lanes, out.at + out.stride, 2 * out.stride, rest, scaled, plain);
  }
}

}  // namespace haagenti::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
