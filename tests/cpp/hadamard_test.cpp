// The fast Walsh-Hadamard transform against its definition, on every instruction set of the machine.
#include "haagenti/transform/hadamard.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <random>
#include <stdexcept>
#include <vector>

#include "haagenti/base/error.h"
#include "haagenti/base/executor.h"
#include "haagenti/hd/float_bits.h"
#include "haagenti/hd/hadamard.h"
#include "simd_targets.h"

namespace haagenti {
namespace {

template <class T>
constexpr DType kDTypeOf = sizeof(T) == 8 ? DType::kF64 : DType::kF32;

template <class T>
std::vector<T> normal_values(std::size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<T> normal;
  std::vector<T> x(n);
  for (T& value : x) value = normal(random);
  return x;
}

// One row of all of src, in place when dst is src.
template <class T>
HadamardArgs row_args(const std::vector<T>& src, std::vector<T>& dst, std::uint64_t block, DType dtype = kDTypeOf<T>) {
  return {.dtype = dtype,
          .src = reinterpret_cast<const std::uint8_t*>(src.data()),
          .dst = reinterpret_cast<std::uint8_t*>(dst.data()),
          .rows = 1,
          .cols = src.size(),
          .src_stride = src.size(),
          .dst_stride = src.size(),
          .block = block,
          .seed = std::nullopt};
}

template <class T>
void expect_same_bits(const std::vector<T>& found, const std::vector<T>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  if (std::memcmp(found.data(), expected.data(), found.size() * sizeof(T)) == 0) return;
  for (std::size_t i = 0; i < found.size(); ++i) ASSERT_EQ(std::memcmp(&found[i], &expected[i], sizeof(T)), 0) << "element " << i;
}

// spec.md, "hadamard": signs, the steps from h = 1 upwards, one product.
template <class T>
std::vector<T> by_steps(std::vector<T> x, const HadamardArgs& args) {
  const T scale = static_cast<T>(1.0 / std::sqrt(static_cast<double>(args.block)));
  const auto signs = [&] {
    for (std::uint64_t i = 0; args.seed && i < x.size(); ++i) {
      if (hd::hadamard_negates(*args.seed, args.col_begin + i)) x[i] = -x[i];
    }
  };
  if (!args.inverse) signs();
  for (std::uint64_t h = 1; h < args.block; h *= 2) {
    for (std::uint64_t i = 0; i < x.size(); ++i) {
      if ((i & h) == 0) hd::hadamard_step(x[i], x[i + h]);
    }
  }
  for (T& value : x) value *= scale;
  if (args.inverse) signs();
  return x;
}

// The matrix itself, H[i][j] = (-1)^popcount(i & j) / sqrt(block), in binary64.
std::vector<double> by_matrix(const std::vector<double>& x) {
  std::vector<double> y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    for (std::size_t j = 0; j < x.size(); ++j) y[i] += std::popcount(i & j) % 2 == 0 ? x[j] : -x[j];
    y[i] /= std::sqrt(static_cast<double>(x.size()));
  }
  return y;
}

template <class T>
void expect_the_matrix(double tolerance) {
  for (std::uint64_t block = 1; block <= 4096; block *= 2) {
    std::vector<T> x = normal_values<T>(block, 1);
    const std::vector<double> expected = by_matrix({x.begin(), x.end()});
    hadamard(row_args(x, x, block));
    for (std::uint64_t i = 0; i < block; ++i) ASSERT_NEAR(static_cast<double>(x[i]), expected[i], tolerance) << "block " << block << " element " << i;
  }
}

TEST(Hadamard, IsSylvestersMatrix) {
  expect_the_matrix<float>(1e-5);
  expect_the_matrix<double>(1e-13);
}

// Both ways, apart and in place, on every target.
template <class T>
void expect_the_steps(std::uint64_t block, std::uint64_t n_blocks, std::optional<std::uint32_t> seed, std::uint64_t col_begin) {
  const std::vector<T> x = normal_values<T>(block * n_blocks, 2);
  for (const bool inverse : {false, true}) {
    std::vector<T> out(x.size());
    HadamardArgs args = row_args(x, out, block);
    args.inverse = inverse;
    args.col_begin = col_begin;
    args.seed = seed;
    HadamardArgs in_place = args;
    in_place.src = in_place.dst;
    const std::vector<T> expected = by_steps(x, args);
    for_each_simd_target([&] {
      out.assign(x.size(), T{-77});
      hadamard(args);
      expect_same_bits(out, expected);
      out = x;
      hadamard(in_place);
      expect_same_bits(out, expected);
    });
    if (::testing::Test::HasFatalFailure()) FAIL() << "block " << block << " blocks " << n_blocks << " column " << col_begin << " inverse " << inverse;
  }
}

// Every block from one element to a cut into parts and strips; several and odd numbers of blocks; signs that start inside a word of signs.
template <class T>
void expect_the_steps_of_blocks(std::uint64_t largest) {
  for (std::uint64_t block = 1; block <= largest; block *= 2) {
    const auto numbers = block <= 64 ? std::vector<std::uint64_t>{1, 3, 37} : block <= 4096 ? std::vector<std::uint64_t>{1, 3} : std::vector<std::uint64_t>{2};
    for (const std::uint64_t n_blocks : numbers) {
      expect_the_steps<T>(block, n_blocks, std::nullopt, 0);
      expect_the_steps<T>(block, n_blocks, 7, 0x123456789abcd * std::uint64_t{32});
      expect_the_steps<T>(block, n_blocks, 7, 39);
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}

TEST(Hadamard, HasTheBitsOfThePlainStepsOnEveryTarget) {
  expect_the_steps_of_blocks<float>(1 << 18);
  expect_the_steps_of_blocks<double>(1 << 17);
}

TEST(Hadamard, BlocksThatNeedSeveralPassesOverTheirColumns) {
  const std::uint64_t block = std::uint64_t{1} << 22;
  const std::vector<float> x = normal_values<float>(block, 3);
  std::vector<float> out(block);
  HadamardArgs args = row_args(x, out, block);
  args.seed = 1;
  args.inverse = true;
  hadamard(args);
  expect_same_bits(out, by_steps(x, args));
}

TEST(Hadamard, InverseRestores) {
  for (const std::uint64_t block : {1, 2, 16, 128, 4096, 131072}) {
    std::vector<float> x = normal_values<float>(block * 3, 4);
    const std::vector<float> original = x;
    HadamardArgs args = row_args(x, x, block);
    args.seed = 99;
    args.col_begin = 96;
    hadamard(args);
    if (block > 1) {
      EXPECT_NE(x, original);
    }
    args.inverse = true;
    hadamard(args);
    for (std::size_t i = 0; i < x.size(); ++i) ASSERT_NEAR(x[i], original[i], 4e-6) << "block " << block << " element " << i;
  }
}

TEST(Hadamard, PartsOfARowHaveTheSignsOfTheirColumns) {
  const std::vector<float> x = normal_values<float>(1024, 5);
  std::vector<float> whole(1024), parts(1024);
  HadamardArgs args = row_args(x, whole, 16);
  args.seed = 3;
  hadamard(args);
  for (const std::uint64_t begin : {0, 16, 112, 512}) {
    const std::uint64_t end = begin == 0 ? 16 : begin == 16 ? 112 : begin == 112 ? 512 : 1024;
    HadamardArgs part = args;
    part.src += 4 * begin;
    part.dst = reinterpret_cast<std::uint8_t*>(parts.data() + begin);
    part.cols = end - begin;
    part.col_begin = begin;
    hadamard(part);
  }
  expect_same_bits(parts, whole);
}

TEST(Hadamard, GapsBetweenRowsAreLeftAlone) {
  for (const std::uint64_t block : {4, 64, 512, 8192}) {
    const std::uint64_t cols = 2 * block, src_stride = cols + 3, dst_stride = cols + 5, rows = 5;
    const std::vector<float> x = normal_values<float>(rows * src_stride, 6);
    std::vector<float> out(rows * dst_stride, -77.0f);
    HadamardArgs args = row_args(x, out, block);
    args.rows = rows;
    args.cols = cols;
    args.src_stride = src_stride;
    args.dst_stride = dst_stride;
    args.seed = 11;
    hadamard(args);
    for (std::uint64_t r = 0; r < rows; ++r) {
      const auto begin = x.begin() + static_cast<std::ptrdiff_t>(r * src_stride);
      const std::vector<float> expected = by_steps(std::vector<float>(begin, begin + static_cast<std::ptrdiff_t>(cols)), args);
      const auto found = out.begin() + static_cast<std::ptrdiff_t>(r * dst_stride);
      expect_same_bits(std::vector<float>(found, found + static_cast<std::ptrdiff_t>(cols)), expected);
      for (std::uint64_t c = cols; c < dst_stride; ++c) ASSERT_EQ(out[r * dst_stride + c], -77.0f);
    }
  }
}

// Large arrays take other ways through memory: what comes next is asked for early, and results go past the caches.
TEST(Hadamard, LargeArraysHaveTheSameBitsForEveryNumberOfThreads) {
  for (const std::uint64_t block : {8, 256, 4096, 32768, 262144}) {
    const std::vector<float> x = normal_values<float>(std::size_t{3} << 20, 7);
    std::vector<float> out(x.size() + 16);
    HadamardArgs args = row_args(x, out, block);
    auto* aligned = reinterpret_cast<std::uint8_t*>((reinterpret_cast<std::uintptr_t>(out.data()) + 63) / 64 * 64);
    const auto found = [&] { return std::vector<float>(reinterpret_cast<float*>(aligned), reinterpret_cast<float*>(aligned) + x.size()); };
    args.seed = 12;
    const std::vector<float> expected = by_steps(x, args);
    args.dst = aligned;
    for (const std::size_t threads : {1, 2, 3}) {
      set_num_threads(threads);
      hadamard(args);
      expect_same_bits(found(), expected);
      std::vector<float> in_place = x;
      HadamardArgs inner = args;
      inner.src = inner.dst = reinterpret_cast<std::uint8_t*>(in_place.data());
      hadamard(inner);
      expect_same_bits(in_place, expected);
    }
    set_num_threads(0);
  }
}

// One rounding, at the end: the words are those of the binary32 result.
TEST(Hadamard, SixteenBitFormatsAreRoundedOnce) {
  for_each_simd_target([] {
    for (const DType dtype : {DType::kF16, DType::kBF16}) {
      for (const std::uint64_t block : {1, 2, 8, 32, 64, 512, 2048, 16384, 131072}) {
        for (const bool inverse : {false, true}) {
          std::vector<float> wide = normal_values<float>(3 * block, 8);
          std::vector<std::uint16_t> words(wide.size());
          for (std::size_t i = 0; i < wide.size(); ++i) {
            if (i % 5 == 0) wide[i] *= dtype == DType::kF16 ? 1e-7f : 1e-40f;  // subnormals
            words[i] = dtype == DType::kF16 ? hd::f32_to_f16(wide[i]) : hd::f32_to_bf16(wide[i]);
            wide[i] = dtype == DType::kF16 ? hd::f16_to_f32(words[i]) : hd::bf16_to_f32(words[i]);
          }
          HadamardArgs args = row_args(words, words, block, dtype);
          args.inverse = inverse;
          args.seed = 5;
          const std::vector<float> expected = by_steps(wide, args);
          std::vector<std::uint16_t> apart(words.size());
          args.dst = reinterpret_cast<std::uint8_t*>(apart.data());
          hadamard(args);
          hadamard(row_args(words, words, 1, dtype));  // block 1 without signs changes nothing
          for (std::size_t i = 0; i < wide.size(); ++i) {
            ASSERT_EQ(apart[i], dtype == DType::kF16 ? hd::f32_to_f16(expected[i]) : hd::f32_to_bf16(expected[i])) << block << " element " << i;
            ASSERT_EQ(words[i], dtype == DType::kF16 ? hd::f32_to_f16(wide[i]) : hd::f32_to_bf16(wide[i])) << block << " element " << i;
          }
        }
      }
    }
  });
}

bool is_nan(std::uint16_t word, DType dtype) { return std::isnan(dtype == DType::kF16 ? hd::f16_to_f32(word) : hd::bf16_to_f32(word)); }

TEST(Hadamard, NansAndInfinitiesStayInTheirBlock) {
  for_each_simd_target([] {
    for (const std::uint64_t block : {2, 4, 16, 128, 1024, 16384}) {
      for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
        std::vector<float> x(3 * block, 1.0f);
        x[block + block / 2] = bad;
        hadamard(row_args(x, x, block));
        for (std::uint64_t i = 0; i < x.size(); ++i) {
          const bool as_expected = i / block != 1 ? std::isfinite(x[i]) : std::isnan(bad) ? std::isnan(x[i]) : std::isinf(x[i]);
          ASSERT_TRUE(as_expected) << block << " element " << i;
        }
        for (const DType dtype : {DType::kF16, DType::kBF16}) {
          std::vector<std::uint16_t> words(3 * block);
          words[block + 1] = dtype == DType::kF16 ? (std::isnan(bad) ? 0x7fff : 0x7c00) : (std::isnan(bad) ? 0x7fff : 0x7f80);
          words[block] = std::isnan(bad) ? 0 : words[block + 1];  // both: infinity less infinity
          hadamard(row_args(words, words, block, dtype));
          for (std::uint64_t i = 0; i < words.size(); ++i) {
            ASSERT_EQ(is_nan(words[i], dtype), i / block == 1 && (std::isnan(bad) || i % 2 == 1)) << block << " element " << i;
          }
        }
      }
    }
  });
}

TEST(Hadamard, NamesWhatIsWrong) {
  std::vector<float> x(48);
  const auto message = [&](HadamardArgs args) -> std::string {
    try {
      hadamard(args);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInvalidArgument);
      return error.what();
    }
    return "";
  };
  EXPECT_NE(message(row_args(x, x, 0)).find("power of two, found 0"), std::string::npos);
  EXPECT_NE(message(row_args(x, x, 24)).find("power of two, found 24"), std::string::npos);
  EXPECT_NE(message(row_args(x, x, 32)).find("block 32 does not divide rows of 48"), std::string::npos);
  EXPECT_NE(message(row_args(x, x, 16, DType::kI8)).find("found I8"), std::string::npos);
  EXPECT_EQ(message(row_args(x, x, 16)), "");
  HadamardArgs none = row_args(x, x, 16);
  none.rows = 0;
  EXPECT_EQ(message(none), "");
}

TEST(Hadamard, PollEndsTheWork) {
  for (const std::uint64_t block : {4096, 1 << 22}) {
    std::vector<float> x(std::size_t{1} << 24, 1.0f);
    HadamardArgs args = row_args(x, x, block);
    bool ended = false;
    int calls = 0;
    for (int i = 0; i < 20 && !ended; ++i) {
      try {
        hadamard(args, [&] {
          if (++calls == 2) throw std::runtime_error("enough");
        });
      } catch (const std::runtime_error&) {
        ended = true;
      }
    }
    EXPECT_TRUE(ended) << "asked " << calls << " times";
    std::fill(x.begin(), x.end(), 1.0f);
    hadamard(args);  // nothing is left behind
    EXPECT_EQ(x[0], std::sqrt(static_cast<float>(block)));
  }
}

TEST(Hadamard, ExampleOfTheSpecification) {
  std::vector<float> x = {1, 2, 3, 4};
  HadamardArgs args = row_args(x, x, 4);
  args.seed = 0;
  EXPECT_EQ(hd::hadamard_signs(0, 0), 0x92ca2f0eu);
  EXPECT_EQ(hd::hadamard_signs(0, 1), 0x96a0f96bu);
  hadamard(args);
  EXPECT_EQ(x, (std::vector<float>{-4, 2, 3, 1}));
  args.inverse = true;
  hadamard(args);
  EXPECT_EQ(x, (std::vector<float>{1, 2, 3, 4}));
}

}  // namespace
}  // namespace haagenti
