// Views of bytes, and little-endian loads and stores.
// Not responsible for bounds: callers check sizes before they load.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>

namespace haagenti {

static_assert(std::endian::native == std::endian::little, "haagenti's formats are little-endian and read in place");

using ByteView = std::span<const std::uint8_t>;
using MutableByteView = std::span<std::uint8_t>;

template <class T>
T load_le(const std::uint8_t* src) {
  T value;
  std::memcpy(&value, src, sizeof value);
  return value;
}

template <class T>
void store_le(std::uint8_t* dst, T value) {
  std::memcpy(dst, &value, sizeof value);
}

}  // namespace haagenti
