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
  AnyLine<Line::k2Plain, m / 4>(d, tmp, lanes, rest, 2 * lanes, static_cast<T*>(nullptr), plain, plain);
  AnyLine<Line::k4, m / 4>(d, tmp + quarter, lanes, rest + lanes, 2 * lanes, static_cast<T*>(nullptr), plain, plain);
  MergeInRegisters<Line::k2Plain, m, 2, 0>(d, rest, tmp + 2 * quarter, dst, ds, plain);
  MergeInRegisters<Line::k4, m, 2, 1>(d, rest, tmp + 3 * quarter, dst, ds, plain);
}

// The split of n at j, n / 4 - 1 - j, n / 4 + j and n / 2 - 1 - j, x[i] and y[i] what is added; that of the sums; that of the sums of sums and the rotation of
// their differences. The differences go to RotateAndSplitAt. To eighths of tmp: sums, differences, u, w, and the four of RotateAndSplitAt.
template <int n, bool kOdd, class D, class V = hn::Vec<D>, class T = hn::TFromD<D>>
HWY_INLINE void SplitThriceAt(D d, int j, const V* x, const V* y, T* tmp, const T* tw) {
  const std::size_t lanes = hn::Lanes(d);
  V s[4], t[4];
  dct_butterfly(x[0], y[0], s[0], t[0]);
  dct_butterfly(x[1], y[1], s[1], t[1]);
  dct_butterfly(x[2], y[2], s[2], t[2]);
  dct_butterfly(x[3], y[3], s[3], t[3]);
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

template <int n, class D, class In, class T>
HWY_NOINLINE void SplitThrice(D d, In in, T* tmp, const T* tw) {
  using V = hn::Vec<D>;
  constexpr int k = In::template kStep<D>;
  for (int j = 0; j < n / 8; j += k) {
    V e[8][k];
    in.template Load<k>(d, j, e[0]);
    in.template Load<k>(d, n - k - j, e[1]);
    in.template Load<k>(d, n / 4 - k - j, e[2]);
    in.template Load<k>(d, 3 * n / 4 + j, e[3]);
    in.template Load<k>(d, n / 4 + j, e[4]);
    in.template Load<k>(d, 3 * n / 4 - k - j, e[5]);
    in.template Load<k>(d, n / 2 - k - j, e[6]);
    in.template Load<k>(d, n / 2 + j, e[7]);
    for (int i = 0; i < k; i += 2) {
      const int i1 = i + 1, b0 = k - 1 - i, b1 = k - 2 - i;
      const V x0[4] = {e[0][i], e[2][b0], e[4][i], e[6][b0]}, y0[4] = {e[1][b0], e[3][i], e[5][b0], e[7][i]};
      const V x1[4] = {e[0][i1], e[2][b1], e[4][i1], e[6][b1]}, y1[4] = {e[1][b1], e[3][i1], e[5][b1], e[7][i1]};
      SplitThriceAt<n, false>(d, j + i, x0, y0, tmp, tw);
      SplitThriceAt<n, true>(d, j + i1, x1, y1, tmp, tw);
    }
  }
}

template <int n, Line kLine, class D, class T>
HWY_INLINE void AfterSplitThrice(D d, T* tmp, T* dst, std::size_t ds, const T* tw, const T* plain) {
  const std::size_t lanes = hn::Lanes(d);
  const std::size_t eighth = n / 8 * lanes;
  T* rest = tmp + 8 * eighth;
  AnyLine<kLine, n / 8>(d, tmp, lanes, dst, 8 * ds, static_cast<T*>(nullptr), tw, plain);
  AnyLine<Line::k4, n / 8>(d, tmp + eighth, lanes, dst + 4 * ds, 8 * ds, static_cast<T*>(nullptr), tw, plain);
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

template <int n, class D, class T, class Out>
HWY_INLINE void UnsplitThrice(D d, const T* tmp, const Out& out) {
  using V = hn::Vec<D>;
  constexpr int k = Out::template kStep<D>;
  const std::size_t lanes = hn::Lanes(d);
  const T* quarter = tmp + n / 4 * lanes;
  const T* half = tmp + n / 2 * lanes;
  for (int j = 0; j < n / 8; j += k) {
    V x[8][k];
    for (int i = 0; i < k; ++i) {
      const int at = j + i, back = k - 1 - i;
      V a[2], b[4];
      dct_butterfly(hn::LoadU(d, tmp + at * lanes), hn::LoadU(d, tmp + (n / 8 + at) * lanes), a[0], a[1]);
      dct_butterfly(a[0], hn::LoadU(d, quarter + at * lanes), b[0], b[3]);
      dct_butterfly(a[1], hn::LoadU(d, quarter + (n / 4 - 1 - at) * lanes), b[1], b[2]);
      dct_butterfly(b[0], hn::LoadU(d, half + at * lanes), x[0][i], x[1][back]);
      dct_butterfly(b[1], hn::LoadU(d, half + (n / 4 - 1 - at) * lanes), x[2][back], x[3][i]);
      dct_butterfly(b[2], hn::LoadU(d, half + (n / 4 + at) * lanes), x[4][i], x[5][back]);
      dct_butterfly(b[3], hn::LoadU(d, half + (n / 2 - 1 - at) * lanes), x[6][back], x[7][i]);
    }
    out.template Store<k>(d, x[0], j);
    out.template Store<k>(d, x[1], n - k - j);
    out.template Store<k>(d, x[2], n / 4 - k - j);
    out.template Store<k>(d, x[3], 3 * n / 4 + j);
    out.template Store<k>(d, x[4], n / 4 + j);
    out.template Store<k>(d, x[5], 3 * n / 4 - k - j);
    out.template Store<k>(d, x[6], n / 2 - k - j);
    out.template Store<k>(d, x[7], n / 2 + j);
  }
}
