// The loops of any.cpp, compiled for every instruction set, one source for each type. They neither check nor allocate.
#pragma once

#include <cstdint>

#include "haagenti/transform/dct.h"
#include "transform/dct/plan.h"

namespace haagenti::dct {

// Lines in lanes take panels of no more bytes each, so that a second-level cache holds them; longer ones are computed one at a time.
inline constexpr std::uint64_t kMaxPanelBytes = 1u << 20;

template <class T>
struct LinesArgs {
  const LinePlan<T>* plan;
  DctType type;
  const T* src;
  std::uint64_t src_stride;
  T* dst;
  std::uint64_t dst_stride;
  std::uint64_t n_lines;
  T* scratch;  // see any.cpp
};

void any_rows_f32(const LinesArgs<float>& args);
void any_cols_f32(const LinesArgs<float>& args);
void any_rows_f64(const LinesArgs<double>& args);
void any_cols_f64(const LinesArgs<double>& args);

}  // namespace haagenti::dct
