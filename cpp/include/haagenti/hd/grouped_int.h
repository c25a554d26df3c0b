// The meaning of the codes of `int8` and `int4`: where an element's code is, and what value it stands for.
// Not responsible for choosing scales nor for arrays. Format: cpp/src/quantize/spec.md.
#pragma once

#include <cstdint>

#include "haagenti/hd/float_bits.h"
#include "haagenti/hd/macros.h"

namespace haagenti::hd {

inline constexpr int kInt4Offset = 8;  // nibble = q + 8
inline constexpr int kInt4Min = -8;
inline constexpr int kInt4Max = 7;
inline constexpr int kInt8Min = -127;
inline constexpr int kInt8Max = 127;

// Code of element `col` of a packed int4 row: even elements in low nibbles.
HGT_HD int int4_code(const std::uint8_t* packed_row, std::uint64_t col) {
  const unsigned byte = packed_row[col / 2];
  return static_cast<int>(col % 2 == 0 ? byte & 0x0fu : byte >> 4) - kInt4Offset;
}

HGT_HD int int8_code(const std::uint8_t* row, std::uint64_t col) { return static_cast<std::int8_t>(row[col]); }

HGT_HD std::uint8_t pack_int4(int low, int high) {
  return static_cast<std::uint8_t>((low + kInt4Offset) | ((high + kInt4Offset) << 4));
}

// Exact: a code has at most 8 bits and a binary16 scale 11, a binary32 product 24.
HGT_HD float dequantize_int(int code, std::uint16_t scale_f16) { return static_cast<float>(code) * f16_to_f32(scale_f16); }

}  // namespace haagenti::hd
