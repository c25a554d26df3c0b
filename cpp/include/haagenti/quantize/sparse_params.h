// The parameters of `sparse` as stored, 16 bytes: u8 coefficients, u8 target, u16 group_size, f32 target_value, f32 mean, u32 reserved.
// `target` says how the encoder chose what to keep; a decoder needs only coefficients, group_size and mean.
// Not responsible for which of them an encoding offers: see cpp/src/encoding/presets.cpp.
#pragma once

#include <array>
#include <cstdint>

#include "haagenti/base/bytes.h"

namespace haagenti {

inline constexpr std::size_t kSparseParamsSize = 16;

enum class CoefficientType : std::uint8_t { kF32 = 0, kF16 = 1, kInt8 = 2, kInt4 = 3 };
constexpr std::uint32_t coefficient_bits(CoefficientType type) {
  constexpr std::uint32_t kBits[] = {32, 16, 8, 4};
  return kBits[static_cast<std::size_t>(type)];
}

constexpr bool has_scales(CoefficientType type) { return type == CoefficientType::kInt8 || type == CoefficientType::kInt4; }

enum class SparseTarget : std::uint8_t { kRetention = 0, kEnergy = 1, kBitsPerWeight = 2 };

struct SparseParams {
  CoefficientType coefficients = CoefficientType::kInt4;
  SparseTarget target = SparseTarget::kRetention;
  std::uint16_t group_size = 32;  // kept values that share a binary16 scale; 0 for F16 and F32, which have none
  float target_value = 0.7f;      // share of the values, share of the energy, or bits a weight of the whole record
  float mean = 0;                 // of the tensor; taken off before the transform

  static SparseParams load(ByteView bytes) {
    return {static_cast<CoefficientType>(bytes[0]), static_cast<SparseTarget>(bytes[1]), load_le<std::uint16_t>(bytes.data() + 2),
            load_le<float>(bytes.data() + 4), load_le<float>(bytes.data() + 8)};
  }

  std::array<std::uint8_t, kSparseParamsSize> store() const {
    std::array<std::uint8_t, kSparseParamsSize> bytes{};
    bytes[0] = static_cast<std::uint8_t>(coefficients);
    bytes[1] = static_cast<std::uint8_t>(target);
    store_le(bytes.data() + 2, group_size);
    store_le(bytes.data() + 4, target_value);
    store_le(bytes.data() + 8, mean);
    return bytes;
  }
};

}  // namespace haagenti
