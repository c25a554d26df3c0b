// Tiles: both axes of a matrix, between which little or nothing is turned back. For the instruction set being compiled.
// Not responsible for rows or columns alone: small-inl.h, whose part this is inside the target's namespace.

#if HWY_TARGET != HWY_SCALAR

// The first cache line of every four: the hardware fetches those behind.
template <class T>
HWY_INLINE void FetchRows(const Ahead<T>& ahead, std::uint64_t n_rows, std::uint64_t n_cols) {
  if (ahead.rows == nullptr) return;
  for (std::uint64_t r = 0; r < n_rows; ++r) {
    for (std::uint64_t c = 0; c < n_cols; c += 256 / sizeof(T)) __builtin_prefetch(ahead.rows + r * ahead.stride + c, 0, 2);
  }
}

// A DCT-II of a tile of whole registers both ways. Between its axes, scratch holds panels: as many rows as lanes, transposed.
template <class D, class T = hn::TFromD<D>>
void PanelTile(const SmallCall<T>& a, const dct::SmallTables<T>& tables, T* scratch, const Ahead<T>& next_src, const Ahead<T>& next_dst) {
  constexpr std::size_t kLanes = hn::MaxLanes(D());
  const std::size_t panel = dct::panel_stride(a.cols, kLanes);
  const auto row = LineFunctionOf<Line::k2Scaled, D, Turned<const T>, Straight<T>>(a.cols);
  const auto col = LineFunctionOf<Line::k2Scaled, D, Panels<const T>, Straight<T>>(a.rows);
  HWY_ALIGN T tmp[2 * kMaxSmall * kLanes];
  for (std::uint64_t r = 0; r < a.rows; r += kLanes) {
    FetchRows(next_src.At(r), kLanes, a.cols);
    row({a.src + r * a.src_stride, a.src_stride}, {scratch + r / kLanes * panel, kLanes}, tmp, tables.of(a.cols), tables.plain);
  }
  const std::uint64_t share = a.rows * kLanes / a.cols;  // rows fetched with each group of columns
  for (std::uint64_t c = 0; c < a.cols; c += kLanes) {
    FetchRows(next_dst.At(c / kLanes * share), share, a.cols);
    col({scratch + c * kLanes, panel}, {a.dst + c, a.dst_stride}, tmp, tables.of(a.rows), tables.plain);
  }
}

// Of lines that registers hold and blocks fill.
template <Line kLine, class D, class In, class Out, class T = hn::TFromD<D>>
LineFunction<In, Out, T> LittleFunctionOf(std::uint64_t n) {
  if constexpr (kBlock<D> == 2) {
    if (n == 2) return LineOf<kLine, 2, D, In, Out, T>;
  }
  return n == 4 ? LineOf<kLine, 4, D, In, Out, T> : n == 8 ? LineOf<kLine, 8, D, In, Out, T> : LineOf<kLine, 16, D, In, Out, T>;
}

// A tile of whole registers both ways, of lines that fit in registers.
template <class D, class T = hn::TFromD<D>>
void LittleTile(const SmallCall<T>& a, const dct::SmallTables<T>& tables, T* scratch) {
  constexpr std::size_t kLanes = hn::MaxLanes(D());
  const T* of_row = tables.of(a.cols);
  const T* of_col = tables.of(a.rows);
  if (a.type == DctType::k2) {
    const auto row = LittleFunctionOf<Line::k2Scaled, D, Turned<const T>, Straight<T>>(a.cols);
    const auto col = LittleFunctionOf<Line::k2Scaled, D, Panels<const T>, Straight<T>>(a.rows);
    const std::size_t panel = a.cols * kLanes;
    for (std::uint64_t r = 0; r < a.rows; r += kLanes) {
      row({a.src + r * a.src_stride, a.src_stride}, {scratch + r * a.cols, kLanes}, nullptr, of_row, tables.plain);
    }
    for (std::uint64_t c = 0; c < a.cols; c += kLanes) col({scratch + c * kLanes, panel}, {a.dst + c, a.dst_stride}, nullptr, of_col, tables.plain);
  } else {
    const auto col = LittleFunctionOf<Line::k3, D, Straight<const T>, Straight<T>>(a.rows);
    const auto row = LittleFunctionOf<Line::k3, D, Turned<const T>, Turned<T>>(a.cols);
    for (std::uint64_t c = 0; c < a.cols; c += kLanes) col({a.src + c, a.src_stride}, {scratch + c, a.cols}, nullptr, of_col, tables.plain);
    for (std::uint64_t r = 0; r < a.rows; r += kLanes) {
      row({scratch + r * a.cols, a.cols}, {a.dst + r * a.dst_stride, a.dst_stride}, nullptr, of_row, tables.plain);
    }
  }
}

// LittleTile in the widest registers, D at most, that the tile fills; false if there are none.
template <class D, class T = hn::TFromD<D>>
bool Little(const SmallCall<T>& a, const dct::SmallTables<T>& tables, T* scratch) {
  constexpr std::size_t kLanes = hn::MaxLanes(D());
  if (std::max(a.rows, a.cols) > static_cast<std::uint64_t>(kInRegisters)) return false;
  if (std::min(a.rows, a.cols) >= kLanes) {
    LittleTile<D>(a, tables, scratch);
    return true;
  }
  if constexpr (kLanes > static_cast<std::size_t>(kBlock<D>)) return Little<hn::CappedTag<T, kLanes / 2>>(a, tables, scratch);
  return false;
}

#endif  // HWY_TARGET != HWY_SCALAR

// Tiles of at most so many bytes stay in the first-level cache between their axes.
constexpr std::uint64_t kNearBytes = 1 << 15;

// scratch: rows of dct::scratch_stride(cols) elements.
template <class T>
void SmallTile(const SmallCall<T>& a, const dct::SmallTables<T>& tables, T* scratch) {
  using D = hn::ScalableTag<T>;
  const bool near = a.rows * a.cols * sizeof(T) <= kNearBytes;
  // The next tile is likely to be the one behind this one, or the one to the right. A wrong guess costs no more than the fetching.
  const bool whole = a.src_stride == a.cols && a.dst_stride == a.cols;
  const std::uint64_t step = whole ? a.rows * a.cols : a.cols;
  const Ahead<T> next_src{a.src + step, a.src_stride};
  const Ahead<T> next_dst{a.dst + step, a.dst_stride};
#if HWY_TARGET != HWY_SCALAR
  if (Little<D>(a, tables, scratch)) return;
  if (a.type == DctType::k2 && std::min(a.rows, a.cols) >= hn::MaxLanes(D())) {
    if (near) return PanelTile<D>(a, tables, scratch, next_src, next_dst);
    // Rows of 256, turned, and their intermediates do not fit in the first-level cache.
    if (std::max(a.rows, a.cols) == kMaxSmall) return PanelTile<D>(a, tables, scratch, {nullptr, 0}, {nullptr, 0});
  }
#endif
  const Lines<D> along_row(a.type, a.cols, tables);
  const Lines<D> along_col(a.type, a.rows, tables);
  // dst may hold what is between the axes, unless its columns share few sets of the cache: large powers of two.
  const bool in_dst = a.type == DctType::k3 && near && a.dst_stride <= 2 * kMaxSmall;
  T* between = in_dst ? a.dst : scratch;
  const std::size_t stride = in_dst ? a.dst_stride : dct::scratch_stride(a.cols);
  if (a.type == DctType::k2) {
    Rows(along_row, a.src, a.src_stride, between, stride, a.rows, next_src, next_dst);
    Columns(along_col, static_cast<const T*>(between), stride, a.dst, a.dst_stride, a.cols);
  } else {
    Columns(along_col, a.src, a.src_stride, between, stride, a.cols);
    Rows(along_row, static_cast<const T*>(between), stride, a.dst, a.dst_stride, a.rows, next_src, next_dst);
  }
}
