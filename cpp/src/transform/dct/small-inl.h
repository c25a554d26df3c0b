// Where the lines of small.h come from and go to: rows by transposition, columns. For the instruction set being compiled.
// Not responsible for the arithmetic (small_lines-inl.h).
// No include guard: included once for each target that needs it, which are not all.

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "hwy/highway.h"
#include "transform/dct/small_kernels.h"
#include "transform/dct/small_lines-inl.h"

HWY_BEFORE_NAMESPACE();
namespace haagenti::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using dct::SmallCall;
using dct::kMaxSmall;

// Rows that are wanted soon, from `rows` on; none if null.
template <class T>
struct Ahead {
  const T* rows;
  std::size_t stride;
  Ahead At(std::uint64_t r) const { return {rows == nullptr ? rows : rows + r * stride, stride}; }
};

#if HWY_TARGET != HWY_SCALAR

// The share of elements [i, i + n) in the fetching of as many rows as there are lanes: every cache line once.
template <class D, class T = hn::TFromD<D>>
HWY_INLINE void FetchAhead(D d, const Ahead<T>& ahead, std::size_t i, std::size_t n) {
  constexpr std::size_t kLine = 64 / sizeof(T);
  if (ahead.rows == nullptr) return;
  const std::size_t share = hn::Lanes(d) * n / kLine;
  const T* at = ahead.rows + i % kLine / n * share * ahead.stride + i / kLine * kLine;
  for (std::size_t r = 0; r < share; ++r) __builtin_prefetch(at + r * ahead.stride, 0, 2);
}

// As many rows as lanes, n elements each, to n vectors; n a multiple of kBlock.
template <class D, class T = hn::TFromD<D>>
HWY_NOINLINE void RowsToLines(D d, const T* src, std::size_t stride, std::size_t n, T* lines, const Ahead<T>& ahead) {
  constexpr std::size_t kRows = kBlock<D>;
  const std::size_t lanes = hn::Lanes(d);
  for (std::size_t i = 0; i < n; i += kRows) {
    FetchAhead(d, ahead, i, kRows);
    hn::Vec<D> v[kRows];
    for (std::size_t r = 0; r < kRows; ++r) v[r] = LoadBlocks(d, src + r * stride + i, kRows * stride);
    TransposeBlocks(d, v);
    for (std::size_t r = 0; r < kRows; ++r) hn::StoreU(v[r], d, lines + (i + r) * lanes);
  }
}

#if HWY_MAX_BYTES >= 64
// Two sets of blocks side by side: rows of 2 kBlock elements, in halves of registers.
template <class D, class T = hn::TFromD<D>>
HWY_INLINE void StorePairs(D d, hn::Vec<D> a, hn::Vec<D> b, T* dst, std::size_t stride) {
  const hn::Half<D> half;
  const hn::Repartition<double, D> wide;
  alignas(64) static constexpr std::int64_t kLow[8] = {0, 1, 8, 9, 2, 3, 10, 11};
  alignas(64) static constexpr std::int64_t kHigh[8] = {4, 5, 12, 13, 6, 7, 14, 15};
  const auto wa = hn::BitCast(wide, a), wb = hn::BitCast(wide, b);
  const auto low = hn::BitCast(d, hn::TwoTablesLookupLanes(wide, wa, wb, hn::SetTableIndices(wide, kLow)));
  const auto high = hn::BitCast(d, hn::TwoTablesLookupLanes(wide, wa, wb, hn::SetTableIndices(wide, kHigh)));
  hn::StoreU(hn::LowerHalf(half, low), half, dst);
  hn::StoreU(hn::UpperHalf(half, low), half, dst + stride);
  hn::StoreU(hn::LowerHalf(half, high), half, dst + 2 * stride);
  hn::StoreU(hn::UpperHalf(half, high), half, dst + 3 * stride);
}
#endif

template <class D, class T = hn::TFromD<D>>
HWY_NOINLINE void LinesToRows(D d, const T* lines, std::size_t n, T* dst, std::size_t stride, const Ahead<T>& ahead) {
  constexpr std::size_t kRows = kBlock<D>;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
#if HWY_MAX_BYTES >= 64
  for (; i + 2 * kRows <= n; i += 2 * kRows) {
    FetchAhead(d, ahead, i, 2 * kRows);
    hn::Vec<D> v[2 * kRows];
    for (std::size_t r = 0; r < 2 * kRows; ++r) v[r] = hn::LoadU(d, lines + (i + r) * lanes);
    TransposeBlocks(d, v);
    TransposeBlocks(d, v + kRows);
    for (std::size_t r = 0; r < kRows; ++r) StorePairs(d, v[r], v[r + kRows], dst + r * stride + i, kRows * stride);
  }
#endif
  for (; i < n; i += kRows) {
    FetchAhead(d, ahead, i, kRows);
    hn::Vec<D> v[kRows];
    for (std::size_t r = 0; r < kRows; ++r) v[r] = hn::LoadU(d, lines + (i + r) * lanes);
    TransposeBlocks(d, v);
    for (std::size_t r = 0; r < kRows; ++r) StoreBlocks(d, v[r], dst + r * stride + i, kRows * stride);
  }
}

#endif  // HWY_TARGET != HWY_SCALAR

template <class In, class Out, class T>
using LineFunction = void (*)(In, Out, T*, const T*, const T*);

template <Line kLine, int n, class D, class In, class Out, class T>
void LineOf(In in, Out out, T* tmp, const T* scaled, const T* plain) {
  EndToEnd<kLine, n>(D(), in, out, tmp, scaled, plain);
}

template <Line kLine, class D, class In, class Out, class T = hn::TFromD<D>>
LineFunction<In, Out, T> LineFunctionOf(std::uint64_t n) {
  switch (n) {
    case 8: return LineOf<kLine, 8, D, In, Out, T>;
    case 16: return LineOf<kLine, 16, D, In, Out, T>;
    case 32: return LineOf<kLine, 32, D, In, Out, T>;
    case 64: return LineOf<kLine, 64, D, In, Out, T>;
    case 128: return LineOf<kLine, 128, D, In, Out, T>;
    case 256: return LineOf<kLine, 256, D, In, Out, T>;
    default: break;
  }
  constexpr bool kStraight = std::is_same_v<In, Straight<const T>>;
  if constexpr (kStraight) {
    if (n == 1) return LineOf<kLine, 1, D, In, Out, T>;
  }
  if constexpr (kStraight || kBlock<D> == 2) {
    if (n == 2) return LineOf<kLine, 2, D, In, Out, T>;
  }
  return LineOf<kLine, 4, D, In, Out, T>;
}

// Lines of one length, as many at a time as there are lanes.
template <class D, class T = hn::TFromD<D>>
struct Lines {
  static constexpr std::size_t kLanes = hn::MaxLanes(D());
  using In = Straight<const T>;
  using Out = Straight<T>;
  LineFunction<In, Out, T> function;
  std::uint64_t n;
  const T* scaled;
  const T* plain;

  Lines(DctType type, std::uint64_t length, const dct::SmallTables<T>& tables)
      : function(type == DctType::k2 ? LineFunctionOf<Line::k2Scaled, D, In, Out>(length) : LineFunctionOf<Line::k3, D, In, Out>(length)),
        n(length),
        scaled(tables.of(length)),
        plain(tables.plain) {}

  void Run(const T* src, std::size_t ss, T* dst, std::size_t ds) const {
    HWY_ALIGN T tmp[2 * kMaxSmall * kLanes];
    function(In{src, ss}, Out{dst, ds}, tmp, scaled, plain);
  }
};

template <class D, class T = hn::TFromD<D>>
void Columns(const Lines<D>& lines, const T* src, std::size_t ss, T* dst, std::size_t ds, std::uint64_t n_cols) {
  constexpr std::size_t kLanes = Lines<D>::kLanes;
  std::uint64_t c = 0;
  for (; c + kLanes <= n_cols; c += kLanes) lines.Run(src + c, ss, dst + c, ds);
  if (c == n_cols) return;
  const D d;
  HWY_ALIGN T padded[kMaxSmall * kLanes];
  for (std::uint64_t i = 0; i < lines.n; ++i) hn::Store(hn::LoadN(d, src + i * ss + c, n_cols - c), d, padded + i * kLanes);
  lines.Run(padded, kLanes, padded, kLanes);
  for (std::uint64_t i = 0; i < lines.n; ++i) hn::StoreN(hn::Load(d, padded + i * kLanes), d, dst + i * ds + c, n_cols - c);
}

// Rows that are fewer than the lanes or shorter than a block, one element at a time.
template <class D, class T = hn::TFromD<D>>
void FewRows(const Lines<D>& lines, const T* src, std::size_t ss, T* dst, std::size_t ds, std::uint64_t n_rows) {
  constexpr std::size_t kLanes = Lines<D>::kLanes;
  HWY_ALIGN T padded[kMaxSmall * kLanes];
  for (std::uint64_t i = 0; i < lines.n; ++i) {
    for (std::uint64_t r = 0; r < kLanes; ++r) padded[i * kLanes + r] = r < n_rows ? src[r * ss + i] : T{0};
  }
  lines.Run(padded, kLanes, padded, kLanes);
  for (std::uint64_t i = 0; i < lines.n; ++i) {
    for (std::uint64_t r = 0; r < n_rows; ++r) dst[r * ds + i] = padded[i * kLanes + r];
  }
}

template <class D, class T = hn::TFromD<D>>
void Rows(const Lines<D>& lines, const T* src, std::size_t ss, T* dst, std::size_t ds, std::uint64_t n_rows,
          [[maybe_unused]] const Ahead<T>& next_src = {}, [[maybe_unused]] const Ahead<T>& next_dst = {}) {
  constexpr std::size_t kLanes = Lines<D>::kLanes;
  std::uint64_t r = 0;
#if HWY_TARGET != HWY_SCALAR
  const D d;
  HWY_ALIGN T turned[kMaxSmall * kLanes];
  for (; lines.n >= static_cast<std::uint64_t>(kBlock<D>) && r + kLanes <= n_rows; r += kLanes) {
    RowsToLines(d, src + r * ss, ss, lines.n, turned, next_src.At(r));
    lines.Run(turned, kLanes, turned, kLanes);
    LinesToRows(d, turned, lines.n, dst + r * ds, ds, next_dst.At(r));
  }
#endif
  for (; r < n_rows; r += kLanes) FewRows(lines, src + r * ss, ss, dst + r * ds, ds, std::min<std::uint64_t>(kLanes, n_rows - r));
}

template <class T>
void SmallRows(const SmallCall<T>& a, const dct::SmallTables<T>& tables) {
  const Lines<hn::ScalableTag<T>> lines(a.type, a.cols, tables);
  Rows(lines, a.src, a.src_stride, a.dst, a.dst_stride, a.rows);
}

template <class T>
void SmallCols(const SmallCall<T>& a, const dct::SmallTables<T>& tables) {
  const Lines<hn::ScalableTag<T>> lines(a.type, a.rows, tables);
  Columns(lines, a.src, a.src_stride, a.dst, a.dst_stride, a.cols);
}

#include "transform/dct/small_tile-inl.h"

}  // namespace haagenti::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
