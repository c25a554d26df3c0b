// Tables over the bits of a byte, for instruction sets without compress and expand.
// Not responsible for their use: sparse_expand.cpp and sparse_mask_encode.cpp.
#pragma once

#include <bit>
#include <cstdint>

namespace haagenti::sparse {

// before[bits][i]: how many ones of `bits` are before bit i.
struct OnesBefore {
  std::uint8_t before[256][8];
};

constexpr OnesBefore make_ones_before() {
  OnesBefore table{};
  for (unsigned bits = 0; bits < 256; ++bits) {
    for (unsigned i = 0; i < 8; ++i) table.before[bits][i] = static_cast<std::uint8_t>(std::popcount(bits & ((1u << i) - 1)));
  }
  return table;
}

// at[bits][i]: where one i of `bits` is; 0 after the last.
struct OnesAt {
  std::uint8_t at[256][8];
};

constexpr OnesAt make_ones_at() {
  OnesAt table{};
  for (unsigned bits = 0; bits < 256; ++bits) {
    unsigned n = 0;
    for (unsigned i = 0; i < 8; ++i) {
      if ((bits >> i & 1u) != 0) table.at[bits][n++] = static_cast<std::uint8_t>(i);
    }
  }
  return table;
}

inline constexpr OnesBefore kOnesBefore = make_ones_before();
inline constexpr OnesAt kOnesAt = make_ones_at();

}  // namespace haagenti::sparse
