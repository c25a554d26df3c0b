// Rows and columns of matrices through the lanes, for the instruction set being compiled.
// Not responsible for plans or scratch.
// No include guard: included once for each target that needs it, which are not all.

#include <algorithm>

#include "hwy/highway.h"
#include "transform/dct/any_kernels.h"
#include "transform/dct/any_lanes-inl.h"
#include "transform/dct/fft_transpose-inl.h"
#include "transform/dct/any_alone-inl.h"

HWY_BEFORE_NAMESPACE();
namespace haagenti::HWY_NAMESPACE::any_length {

template <class T>
HWY_INLINE void Lanes(const dct::LinesArgs<T>& args, const T* src, std::size_t src_stride, T* dst, std::size_t dst_stride, T* scratch) {
  if (args.type == DctType::k2) {
    LanesForward(*args.plan, src, src_stride, dst, dst_stride, scratch);
  } else {
    LanesInverse(*args.plan, src, src_stride, dst, dst_stride, scratch);
  }
}

// Lines whose panels a second-level cache would not hold, or too few to fill the lanes, are computed one at a time: the same operations on
// every element.
using dct::kMaxPanelBytes;

template <class T>
bool Alone(const dct::LinePlan<T>& plan, std::size_t n_lines) {
  return plan.n2 > 1 && (plan.n * kLanes<T> * sizeof(T) > kMaxPanelBytes || n_lines <= kLanes<T> / 4);
}

template <class T>
HWY_INLINE void AloneLine(const dct::LinesArgs<T>& args, const T* src, T* dst, T* scratch) {
  if (args.type == DctType::k2) {
    AloneForward(*args.plan, src, dst, scratch);
  } else {
    AloneInverse(*args.plan, src, dst, scratch);
  }
}

template <class T>
void LaneRows(const dct::LinesArgs<T>& args) {
  constexpr std::size_t kCount = kLanes<T>;
  const std::size_t n = args.plan->n;
  T* panel = args.scratch;
  for (std::uint64_t line = 0; line < args.n_lines; line += kCount) {
    const std::size_t used = std::min<std::uint64_t>(kCount, args.n_lines - line);
    if (Alone(*args.plan, used)) {
      for (std::size_t l = line; l < line + used; ++l) AloneLine(args, args.src + l * args.src_stride, args.dst + l * args.dst_stride, args.scratch);
      continue;
    }
    LinesToLanes(args.src + line * args.src_stride, args.src_stride, used, n, panel, kCount);
    Lanes<T>(args, panel, kCount, panel, kCount, panel + n * kCount);
    LanesToLines(panel, kCount, args.dst + line * args.dst_stride, args.dst_stride, used, n);
  }
}

template <class T>
HWY_NOINLINE void GatherColumns(const T* src, std::size_t stride, std::size_t used, std::size_t n, T* panel) {
  const LaneTag<T> d;
  if (used == kLanes<T>) {
    for (std::size_t i = 0; i < n; ++i) hn::StoreU(hn::LoadU(d, src + i * stride), d, panel + i * kLanes<T>);
  } else {
    for (std::size_t i = 0; i < n; ++i) hn::StoreU(hn::LoadN(d, src + i * stride, used), d, panel + i * kLanes<T>);
  }
}
template <class T>
HWY_NOINLINE void ScatterColumns(const T* panel, T* dst, std::size_t stride, std::size_t used, std::size_t n) {
  const LaneTag<T> d;
  if (used == kLanes<T>) {
    for (std::size_t i = 0; i < n; ++i) hn::StoreU(hn::LoadU(d, panel + i * kLanes<T>), d, dst + i * stride);
  } else {
    for (std::size_t i = 0; i < n; ++i) hn::StoreN(hn::LoadU(d, panel + i * kLanes<T>), d, dst + i * stride, used);
  }
}

// Columns as lines of their own and back. Scratch: the lines, a panel, and what a line takes.
template <class T>
void AloneCols(const dct::LinesArgs<T>& args, const T* src, T* dst, std::size_t used) {
  constexpr std::size_t kCount = kLanes<T>;
  const std::size_t n = args.plan->n;
  T* lines = args.scratch;
  T* panel = lines + n * kCount;
  T* rest = panel + n * kCount;
  if (used == kCount) {
    LanesToLines(src, args.src_stride, lines, n, used, n);
  } else {
    GatherColumns(src, args.src_stride, used, n, panel);
    LanesToLines(panel, kCount, lines, n, used, n);
  }
  for (std::size_t l = 0; l < used; ++l) AloneLine(args, lines + l * n, lines + l * n, rest);
  if (used == kCount) {
    LinesToLanes(lines, n, used, n, dst, args.dst_stride);
  } else {
    LinesToLanes(lines, n, used, n, panel, kCount);
    ScatterColumns(panel, dst, args.dst_stride, used, n);
  }
}

// Columns that are read and written together, in runs of several cache lines: strips of kLanes, as many panels.
constexpr std::size_t kMaxStrips = 4;
constexpr std::size_t kPrefetchRows = 8;  // ahead

template <std::size_t kStrips, class T>
HWY_INLINE void PrefetchRun(const T* at) {
  constexpr std::size_t kLine = 64 / sizeof(T);
#pragma GCC unroll 4
  for (std::size_t i = 0; i < kStrips * kLanes<T>; i += kLine) hwy::Prefetch(at + i);
}

template <std::size_t kStrips, class T>
HWY_NOINLINE void GatherStrips(const T* src, std::size_t stride, std::size_t n, T* panels) {
  const LaneTag<T> d;
  constexpr std::size_t kCount = kLanes<T>;
  for (std::size_t i = 0; i < n; ++i) {
    if (i + kPrefetchRows < n) PrefetchRun<kStrips>(src + (i + kPrefetchRows) * stride);
#pragma GCC unroll 4
    for (std::size_t s = 0; s < kStrips; ++s) hn::StoreU(hn::LoadU(d, src + i * stride + s * kCount), d, panels + (s * n + i) * kCount);
  }
}
template <std::size_t kStrips, class T>
HWY_NOINLINE void ScatterStrips(const T* panels, T* dst, std::size_t stride, std::size_t n) {
  const LaneTag<T> d;
  constexpr std::size_t kCount = kLanes<T>;
  for (std::size_t i = 0; i < n; ++i) {
    if (i + kPrefetchRows < n) PrefetchRun<kStrips>(dst + (i + kPrefetchRows) * stride);
#pragma GCC unroll 4
    for (std::size_t s = 0; s < kStrips; ++s) hn::StoreU(hn::LoadU(d, panels + (s * n + i) * kCount), d, dst + i * stride + s * kCount);
  }
}

// Strips while they last; the column after them.
template <std::size_t kStrips, class T>
std::uint64_t StripCols(const dct::LinesArgs<T>& args, std::uint64_t col) {
  constexpr std::size_t kCount = kLanes<T>;
  const std::size_t n = args.plan->n, size = n * kCount;
  T* panels = args.scratch;
  for (; col + kStrips * kCount <= args.n_lines; col += kStrips * kCount) {
    GatherStrips<kStrips>(args.src + col, args.src_stride, n, panels);
    for (std::size_t s = 0; s < kStrips; ++s) Lanes<T>(args, panels + s * size, kCount, panels + s * size, kCount, panels + kStrips * size);
    ScatterStrips<kStrips>(panels, args.dst + col, args.dst_stride, n);
  }
  return col;
}

template <class T>
void LaneCols(const dct::LinesArgs<T>& args) {
  constexpr std::size_t kCount = kLanes<T>;
  const std::size_t n = args.plan->n;
  T* panel = args.scratch;
  const std::uint64_t panel_bytes = n * kCount * sizeof(T);
  std::uint64_t col = 0;
  if (4 * panel_bytes <= kMaxPanelBytes) col = StripCols<4>(args, col);
  if (2 * panel_bytes <= kMaxPanelBytes) col = StripCols<2>(args, col);
  if (panel_bytes <= kMaxPanelBytes) col = StripCols<1>(args, col);
  for (; col < args.n_lines; col += kCount) {
    const std::size_t used = std::min<std::uint64_t>(kCount, args.n_lines - col);
    const T* src = args.src + col;
    T* dst = args.dst + col;
    if (Alone(*args.plan, used)) {
      AloneCols(args, src, dst, used);
      continue;
    }
    GatherColumns(src, args.src_stride, used, n, panel);
    Lanes<T>(args, panel, kCount, panel, kCount, panel + n * kCount);
    ScatterColumns(panel, dst, args.dst_stride, used, n);
  }
}

}  // namespace haagenti::HWY_NAMESPACE::any_length
HWY_AFTER_NAMESPACE();
