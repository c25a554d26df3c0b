#include "transform/dct/any.h"

#include <algorithm>

#include "haagenti/base/buffer.h"
#include "transform/dct/any_kernels.h"
#include "transform/dct/bluestein.h"
#include "transform/dct/plan.h"

namespace haagenti::dct {
namespace {

constexpr std::uint64_t kMaxLanes = 64;                 // bytes of the widest register used
constexpr std::uint64_t kMaxKeptScratch = 8ull << 20;  // bytes

void run_rows(const LinesArgs<float>& args) { any_rows_f32(args); }
void run_rows(const LinesArgs<double>& args) { any_rows_f64(args); }
void run_cols(const LinesArgs<float>& args) { any_cols_f32(args); }
void run_cols(const LinesArgs<double>& args) { any_cols_f64(args); }

// Scratch of a thread: grows and stays, unless it is large.
class Scratch {
 public:
  explicit Scratch(std::uint64_t n_bytes) {
    if (kept().size() < n_bytes) kept() = Buffer(n_bytes);
  }
  ~Scratch() {
    if (kept().size() > kMaxKeptScratch) kept() = Buffer();
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  template <class T>
  T* as() const {
    return reinterpret_cast<T*>(kept().data());
  }

 private:
  static Buffer& kept() {
    thread_local Buffer buffer;
    return buffer;
  }
};

// Of rows: a panel of the lines, and one of m complex numbers with four parts of n1 or n2 of them behind, all for no more lines than fit
// kMaxPanelBytes; or what a line alone takes (any_alone-inl.h). Of columns also panels of gathered lines, at most four or that many bytes.
template <class T>
std::uint64_t scratch_bytes(const LinePlan<T>& plan, bool cols) {
  const std::uint64_t whole = kMaxLanes * plan.n, panel = plan.n2 > 1 ? std::min(whole, kMaxPanelBytes) : whole;
  const std::uint64_t parts = kMaxLanes * 8 * (plan.n1 + plan.n2);
  return 5 * panel + parts + 4 * plan.m * sizeof(T) + (cols ? std::max(2 * whole, std::min(4 * whole, kMaxPanelBytes)) : 0);
}

}  // namespace

template <class T>
void any_rows(DctType type, const T* src, std::uint64_t src_stride, T* dst, std::uint64_t dst_stride, std::uint64_t n_lines, std::uint64_t n) {
  if (n_lines == 0 || n == 0) return;
  const auto plan = line_plan<T>(n);
  if (plan->bluestein) {
    for (std::uint64_t line = 0; line < n_lines; ++line) bluestein_line(type, src + line * src_stride, 1, dst + line * dst_stride, 1, n);
    return;
  }
  const Scratch scratch(scratch_bytes(*plan, false));
  run_rows(LinesArgs<T>{plan.get(), type, src, src_stride, dst, dst_stride, n_lines, scratch.as<T>()});
}

template <class T>
void any_cols(DctType type, const T* src, std::uint64_t src_stride, T* dst, std::uint64_t dst_stride, std::uint64_t n, std::uint64_t n_cols) {
  if (n_cols == 0 || n == 0) return;
  const auto plan = line_plan<T>(n);
  if (plan->bluestein) {
    for (std::uint64_t col = 0; col < n_cols; ++col) bluestein_line(type, src + col, src_stride, dst + col, dst_stride, n);
    return;
  }
  const Scratch scratch(scratch_bytes(*plan, true));
  run_cols(LinesArgs<T>{plan.get(), type, src, src_stride, dst, dst_stride, n_cols, scratch.as<T>()});
}

#define HAAGENTI_ANY(T)                                                                                                                   \
  template void any_rows(DctType, const T*, std::uint64_t, T*, std::uint64_t, std::uint64_t, std::uint64_t);                              \
  template void any_cols(DctType, const T*, std::uint64_t, T*, std::uint64_t, std::uint64_t, std::uint64_t);
HAAGENTI_ANY(float)
HAAGENTI_ANY(double)
#undef HAAGENTI_ANY

}  // namespace haagenti::dct
