// Three steps of a line in one pass over memory, for lines of 128 and DCT-IVs of 64: what is left are blocks that registers hold.
// Not responsible for anything else: a part of small_lines-inl.h, which includes it inside the target's namespace.

// A rotation of m at j and at q = m / 2 - 1 - j, and the splits of u and of w that follow. x: elements j, q, m / 2 + j and m - 1 - j. To quarters of tmp: the
// sums and differences of u, then those of w.
template <int m, bool kOdd, class D, class V = hn::Vec<D>, class T = hn::TFromD<D>>
HWY_INLINE void RotateAndSplitAt(D d, int j, const V* x, T* tmp, const T* tw) {
  const std::size_t lanes = hn::Lanes(d);
  const Broadcast<D> at_j{tw + m + 2 * j}, at_q{tw + m + 2 * (m / 2 - 1 - j)};
  V uj, wj, uq, wq, us, ud, ws, wd;
  dct_rotate<kOdd>(x[0], x[3], at_j[0], at_j[1], uj, wj);
  dct_rotate<!kOdd>(x[1], x[2], at_q[0], at_q[1], uq, wq);
  dct_butterfly(uj, uq, us, ud);
  dct_butterfly(wj, wq, ws, wd);
  hn::StoreU(us, d, tmp + j * lanes);
  hn::StoreU(ud, d, tmp + (m / 4 + j) * lanes);
  hn::StoreU(ws, d, tmp + (m / 2 + j) * lanes);
  hn::StoreU(wd, d, tmp + (3 * m / 4 + j) * lanes);
}

template <int m, class D, class T>
HWY_INLINE void RotateAndSplit(D d, const T* src, std::size_t ss, T* tmp, const T* tw) {
  using V = hn::Vec<D>;
  for (int j = 0; j < m / 4; j += 2) {
    const V x[4] = {hn::LoadU(d, src + j * ss), hn::LoadU(d, src + (m / 2 - 1 - j) * ss), hn::LoadU(d, src + (m / 2 + j) * ss),
                    hn::LoadU(d, src + (m - 1 - j) * ss)};
    const V z[4] = {hn::LoadU(d, src + (j + 1) * ss), hn::LoadU(d, src + (m / 2 - 2 - j) * ss), hn::LoadU(d, src + (m / 2 + j + 1) * ss),
                    hn::LoadU(d, src + (m - 2 - j) * ss)};
    RotateAndSplitAt<m, false>(d, j, x, tmp, tw);
    RotateAndSplitAt<m, true>(d, j + 1, z, tmp, tw);
  }
}

// A DCT-IV of m after RotateAndSplit; rest: m / 2 vectors.
template <int m, class D, class T>
HWY_INLINE void AfterRotateAndSplit(D d, const T* tmp, T* dst, std::size_t ds, T* rest, const T* plain) {
  const std::size_t lanes = hn::Lanes(d);
  const std::size_t quarter = m / 4 * lanes;
  LineInRegisters<Line::k2Plain, m / 4>(d, tmp, lanes, rest, 2 * lanes, plain, plain);
  LineInRegisters<Line::k4, m / 4>(d, tmp + quarter, lanes, rest + lanes, 2 * lanes, plain, plain);
  MergeInRegisters<Line::k2Plain, m, 2, 0>(d, rest, tmp + 2 * quarter, dst, ds, plain);
  MergeInRegisters<Line::k4, m, 2, 1>(d, rest, tmp + 3 * quarter, dst, ds, plain);
}

// The split of n at j, n / 4 - 1 - j, n / 4 + j and n / 2 - 1 - j; that of the sums; that of the sums of sums and the rotation of their differences. The
// differences go to RotateAndSplitAt. To eighths of tmp: sums, differences, u, w, and the four of RotateAndSplitAt.
template <int n, bool kOdd, class D, class T>
HWY_INLINE void SplitThriceAt(D d, int j, const T* src, std::size_t ss, T* tmp, const T* tw) {
  using V = hn::Vec<D>;
  const std::size_t lanes = hn::Lanes(d);
  const int at[4] = {j, n / 4 - 1 - j, n / 4 + j, n / 2 - 1 - j};
  V s[4], t[4];
  dct_butterfly(hn::LoadU(d, src + at[0] * ss), hn::LoadU(d, src + (n - 1 - at[0]) * ss), s[0], t[0]);
  dct_butterfly(hn::LoadU(d, src + at[1] * ss), hn::LoadU(d, src + (n - 1 - at[1]) * ss), s[1], t[1]);
  dct_butterfly(hn::LoadU(d, src + at[2] * ss), hn::LoadU(d, src + (n - 1 - at[2]) * ss), s[2], t[2]);
  dct_butterfly(hn::LoadU(d, src + at[3] * ss), hn::LoadU(d, src + (n - 1 - at[3]) * ss), s[3], t[3]);
  V sum_j, sum_q, difference_j, difference_q, even, odd, u, w;
  dct_butterfly(s[0], s[3], sum_j, difference_j);
  dct_butterfly(s[1], s[2], sum_q, difference_q);
  dct_butterfly(sum_j, sum_q, even, odd);
  const Broadcast<D> rotation{tw + n / 4 + 2 * j};
  dct_rotate<kOdd>(difference_j, difference_q, rotation[0], rotation[1], u, w);
  hn::StoreU(even, d, tmp + j * lanes);
  hn::StoreU(odd, d, tmp + (n / 8 + j) * lanes);
  hn::StoreU(u, d, tmp + (n / 4 + j) * lanes);
  hn::StoreU(w, d, tmp + (3 * n / 8 + j) * lanes);
  RotateAndSplitAt<n / 2, kOdd>(d, j, t, tmp + n / 2 * lanes, tw);
}

template <int n, class D, class T>
HWY_INLINE void SplitThrice(D d, const T* src, std::size_t ss, T* tmp, const T* tw) {
  for (int j = 0; j < n / 8; j += 2) {
    SplitThriceAt<n, false>(d, j, src, ss, tmp, tw);
    SplitThriceAt<n, true>(d, j + 1, src, ss, tmp, tw);
  }
}

template <int n, Line kLine, class D, class T>
HWY_INLINE void AfterSplitThrice(D d, T* tmp, T* dst, std::size_t ds, const T* tw, const T* plain) {
  const std::size_t lanes = hn::Lanes(d);
  const std::size_t eighth = n / 8 * lanes;
  T* rest = tmp + 8 * eighth;
  LineInRegisters<kLine, n / 8>(d, tmp, lanes, dst, 8 * ds, tw, plain);
  LineInRegisters<Line::k4, n / 8>(d, tmp + eighth, lanes, dst + 4 * ds, 8 * ds, tw, plain);
  Rotated<n / 4>(d, tmp + 2 * eighth, tmp + 3 * eighth, dst + 2 * ds, 4 * ds, rest, plain);
  AfterRotateAndSplit<n / 2>(d, tmp + 4 * eighth, dst + ds, 2 * ds, rest, plain);
}

// A DCT-III of n up to its last three joins: tmp holds a DCT-III of n / 8 and DCT-IVs of n / 8, n / 4 and n / 2.
template <int n, class D, class T>
HWY_INLINE void BeforeUnsplitThrice(D d, const T* src, std::size_t ss, T* tmp, const T* tw, const T* plain) {
  const std::size_t lanes = hn::Lanes(d);
  T* rest = tmp + n * lanes;
  AnyLine<Line::k3, n / 8>(d, src, 8 * ss, tmp, lanes, rest, tw, plain);
  AnyLine<Line::k4, n / 8>(d, src + 4 * ss, 8 * ss, tmp + n / 8 * lanes, lanes, rest, tw, plain);
  AnyLine<Line::k4, n / 4>(d, src + 2 * ss, 4 * ss, tmp + n / 4 * lanes, lanes, rest, tw, plain);
  AnyLine<Line::k4, n / 2>(d, src + ss, 2 * ss, tmp + n / 2 * lanes, lanes, rest, tw, plain);
}

template <int n, class D, class T>
HWY_INLINE void UnsplitThrice(D d, const T* tmp, T* dst, std::size_t ds) {
  using V = hn::Vec<D>;
  const std::size_t lanes = hn::Lanes(d);
  for (int j = 0; j < n / 8; ++j) {
    const int at[4] = {j, n / 4 - 1 - j, n / 4 + j, n / 2 - 1 - j};
    const T* quarter = tmp + n / 4 * lanes;
    const T* half = tmp + n / 2 * lanes;
    V a[2], b[4], low, high;
    dct_butterfly(hn::LoadU(d, tmp + j * lanes), hn::LoadU(d, tmp + (n / 8 + j) * lanes), a[0], a[1]);
    dct_butterfly(a[0], hn::LoadU(d, quarter + at[0] * lanes), b[0], b[3]);
    dct_butterfly(a[1], hn::LoadU(d, quarter + at[1] * lanes), b[1], b[2]);
    for (int i = 0; i < 4; ++i) {
      dct_butterfly(b[i], hn::LoadU(d, half + at[i] * lanes), low, high);
      hn::StoreU(low, d, dst + at[i] * ds);
      hn::StoreU(high, d, dst + (n - 1 - at[i]) * ds);
    }
  }
}
