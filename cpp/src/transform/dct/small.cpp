#include "transform/dct/small.h"

#include <memory>
#include <type_traits>

#include "hwy/aligned_allocator.h"
#include "transform/dct/small_kernels.h"

namespace haagenti::dct {
namespace {

// At least n elements, this thread's until its next call.
template <class T>
T* tile_scratch(std::uint64_t n) {
  thread_local hwy::AlignedFreeUniquePtr<T[]> memory;
  thread_local std::uint64_t size = 0;
  if (size < n) {
    memory = hwy::AllocateAligned<T>(n);
    if (memory == nullptr) throw std::bad_alloc();
    size = n;
  }
  return memory.get();
}

}  // namespace

template <class T>
void small_rows(DctType type, const T* src, std::uint64_t src_stride, T* dst, std::uint64_t dst_stride, std::uint64_t n_lines, std::uint64_t n) {
  const SmallCall<T> call{type, src, src_stride, dst, dst_stride, n_lines, n};
  if constexpr (std::is_same_v<T, float>) {
    rows_f32(call);
  } else {
    rows_f64(call);
  }
}

template <class T>
void small_cols(DctType type, const T* src, std::uint64_t src_stride, T* dst, std::uint64_t dst_stride, std::uint64_t n, std::uint64_t n_cols) {
  const SmallCall<T> call{type, src, src_stride, dst, dst_stride, n, n_cols};
  if constexpr (std::is_same_v<T, float>) {
    cols_f32(call);
  } else {
    cols_f64(call);
  }
}

template <class T>
void small_tile(DctType type, const T* src, std::uint64_t src_stride, T* dst, std::uint64_t dst_stride, std::uint64_t rows, std::uint64_t cols) {
  const SmallCall<T> call{type, src, src_stride, dst, dst_stride, rows, cols};
  T* scratch = tile_scratch<T>(rows * scratch_stride(cols));
  if constexpr (std::is_same_v<T, float>) {
    tile_f32(call, scratch);
  } else {
    tile_f64(call, scratch);
  }
}

template void small_rows(DctType, const float*, std::uint64_t, float*, std::uint64_t, std::uint64_t, std::uint64_t);
template void small_rows(DctType, const double*, std::uint64_t, double*, std::uint64_t, std::uint64_t, std::uint64_t);
template void small_cols(DctType, const float*, std::uint64_t, float*, std::uint64_t, std::uint64_t, std::uint64_t);
template void small_cols(DctType, const double*, std::uint64_t, double*, std::uint64_t, std::uint64_t, std::uint64_t);
template void small_tile(DctType, const float*, std::uint64_t, float*, std::uint64_t, std::uint64_t, std::uint64_t);
template void small_tile(DctType, const double*, std::uint64_t, double*, std::uint64_t, std::uint64_t, std::uint64_t);

}  // namespace haagenti::dct
