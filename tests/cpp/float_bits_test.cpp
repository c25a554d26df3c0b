// hd/float_bits.h against the compiler's own binary16 and the definition of bfloat16, for every word.
#include "haagenti/hd/float_bits.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace haagenti {
namespace {

std::uint16_t word_of(_Float16 value) {
  std::uint16_t word;
  std::memcpy(&word, &value, sizeof word);
  return word;
}

bool is_f16_nan(std::uint16_t word) { return (word & 0x7fffu) > 0x7c00u; }

TEST(FloatBits, EveryF16WordWidensAsTheCompilerDoes) {
  for (std::uint32_t w = 0; w < 65536; ++w) {
    const auto word = static_cast<std::uint16_t>(w);
    _Float16 half;
    std::memcpy(&half, &word, sizeof half);
    const float expected = static_cast<float>(half);
    const float found = hd::f16_to_f32(word);
    if (is_f16_nan(word)) {
      EXPECT_TRUE(std::isnan(found)) << w;
    } else {
      EXPECT_EQ(hd::bits_from_float(found), hd::bits_from_float(expected)) << w;
      EXPECT_EQ(hd::f32_to_f16(found), word) << w;
    }
  }
}

TEST(FloatBits, F32ToF16RoundsAsTheCompilerDoes) {
  std::mt19937 random(1);
  for (int i = 0; i < 4'000'000; ++i) {
    // Exponents of 2^-30 .. 2^20 around the range of binary16; every fourth is a tie or next to one.
    std::uint32_t bits = (random() & 0x807fffffu) | ((97 + random() % 50) << 23);
    if (i % 4 == 0) bits = (bits & ~0x1fffu) + 0x1000u + random() % 3 - 1;
    const float value = hd::float_from_bits(bits);
    ASSERT_EQ(hd::f32_to_f16(value), word_of(static_cast<_Float16>(value))) << value;
  }
  EXPECT_TRUE(is_f16_nan(hd::f32_to_f16(NAN)));
  EXPECT_EQ(hd::f32_to_f16(INFINITY), 0x7c00u);
  EXPECT_EQ(hd::f32_to_f16(-INFINITY), 0xfc00u);
}

// The nearest of the two neighbours, found by comparing distances in binary64; the even one of a tie.
std::uint16_t bf16_by_definition(float value) {
  const std::uint32_t bits = hd::bits_from_float(value);
  const auto below = static_cast<std::uint16_t>(bits >> 16);
  const auto above = static_cast<std::uint16_t>(below + 1);
  const double down = std::fabs(static_cast<double>(value) - static_cast<double>(hd::bf16_to_f32(below)));
  const double up = std::fabs(static_cast<double>(hd::bf16_to_f32(above)) - static_cast<double>(value));
  if (down == up) return below % 2 == 0 ? below : above;
  return down < up ? below : above;
}

TEST(FloatBits, F32ToBf16RoundsToNearestEven) {
  std::mt19937 random(2);
  for (int i = 0; i < 2'000'000; ++i) {
    std::uint32_t bits = random();
    if (i % 4 == 0) bits = (bits & 0xffff0000u) | 0x8000u;
    if ((bits & 0x7f800000u) >= 0x7f000000u) continue;
    const float value = hd::float_from_bits(bits);
    ASSERT_EQ(hd::f32_to_bf16(value), bf16_by_definition(value)) << value;
  }
  EXPECT_EQ(hd::f32_to_bf16(3.4e38f), 0x7f80u);
  EXPECT_TRUE(std::isnan(hd::bf16_to_f32(hd::f32_to_bf16(hd::float_from_bits(0x7f800001u)))));
}

}  // namespace
}  // namespace haagenti
