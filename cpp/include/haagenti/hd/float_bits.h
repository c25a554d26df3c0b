// Conversions between binary32, binary16 and bfloat16 by bits, rounding to nearest with ties to even.
// Not responsible for arrays: SIMD versions stand beside the code that needs them and are tested against these for every input word.
//
//   binary16   s eeeee mmmmmmmmmm                     bias 15
//   bfloat16   s eeeeeeee mmmmmmm                     bias 127, the upper half of a binary32
//   binary32   s eeeeeeee mmmmmmmmmmmmmmmmmmmmmmm     bias 127
//
// Source: IEEE 754-2019, 3.4 and 4.3.1.
#pragma once

#include <cstdint>
#include <cstring>

#include "haagenti/hd/macros.h"

namespace haagenti::hd {

HGT_HD float float_from_bits(std::uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

HGT_HD std::uint32_t bits_from_float(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

// The bits without the sign: in the order of the magnitudes, NaNs after infinity.
HGT_HD std::uint32_t magnitude_bits(float value) { return bits_from_float(value) & 0x7fffffffu; }
inline constexpr std::uint32_t kInfinityBits = 0x7f800000u;

HGT_HD float bf16_to_f32(std::uint16_t word) { return float_from_bits(static_cast<std::uint32_t>(word) << 16); }

// Adds half of the last kept place, less one when that place is even. A NaN keeps its payload's top bits and becomes quiet.
HGT_HD std::uint16_t f32_to_bf16(float value) {
  const std::uint32_t bits = bits_from_float(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<std::uint16_t>((bits >> 16) | 0x0040u);
  return static_cast<std::uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

HGT_HD float f16_to_f32(std::uint16_t word) {
  const std::uint32_t sign = static_cast<std::uint32_t>(word & 0x8000u) << 16;
  const std::uint32_t magnitude = word & 0x7fffu;
  if (magnitude >= 0x7c00u) return float_from_bits(sign | 0x7f800000u | (magnitude & 0x03ffu) << 13);
  if (magnitude >= 0x0400u) return float_from_bits(sign | ((magnitude << 13) + (112u << 23)));
  // Subnormal: magnitude * 2^-24, exact in binary32.
  const float value = static_cast<float>(magnitude) * 5.9604644775390625e-08f;
  return float_from_bits(sign | bits_from_float(value));
}

HGT_HD std::uint16_t f32_to_f16(float value) {
  const std::uint32_t bits = bits_from_float(value);
  const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000u);
  const std::uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return static_cast<std::uint16_t>(sign | 0x7e00u | ((magnitude >> 13) & 0x03ffu));
  if (magnitude >= 0x477ff000u) return static_cast<std::uint16_t>(sign | 0x7c00u);  // 65520 and above round to infinity
  if (magnitude >= 0x38800000u) {                                                   // 2^-14: the least normal
    const std::uint32_t rounded = magnitude + 0x0fffu + ((magnitude >> 13) & 1u);
    return static_cast<std::uint16_t>(sign | ((rounded - (112u << 23)) >> 13));
  }
  // Adding 2^-1 leaves the subnormal's 24-bit-scaled integer, correctly rounded, in the low bits of the sum's mantissa.
  const float shifted = float_from_bits(magnitude) + 0.5f;
  return static_cast<std::uint16_t>(sign | (bits_from_float(shifted) - 0x3f000000u));
}

}  // namespace haagenti::hd
