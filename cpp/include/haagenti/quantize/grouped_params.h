// The parameters of `int8` and `int4` as stored: u32 group_size, u32 reserved. A group_size of 0 means the whole row of the chunk.
// Not responsible for which sizes an encoding offers: see cpp/src/encoding/presets.cpp.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "haagenti/base/bytes.h"
#include "haagenti/base/checked.h"

namespace haagenti {

inline constexpr std::size_t kGroupedParamsSize = 8;

struct GroupedParams {
  std::uint32_t group_size = 0;

  static GroupedParams load(ByteView bytes) { return {load_le<std::uint32_t>(bytes.data())}; }

  std::array<std::uint8_t, kGroupedParamsSize> store() const {
    std::array<std::uint8_t, kGroupedParamsSize> bytes{};
    store_le(bytes.data(), group_size);
    return bytes;
  }

  // Elements of a full group of a row of `cols`; at least 1.
  std::uint64_t group_elements(std::uint64_t cols) const {
    return std::max<std::uint64_t>(1, group_size == 0 ? cols : std::min<std::uint64_t>(group_size, cols));
  }
  std::uint64_t groups_per_row(std::uint64_t cols) const { return ceil_div(cols, group_elements(cols)); }
};

}  // namespace haagenti
