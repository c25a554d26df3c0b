// Sums of errors over elements, the same for every instruction set.
// Not responsible for where the elements come from.
#pragma once

#include <cstdint>

#include "haagenti/quantize/quantizer.h"

namespace haagenti {

// Sums are kept in this many lanes whatever the width of a register, and added up in lane order: so all registers give one result.
inline constexpr std::size_t kErrorLanes = 16;

struct ErrorLanes {
  alignas(64) double signal_energy[kErrorLanes] = {};
  alignas(64) double error_energy[kErrorLanes] = {};
  alignas(64) double dot[kErrorLanes] = {};
  alignas(64) float max_abs[kErrorLanes] = {};
  alignas(64) float max_abs_error[kErrorLanes] = {};

  ErrorSums total() const;
};

// Adds n elements: x as they were, y as they decode before the rounding to dtype.
void add_error(const float* x, const float* y, std::uint64_t n, DType dtype, ErrorLanes* error);

}  // namespace haagenti
