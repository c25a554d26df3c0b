// The drivers: axes, planes and tiles of arrays, cut into pieces for the threads. See haagenti/transform/dct.h.
// Not responsible for computing a line: small.h (1, 2, 4, ..., 256), any.h (the others).
#include "haagenti/transform/dct.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <thread>
#include <type_traits>
#include <vector>

#include "haagenti/base/buffer.h"
#include "haagenti/base/error.h"
#include "haagenti/base/executor.h"
#include "haagenti/base/float_convert.h"
#include "transform/dct/any.h"
#include "transform/dct/small.h"

namespace haagenti {
namespace {

constexpr std::uint64_t kPiece = 1 << 16;      // elements of a piece of work, about: 30 us or more
constexpr std::uint64_t kLineGroup = 16;       // lines or columns that fill the widest register
constexpr std::uint64_t kColumnGroup = 64;     // columns that are gathered together
constexpr std::uint64_t kFewColumns = 8;       // fewer are computed as lines, gathered
constexpr std::uint64_t kWholePlane = 1 << 18; // elements of a plane that one thread does alone: both passes from the second-level cache

using std::uint64_t;

uint64_t divide_up(uint64_t n, uint64_t by) { return (n + by - 1) / by; }
uint64_t round_up(uint64_t n, uint64_t to) { return divide_up(n, to) * to; }

// Asks the caller's Poll, on the caller's thread alone and every few milliseconds.
class Watch {
 public:
  Watch() = default;
  explicit Watch(const Poll& poll) : poll_(poll ? &poll : nullptr), caller_(std::this_thread::get_id()) {}
  void operator()() {
    if (poll_ == nullptr || std::this_thread::get_id() != caller_) return;
    const auto now = std::chrono::steady_clock::now();
    if (now < next_) return;
    (*poll_)();
    next_ = now + std::chrono::milliseconds(5);
  }

 private:
  const Poll* poll_ = nullptr;
  std::thread::id caller_;
  std::chrono::steady_clock::time_point next_{};
};

template <class T>
void rows(DctType type, const T* src, uint64_t src_stride, T* dst, uint64_t dst_stride, uint64_t n_lines, uint64_t n) {
  if (dct::is_small(n)) return dct::small_rows(type, src, src_stride, dst, dst_stride, n_lines, n);
  dct::any_rows(type, src, src_stride, dst, dst_stride, n_lines, n);
}
template <class T>
void cols(DctType type, const T* src, uint64_t src_stride, T* dst, uint64_t dst_stride, uint64_t n, uint64_t n_cols) {
  if (dct::is_small(n)) return dct::small_cols(type, src, src_stride, dst, dst_stride, n, n_cols);
  dct::any_cols(type, src, src_stride, dst, dst_stride, n, n_cols);
}

// A matrix of T in an array, rows `stride` elements apart.
template <class T>
struct Matrix {
  T* at;
  uint64_t stride;
  Matrix part(uint64_t row, uint64_t col) const { return {at + row * stride + col, stride}; }
};

// Calls run(begin, end) on pieces of [0, n) that are multiples of `unit`, of about kPiece elements.
template <class Run>
void pieces(uint64_t n, uint64_t unit, uint64_t elements_each, Watch& watch, const Run& run) {
  const uint64_t step = round_up(std::max<uint64_t>(1, kPiece / std::max<uint64_t>(1, elements_each)), unit);
  watch();
  parallel_for(divide_up(n, step), [&](std::size_t i) {
    watch();
    run(i * step, std::min(n, (i + 1) * step));
  });
}

template <class T>
void all_rows(DctType type, Matrix<const T> src, Matrix<T> dst, uint64_t n_rows, uint64_t n, Watch& watch) {
  pieces(n_rows, kLineGroup, n, watch, [&](uint64_t begin, uint64_t end) {
    rows(type, src.part(begin, 0).at, src.stride, dst.part(begin, 0).at, dst.stride, end - begin, n);
  });
}
template <class T>
void all_cols(DctType type, Matrix<const T> src, Matrix<T> dst, uint64_t n, uint64_t n_cols, Watch& watch) {
  pieces(n_cols, n_cols >= 4 * kColumnGroup ? kColumnGroup : kLineGroup, n, watch, [&](uint64_t begin, uint64_t end) {
    cols(type, src.at + begin, src.stride, dst.at + begin, dst.stride, n, end - begin);
  });
}

// Both axes of a matrix: DCT-II along rows first, DCT-III along columns first. One thread.
template <class T>
void plane(DctType type, Matrix<const T> src, Matrix<T> dst, uint64_t n_rows, uint64_t n_cols) {
  if (dct::is_small(n_rows) && dct::is_small(n_cols)) return dct::small_tile(type, src.at, src.stride, dst.at, dst.stride, n_rows, n_cols);
  if (type == DctType::k2) {
    rows(type, src.at, src.stride, dst.at, dst.stride, n_rows, n_cols);
    cols(type, static_cast<const T*>(dst.at), dst.stride, dst.at, dst.stride, n_rows, n_cols);
  } else {
    cols(type, src.at, src.stride, dst.at, dst.stride, n_rows, n_cols);
    rows(type, static_cast<const T*>(dst.at), dst.stride, dst.at, dst.stride, n_rows, n_cols);
  }
}

// As plane, on all threads.
template <class T>
void large_plane(DctType type, Matrix<const T> src, Matrix<T> dst, uint64_t n_rows, uint64_t n_cols, Watch& watch) {
  const Matrix<const T> between = {dst.at, dst.stride};
  if (type == DctType::k2) {
    all_rows(type, src, dst, n_rows, n_cols, watch);
    all_cols(type, between, dst, n_rows, n_cols, watch);
  } else {
    all_cols(type, src, dst, n_rows, n_cols, watch);
    all_rows(type, between, dst, n_rows, n_cols, watch);
  }
}

// (outer, n, inner) with few columns: lines are gathered.
template <class T>
void few_cols(DctType type, const T* src, T* dst, uint64_t n, uint64_t inner, uint64_t begin, uint64_t end) {
  constexpr uint64_t kGroup = kLineGroup;
  std::vector<T> lines(kGroup * n);
  for (uint64_t line = begin; line < end; line += kGroup) {
    const uint64_t used = std::min(kGroup, end - line);
    const auto at = [&](uint64_t l) { return (line + l) / inner * n * inner + (line + l) % inner; };
    for (uint64_t l = 0; l < used; ++l) {
      for (uint64_t i = 0; i < n; ++i) lines[l * n + i] = src[at(l) + i * inner];
    }
    rows(type, static_cast<const T*>(lines.data()), n, lines.data(), n, used, n);
    for (uint64_t l = 0; l < used; ++l) {
      for (uint64_t i = 0; i < n; ++i) dst[at(l) + i * inner] = lines[l * n + i];
    }
  }
}

template <class T>
void axis(DctType type, const T* src, T* dst, uint64_t outer, uint64_t n, uint64_t inner, Watch& watch) {
  if (inner == 1) return all_rows<T>(type, {src, n}, {dst, n}, outer, n, watch);
  if (inner < kFewColumns) {
    return pieces(outer * inner, inner * kLineGroup, n, watch, [&](uint64_t begin, uint64_t end) { few_cols(type, src, dst, n, inner, begin, end); });
  }
  // Strips of the columns of each of the outer matrices; whole matrices where these are small.
  const uint64_t width = std::min(inner, round_up(std::max<uint64_t>(1, kPiece / n), inner >= 4 * kColumnGroup ? kColumnGroup : kLineGroup));
  const uint64_t strips = divide_up(inner, width);
  pieces(outer * strips, 1, n * width, watch, [&](uint64_t begin, uint64_t end) {
    for (uint64_t i = begin; i < end; ++i) {
      const uint64_t col = i % strips * width, at = i / strips * n * inner + col;
      cols(type, src + at, inner, dst + at, inner, n, std::min(width, inner - col));
    }
  });
}

template <class T>
void planes(DctType type, const T* src, T* dst, uint64_t batch, uint64_t n_rows, uint64_t n_cols, Watch& watch) {
  const uint64_t size = n_rows * n_cols;
  const auto from = [&](uint64_t b) { return Matrix<const T>{src + b * size, n_cols}; };
  const auto to = [&](uint64_t b) { return Matrix<T>{dst + b * size, n_cols}; };
  if (size <= kWholePlane && (batch >= num_threads() || size <= kPiece)) {
    return pieces(batch, 1, size, watch, [&](uint64_t begin, uint64_t end) {
      for (uint64_t b = begin; b < end; ++b) plane(type, from(b), to(b), n_rows, n_cols);
    });
  }
  for (uint64_t b = 0; b < batch; ++b) large_plane(type, from(b), to(b), n_rows, n_cols, watch);
}

template <class T>
void tiles(DctType type, const T* src, T* dst, const TileGrid& g, Watch& watch) {
  const uint64_t across = divide_up(g.cols, g.block_cols), down = divide_up(g.rows, g.block_rows);
  const auto tile = [&](uint64_t i, const auto& run) {
    const uint64_t row = i / across * g.block_rows, col = i % across * g.block_cols;
    run(Matrix<const T>{src, g.src_stride}.part(row, col), Matrix<T>{dst, g.dst_stride}.part(row, col), std::min(g.block_rows, g.rows - row),
        std::min(g.block_cols, g.cols - col));
  };
  const uint64_t size = std::min(g.block_rows, g.rows) * std::min(g.block_cols, g.cols);
  if (size <= kPiece || (size <= kWholePlane && across * down >= num_threads())) {
    return pieces(across * down, 1, size, watch, [&](uint64_t begin, uint64_t end) {
      for (uint64_t i = begin; i < end; ++i) {
        tile(i, [&](auto from, auto to, uint64_t h, uint64_t w) { plane<T>(type, from, to, h, w); });
      }
    });
  }
  for (uint64_t i = 0; i < across * down; ++i) {
    tile(i, [&](auto from, auto to, uint64_t h, uint64_t w) { large_plane<T>(type, from, to, h, w, watch); });
  }
}

// --- F16 and BF16: parts in binary32, rounded once ---------------------------------------------------------------------------------------

struct HalfMatrix {
  DType dtype;
  const std::uint8_t* src;
  uint64_t src_stride;
  std::uint8_t* dst;
  uint64_t dst_stride;

  void load(uint64_t at, uint64_t n_rows, uint64_t n_cols, float* out) const {
    for (uint64_t r = 0; r < n_rows; ++r) load_f32(src + 2 * (at + r * src_stride), dtype, n_cols, out + r * n_cols);
  }
  void store(const float* in, uint64_t at, uint64_t n_rows, uint64_t n_cols) const {
    for (uint64_t r = 0; r < n_rows; ++r) store_f32(in + r * n_cols, dtype, n_cols, dst + 2 * (at + r * dst_stride));
  }
};

struct Floats {
  explicit Floats(uint64_t n) : bytes(n * sizeof(float)) {}
  float* data() { return reinterpret_cast<float*>(bytes.data()); }
  Buffer bytes;
};

void half_axis(DctType type, const DctArrays& a, uint64_t outer, uint64_t n, uint64_t inner, Watch& watch) {
  const HalfMatrix m = {a.dtype, a.src, inner, a.dst, inner};
  const uint64_t width = inner < kFewColumns ? inner : std::min(inner, round_up(std::max<uint64_t>(1, kPiece / n), kLineGroup));
  const uint64_t strips = divide_up(inner, width);
  const uint64_t together = strips > 1 || width * n >= kPiece ? 1 : round_up(kPiece / (width * n), kLineGroup);  // matrices
  pieces(divide_up(outer, together) * strips, 1, together * n * width, watch, [&](uint64_t begin, uint64_t end) {
    Floats part(together * n * width);
    Watch none;
    for (uint64_t i = begin; i < end; ++i) {
      const uint64_t first = i / strips * together, count = std::min(together, outer - first);
      const uint64_t col = i % strips * width, used = std::min(width, inner - col), at = first * n * inner + col;
      m.load(at, count * n, used, part.data());
      axis<float>(type, part.data(), part.data(), count, n, used, none);
      m.store(part.data(), at, count * n, used);
    }
  });
}

void half_tiles(DctType type, const DctArrays& a, const TileGrid& g, Watch& watch) {
  const HalfMatrix m = {a.dtype, a.src, g.src_stride, a.dst, g.dst_stride};
  const uint64_t across = divide_up(g.cols, g.block_cols), down = divide_up(g.rows, g.block_rows);
  const uint64_t height = std::min(g.block_rows, g.rows), width = std::min(g.block_cols, g.cols);
  const auto run = [&](uint64_t i, float* part, Watch& inner_watch) {
    const uint64_t row = i / across * g.block_rows, col = i % across * g.block_cols;
    const uint64_t h = std::min(g.block_rows, g.rows - row), w = std::min(g.block_cols, g.cols - col);
    m.load(row * g.src_stride + col, h, w, part);
    if (h * w <= kWholePlane) {
      plane<float>(type, {part, w}, {part, w}, h, w);
    } else {
      large_plane<float>(type, {part, w}, {part, w}, h, w, inner_watch);
    }
    m.store(part, row * g.dst_stride + col, h, w);
  };
  if (height * width <= kWholePlane) {
    return pieces(across * down, 1, height * width, watch, [&](uint64_t begin, uint64_t end) {
      Floats part(height * width);
      Watch none;
      for (uint64_t i = begin; i < end; ++i) run(i, part.data(), none);
    });
  }
  Floats part(height * width);
  for (uint64_t i = 0; i < across * down; ++i) run(i, part.data(), watch);
}

// Calls run(T) for F32 and F64, half() for F16 and BF16.
template <class Run, class Half>
void with_dtype(const DctArrays& a, const Run& run, const Half& half) {
  switch (a.dtype) {
    case DType::kF32: return run(reinterpret_cast<const float*>(a.src), reinterpret_cast<float*>(a.dst));
    case DType::kF64: return run(reinterpret_cast<const double*>(a.src), reinterpret_cast<double*>(a.dst));
    case DType::kF16:
    case DType::kBF16: return half();
    default: fail(ErrorKind::kInvalidArgument, "cosine transforms take F64, F32, F16 and BF16, found ", dtype_name(a.dtype));
  }
}

}  // namespace

void dct_axis(DctType type, const DctArrays& arrays, uint64_t outer, uint64_t n, uint64_t inner, const Poll& poll) {
  Watch watch(poll);
  const bool empty = outer == 0 || n == 0 || inner == 0;
  with_dtype(
      arrays, [&](auto src, auto dst) { if (!empty) axis(type, src, dst, outer, n, inner, watch); },
      [&] { if (!empty) half_axis(type, arrays, outer, n, inner, watch); });
}

void dct_planes(DctType type, const DctArrays& arrays, uint64_t batch, uint64_t n_rows, uint64_t n_cols, const Poll& poll) {
  Watch watch(poll);
  const bool empty = batch == 0 || n_rows == 0 || n_cols == 0;
  with_dtype(
      arrays, [&](auto src, auto dst) { if (!empty) planes(type, src, dst, batch, n_rows, n_cols, watch); },
      [&] { if (!empty) half_tiles(type, arrays, {batch * n_rows, n_cols, n_cols, n_cols, n_rows, n_cols}, watch); });
}

void dct_tiles(DctType type, const DctArrays& arrays, const TileGrid& grid, const Poll& poll) {
  Watch watch(poll);
  if (grid.block_rows == 0 || grid.block_cols == 0) {
    fail(ErrorKind::kInvalidArgument, "cosine transforms take tiles of 1 x 1 elements or more, found ", grid.block_rows, " x ", grid.block_cols);
  }
  const bool empty = grid.rows == 0 || grid.cols == 0;
  with_dtype(
      arrays, [&](auto src, auto dst) { if (!empty) tiles(type, src, dst, grid, watch); }, [&] { if (!empty) half_tiles(type, arrays, grid, watch); });
}

void dct_rows_f32(DctType type, float* data, uint64_t stride, uint64_t n_rows, uint64_t n) {
  Watch watch;
  if (n_rows != 0 && n != 0) all_rows<float>(type, {data, stride}, {data, stride}, n_rows, n, watch);
}

}  // namespace haagenti
