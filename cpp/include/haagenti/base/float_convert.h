// Arrays of F32, F16 and BF16 to binary32 and back, rounding to nearest with ties to even; every bit pattern.
// Not responsible for other types. One element: hd/float_bits.h.
#pragma once

#include <cstdint>

#include "haagenti/base/dtype.h"

namespace haagenti {

void load_f32(const std::uint8_t* src, DType dtype, std::uint64_t n, float* dst);
void store_f32(const float* src, DType dtype, std::uint64_t n, std::uint8_t* dst);

}  // namespace haagenti
