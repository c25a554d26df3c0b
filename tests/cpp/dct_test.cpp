// Cosine transforms: every way of computing them against their definition, and the same bits in all of them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numbers>
#include <random>
#include <stdexcept>
#include <vector>

#include "haagenti/base/error.h"
#include "haagenti/base/executor.h"
#include "haagenti/hd/float_bits.h"
#include "haagenti/transform/dct.h"
#include "simd_targets.h"

namespace haagenti {
namespace {

using std::uint64_t;
constexpr DctType kTypes[] = {DctType::k2, DctType::k3};

template <class T>
constexpr DType kDType = sizeof(T) == 8 ? DType::kF64 : DType::kF32;

template <class T>
DctArrays arrays(const std::vector<T>& src, std::vector<T>* dst, DType dtype = kDType<T>) {
  return {dtype, reinterpret_cast<const std::uint8_t*>(src.data()), reinterpret_cast<std::uint8_t*>(dst->data())};
}

template <class T>
std::vector<T> noise(uint64_t n, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  std::vector<T> x(n);
  for (T& v : x) v = static_cast<T>(normal(random));
  return x;
}

template <class T>
std::vector<T> axis(DctType type, const std::vector<T>& x, uint64_t outer, uint64_t n, uint64_t inner) {
  std::vector<T> y(x.size());
  dct_axis(type, arrays(x, &y), outer, n, inner);
  return y;
}
template <class T>
std::vector<T> planes(DctType type, const std::vector<T>& x, uint64_t batch, uint64_t rows, uint64_t cols) {
  std::vector<T> y(x.size());
  dct_planes(type, arrays(x, &y), batch, rows, cols);
  return y;
}

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

// cos(pi i / 2n) for i < 4n.
std::vector<long double> cosines(uint64_t n) {
  std::vector<long double> table(4 * n);
  for (uint64_t i = 0; i < 4 * n; ++i) table[i] = std::cos(std::numbers::pi_v<long double> * static_cast<long double>(i) / static_cast<long double>(2 * n));
  return table;
}

// Output k of the definition.
template <class T>
long double defined(DctType type, const T* x, uint64_t n, uint64_t k, const std::vector<long double>& cosine) {
  const auto scale = [n](uint64_t i) { return std::sqrt((i == 0 ? 1.0L : 2.0L) / static_cast<long double>(n)); };
  long double sum = 0;
  for (uint64_t j = 0; j < n; ++j) {
    const uint64_t freq = type == DctType::k2 ? k : j, place = type == DctType::k2 ? j : k;
    sum += scale(freq) * static_cast<long double>(x[j]) * cosine[freq * (2 * place + 1) % (4 * n)];
  }
  return sum;
}

// Relative error of a line, of every output or of about `spots` of them.
template <class T>
double line_error(DctType type, uint64_t n, uint64_t spots) {
  const std::vector<T> x = noise<T>(n, static_cast<unsigned>(n));
  const std::vector<T> y = axis(type, x, 1, n, 1);
  const auto cosine = cosines(n);
  long double error = 0, norm = 0;
  for (uint64_t k = 0; k < n; k += 1 + (n - 1) / spots) {
    const long double right = defined(type, x.data(), n, k, cosine), difference = static_cast<long double>(y[k]) - right;
    error += difference * difference;
    norm += right * right;
  }
  return static_cast<double>(std::sqrt(error / norm));
}

TEST(Dct, DefinitionOfEveryLength) {
  std::vector<uint64_t> lengths;
  for (uint64_t n = 1; n <= 300; ++n) lengths.push_back(n);
  for (const uint64_t n : {398, 422, 512, 576, 997, 999, 1000, 1024, 1152, 1155, 1331, 2197, 4096, 4099, 4913, 8192, 10007, 30030, 65536}) lengths.push_back(n);
  for (const uint64_t n : lengths) {
    const uint64_t spots = n <= 300 ? n : n <= 2200 ? 200 : 50;
    const double growth = std::sqrt(std::max(1.0, std::log2(static_cast<double>(n))));
    for (const DctType type : kTypes) {
      EXPECT_LE(line_error<float>(type, n, spots), 1e-7 * growth) << "n = " << n << ", type " << static_cast<int>(type);
      EXPECT_LE(line_error<double>(type, n, spots), 4e-16 * growth) << "n = " << n << ", type " << static_cast<int>(type);
    }
  }
}

// Lengths of every kind: straight line, one cut, two cuts, one line at a time, odd, with a prime factor above 13, Bluestein's.
constexpr uint64_t kKinds[] = {1, 2, 8, 64, 256, 3, 7, 12, 45, 100, 169, 270, 17, 34, 97, 211, 323, 422, 576, 999, 1000, 1155, 2048, 4096, 6000, 3 * 7 * 11 * 13, 16384, 40000};

template <class T>
void inverse_and_energy(double bound) {
  for (const uint64_t n : kKinds) {
    const auto x = noise<T>(3 * n);
    const auto y = axis(DctType::k2, x, 3, n, 1);
    const auto back = axis(DctType::k3, y, 3, n, 1);
    long double error = 0, energy_x = 0, energy_y = 0;
    for (uint64_t i = 0; i < 3 * n; ++i) {
      error += std::pow(static_cast<long double>(x[i]) - static_cast<long double>(back[i]), 2);
      energy_x += std::pow(static_cast<long double>(x[i]), 2);
      energy_y += std::pow(static_cast<long double>(y[i]), 2);
    }
    EXPECT_LE(static_cast<double>(std::sqrt(error / energy_x)), bound) << n;
    EXPECT_NEAR(static_cast<double>(energy_y / energy_x), 1.0, bound) << n;
  }
}
TEST(Dct, InverseAndParseval) {
  inverse_and_energy<float>(1e-6);
  inverse_and_energy<double>(4e-15);
}

// A line alone, in batches of any size, along any axis and in place has the same bits.
template <class T>
void same_line_everywhere(uint64_t n) {
  SCOPED_TRACE(n);
  const uint64_t lines = n > 5000 ? 18 : 37;
  const auto x = noise<T>(lines * n);
  for (const DctType type : kTypes) {
    const auto batch = axis(type, x, lines, n, 1);
    for (const uint64_t line : {uint64_t{0}, uint64_t{5}, lines - 1}) {
      const std::vector<T> one(x.begin() + static_cast<std::ptrdiff_t>(line * n), x.begin() + static_cast<std::ptrdiff_t>((line + 1) * n));
      const std::vector<T> y(batch.begin() + static_cast<std::ptrdiff_t>(line * n), batch.begin() + static_cast<std::ptrdiff_t>((line + 1) * n));
      ASSERT_TRUE(same_bits(axis(type, one, 1, n, 1), y)) << "alone: " << line;
    }
    std::vector<T> in_place = x;
    dct_axis(type, arrays(in_place, &in_place), lines, n, 1);
    ASSERT_TRUE(same_bits(in_place, batch)) << "in place";
    for (const uint64_t inner : {uint64_t{2}, uint64_t{3}, uint64_t{9}, uint64_t{16}, lines}) {
      const uint64_t outer = lines / inner, used = outer * inner;
      std::vector<T> turned(used * n), expected(used * n);
      for (uint64_t i = 0; i < used * n; ++i) {
        const uint64_t from = i / (n * inner) * inner * n + i % inner * n + i / inner % n;
        turned[i] = x[from];
        expected[i] = batch[from];
      }
      ASSERT_TRUE(same_bits(axis(type, turned, outer, n, inner), expected)) << "inner " << inner;
      dct_axis(type, arrays(turned, &turned), outer, n, inner);
      ASSERT_TRUE(same_bits(turned, expected)) << "in place, inner " << inner;
    }
  }
}
TEST(Dct, OneLineHasTheSameBitsEverywhere) {
  for (const uint64_t n : kKinds) {
    same_line_everywhere<float>(n);
    if (n < 5000) same_line_everywhere<double>(n);
  }
}

TEST(Dct, InstructionSetsAndThreadsGiveTheSameBits) {
  for (const uint64_t n : kKinds) {
    const uint64_t lines = n > 5000 ? 3 : 200;
    const auto x = noise<float>(lines * n);
    const auto d = noise<double>(19 * n);
    for (const DctType type : kTypes) {
      set_num_threads(1);
      const auto rows = axis(type, x, lines, n, 1), cols = axis(type, x, 1, n, lines), both = planes(type, x, 1, lines, n);
      const auto wide = axis(type, d, 19, n, 1);
      set_num_threads(2);
      EXPECT_TRUE(same_bits(axis(type, x, lines, n, 1), rows)) << n;
      EXPECT_TRUE(same_bits(axis(type, x, 1, n, lines), cols)) << n;
      EXPECT_TRUE(same_bits(planes(type, x, 1, lines, n), both)) << n;
      set_num_threads(1);
      for_each_simd_target([&] {
        EXPECT_TRUE(same_bits(axis(type, x, lines, n, 1), rows)) << n;
        EXPECT_TRUE(same_bits(axis(type, x, 1, n, lines), cols)) << n;
        EXPECT_TRUE(same_bits(axis(type, d, 19, n, 1), wide)) << n;
      });
    }
  }
  set_num_threads(0);
}

// DCT-II along rows, then along columns; DCT-III the other way round.
template <class T>
std::vector<T> composed(DctType type, const std::vector<T>& x, uint64_t batch, uint64_t rows, uint64_t cols) {
  if (type == DctType::k2) return axis(type, axis(type, x, batch * rows, cols, 1), batch, rows, cols);
  return axis(type, axis(type, x, batch, rows, cols), batch * rows, cols, 1);
}

TEST(Dct, PlanesAreTheAxesInTurn) {
  constexpr uint64_t kShapes[][3] = {{1, 1, 1}, {5, 8, 8}, {3, 16, 64}, {2, 256, 128}, {4, 9, 8},
                                       {2, 31, 100}, {1, 576, 576}, {1, 700, 1000}, {70, 12, 40}, {1, 1, 300}};
  for (const auto& [batch, rows, cols] : kShapes) {
    const auto x = noise<float>(batch * rows * cols);
    const auto d = noise<double>(batch * rows * cols);
    for (const DctType type : kTypes) {
      const auto expected = composed(type, x, batch, rows, cols);
      EXPECT_TRUE(same_bits(planes(type, x, batch, rows, cols), expected)) << rows << " x " << cols;
      EXPECT_TRUE(same_bits(planes(type, d, batch, rows, cols), composed(type, d, batch, rows, cols))) << rows << " x " << cols;
      std::vector<float> in_place = x;
      dct_planes(type, arrays(in_place, &in_place), batch, rows, cols);
      EXPECT_TRUE(same_bits(in_place, expected)) << rows << " x " << cols;
    }
  }
}

TEST(Dct, TilesArePlanesOfTheirOwnSize) {
  constexpr uint64_t kGrids[][4] = {{8, 8, 8, 8}, {20, 30, 8, 8}, {33, 70, 16, 32}, {50, 41, 7, 12}, {5, 6, 64, 64}, {600, 900, 576, 600}};
  for (const auto& [rows, cols, height, width] : kGrids) {
    const uint64_t src_stride = cols + 3, dst_stride = cols + 1;
    const auto x = noise<float>(rows * src_stride);
    for (const DctType type : kTypes) {
      std::vector<float> y(rows * dst_stride, 7.0f), in_place = x;
      dct_tiles(type, arrays(x, &y), {rows, cols, src_stride, dst_stride, height, width});
      dct_tiles(type, arrays(in_place, &in_place), {rows, cols, src_stride, src_stride, height, width});
      for (uint64_t r = 0; r < rows; r += height) {
        for (uint64_t c = 0; c < cols; c += width) {
          const uint64_t h = std::min(height, rows - r), w = std::min(width, cols - c);
          std::vector<float> tile(h * w);
          for (uint64_t i = 0; i < h * w; ++i) tile[i] = x[(r + i / w) * src_stride + c + i % w];
          const auto expected = planes(type, tile, 1, h, w);
          bool equal = true;
          for (uint64_t i = 0; i < h * w; ++i) {
            equal = equal && y[(r + i / w) * dst_stride + c + i % w] == expected[i] && in_place[(r + i / w) * src_stride + c + i % w] == expected[i];
          }
          EXPECT_TRUE(equal) << height << " x " << width << " at " << r << ", " << c;
        }
      }
      for (uint64_t r = 0; r < rows; ++r) {
        EXPECT_EQ(y[r * dst_stride + cols], 7.0f);
        for (uint64_t c = cols; c < src_stride; ++c) EXPECT_EQ(in_place[r * src_stride + c], x[r * src_stride + c]);
      }
    }
  }
}

TEST(Dct, RowsInPlace) {
  for (const uint64_t n : {uint64_t{16}, uint64_t{100}, uint64_t{17}}) {
    const uint64_t stride = n + 5;
    const auto x = noise<float>(20 * stride);
    std::vector<float> y = x;
    dct_rows_f32(DctType::k2, y.data(), stride, 20, n);
    for (uint64_t r = 0; r < 20; ++r) {
      const std::vector<float> line(x.begin() + static_cast<std::ptrdiff_t>(r * stride), x.begin() + static_cast<std::ptrdiff_t>(r * stride + n));
      const auto expected = axis(DctType::k2, line, 1, n, 1);
      EXPECT_EQ(std::memcmp(expected.data(), y.data() + r * stride, 4 * n), 0);
      EXPECT_EQ(std::memcmp(x.data() + r * stride + n, y.data() + r * stride + n, 20), 0);
    }
  }
}

TEST(Dct, SpecialFloatsStayInTheirLine) {
  for (const uint64_t n : kKinds) {
    for (const float special : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
      for (const DctType type : kTypes) {
        auto x = noise<float>(4 * n);
        const auto clean = axis(type, x, 4, n, 1);
        x[n + n / 2] = special;
        const auto y = axis(type, x, 4, n, 1);
        EXPECT_FALSE(std::isfinite(y[n])) << n;
        for (const uint64_t line : {0, 2, 3}) {
          EXPECT_EQ(std::memcmp(y.data() + line * n, clean.data() + line * n, 4 * n), 0) << n;
        }
      }
    }
  }
}

// Converted, computed in binary32, rounded once.
TEST(Dct, HalfPrecisionRoundsOnce) {
  constexpr uint64_t kShapes[][3] = {{3, 8, 8}, {2, 50, 60}, {1, 600, 700}, {40, 17, 3}, {1, 1, 1000}};
  for (const DType dtype : {DType::kF16, DType::kBF16}) {
    const auto widen = [dtype](std::uint16_t w) { return dtype == DType::kF16 ? hd::f16_to_f32(w) : hd::bf16_to_f32(w); };
    const auto narrow = [dtype](float v) { return dtype == DType::kF16 ? hd::f32_to_f16(v) : hd::f32_to_bf16(v); };
    for (const auto& [batch, rows, cols] : kShapes) {
      std::vector<float> x = noise<float>(batch * rows * cols);
      std::vector<std::uint16_t> words(x.size()), out(x.size());
      for (std::size_t i = 0; i < x.size(); ++i) {
        words[i] = narrow(x[i]);
        x[i] = widen(words[i]);
      }
      const auto expect = [&](const std::vector<float>& y, const char* what) {
        bool equal = true;
        for (std::size_t i = 0; i < y.size(); ++i) equal = equal && out[i] == narrow(y[i]);
        EXPECT_TRUE(equal) << what << " of " << rows << " x " << cols;
      };
      for (const DctType type : kTypes) {
        dct_axis(type, arrays(words, &out, dtype), batch * rows, cols, 1);
        expect(axis(type, x, batch * rows, cols, 1), "rows");
        dct_axis(type, arrays(words, &out, dtype), batch, rows, cols);
        expect(axis(type, x, batch, rows, cols), "columns");
        dct_planes(type, arrays(words, &out, dtype), batch, rows, cols);
        expect(planes(type, x, batch, rows, cols), "planes");
        dct_tiles(type, arrays(words, &out, dtype), {batch * rows, cols, cols, cols, rows, cols});
        expect(planes(type, x, batch, rows, cols), "tiles");
      }
    }
  }
}

TEST(Dct, NothingToDoAndWrongTypes) {
  std::vector<float> none, x(1, 2.0f);
  dct_axis(DctType::k2, arrays(none, &none), 0, 5, 3);
  dct_axis(DctType::k3, arrays(none, &none), 5, 0, 3);
  dct_planes(DctType::k2, arrays(none, &none), 1, 0, 3);
  dct_tiles(DctType::k2, arrays(none, &none), {0, 8, 8, 8, 8, 8});
  dct_rows_f32(DctType::k2, none.data(), 0, 0, 4);
  try {
    dct_axis(DctType::k2, arrays(x, &x, DType::kI32), 1, 1, 1);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalidArgument);
    EXPECT_NE(std::string(error.what()).find("I32"), std::string::npos);
  }
}

TEST(Dct, PollThatThrowsEndsTheWork) {
  for (const uint64_t n : {uint64_t{64}, uint64_t{1000}, uint64_t{997}, uint64_t{1} << 17}) {
    const auto x = noise<float>(std::max<uint64_t>(n, (1 << 17) / n * n));
    std::vector<float> y(x.size());
    int calls = 0;
    const Poll stop = [&calls] {
      ++calls;
      throw std::runtime_error("stop");
    };
    EXPECT_THROW(dct_axis(DctType::k2, arrays(x, &y), x.size() / n, n, 1, stop), std::runtime_error) << n;
    EXPECT_EQ(calls, 1) << n;
    EXPECT_TRUE(same_bits(axis(DctType::k2, x, x.size() / n, n, 1), axis(DctType::k2, x, x.size() / n, n, 1)));
  }
}

}  // namespace
}  // namespace haagenti
