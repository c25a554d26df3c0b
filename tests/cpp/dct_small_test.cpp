// Lines of 1 to 256 elements against the definition of the DCT in long double, on every instruction set of the machine.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <numbers>
#include <random>
#include <vector>

#include "haagenti/hd/dct_steps.h"
#include "simd_targets.h"
#include "transform/dct/small.h"
#include "transform/dct/small_tables.h"

namespace haagenti::dct {
namespace {

constexpr DctType kTypes[] = {DctType::k2, DctType::k3};

template <class T>
std::vector<T> noise(std::size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  std::vector<T> x(n);
  for (T& v : x) v = static_cast<T>(normal(random));
  return x;
}

// Element [k * n + j]: what x[j] adds to coefficient k of its DCT-II.
std::vector<long double> definition(std::uint64_t n) {
  std::vector<long double> matrix(n * n);
  for (std::uint64_t k = 0; k < n; ++k) {
    const long double scale = std::sqrt((k == 0 ? 1.0L : 2.0L) / static_cast<long double>(n));
    for (std::uint64_t j = 0; j < n; ++j) {
      const auto turns = static_cast<long double>(k * (2 * j + 1) % (4 * n)) / static_cast<long double>(2 * n);
      matrix[k * n + j] = scale * std::cos(std::numbers::pi_v<long double> * turns);
    }
  }
  return matrix;
}

template <class T>
std::vector<long double> by_definition(DctType type, const std::vector<long double>& matrix, const T* x, std::uint64_t n) {
  std::vector<long double> y(n);
  for (std::uint64_t k = 0; k < n; ++k) {
    for (std::uint64_t j = 0; j < n; ++j) {
      if (type == DctType::k2) y[k] += matrix[k * n + j] * x[j];
      if (type == DctType::k3) y[j] += matrix[k * n + j] * x[k];
    }
  }
  return y;
}

// One line by the functions of hd/ alone.
template <int n, class T>
std::vector<T> by_steps(DctType type, const T* x) {
  std::vector<T> y(n);
  const T* plain = small_tables<T>().plain;
  const T* scaled = small_tables<T>().of(n);
  if (type == DctType::k2) hd::dct2_line<n, true>(x, y.data(), scaled, plain);
  if (type == DctType::k3) hd::dct3_line<n>(x, y.data(), scaled, plain);
  return y;
}

template <class T>
std::vector<T> by_steps(DctType type, const T* x, std::uint64_t n) {
  switch (n) {
    case 1: return by_steps<1>(type, x);
    case 2: return by_steps<2>(type, x);
    case 4: return by_steps<4>(type, x);
    case 8: return by_steps<8>(type, x);
    case 16: return by_steps<16>(type, x);
    case 32: return by_steps<32>(type, x);
    case 64: return by_steps<64>(type, x);
    case 128: return by_steps<128>(type, x);
    default: return by_steps<256>(type, x);
  }
}

template <class T>
bool same_bits(const T* a, const T* b, std::size_t n) {
  return std::memcmp(a, b, n * sizeof(T)) == 0;
}

// Columns of an n x n_cols matrix, each by hd/.
template <class T>
std::vector<T> columns_by_steps(DctType type, const std::vector<T>& x, std::uint64_t n, std::uint64_t n_cols) {
  std::vector<T> y(x.size()), line(n);
  for (std::uint64_t c = 0; c < n_cols; ++c) {
    for (std::uint64_t i = 0; i < n; ++i) line[i] = x[i * n_cols + c];
    const std::vector<T> out = by_steps(type, line.data(), n);
    for (std::uint64_t i = 0; i < n; ++i) y[i * n_cols + c] = out[i];
  }
  return y;
}

template <class T>
std::vector<T> rows_by_steps(DctType type, const std::vector<T>& x, std::uint64_t n_lines, std::uint64_t n) {
  std::vector<T> y;
  for (std::uint64_t r = 0; r < n_lines; ++r) {
    const std::vector<T> out = by_steps(type, x.data() + r * n, n);
    y.insert(y.end(), out.begin(), out.end());
  }
  return y;
}

template <class T>
class DctSmall : public ::testing::Test {};
using Numbers = ::testing::Types<float, double>;
TYPED_TEST_SUITE(DctSmall, Numbers);

// Relative l2 errors found: at most 1.1e-7 in binary32 and 2e-16 in binary64.
TYPED_TEST(DctSmall, LinesFollowTheDefinition) {
  using T = TypeParam;
  const double tolerance = 3 * static_cast<double>(std::numeric_limits<T>::epsilon()) / 2;
  for (std::uint64_t n = 1; n <= kMaxSmall; n *= 2) {
    const std::vector<long double> matrix = definition(n);
    for (const DctType type : kTypes) {
      const std::vector<T> x = noise<T>(20 * n, static_cast<unsigned>(n));
      std::vector<T> y(x.size());
      small_rows(type, x.data(), n, y.data(), n, 20, n);
      long double error = 0, energy = 0;
      for (std::uint64_t r = 0; r < 20; ++r) {
        const std::vector<long double> want = by_definition(type, matrix, x.data() + r * n, n);
        for (std::uint64_t k = 0; k < n; ++k) {
          error += (y[r * n + k] - want[k]) * (y[r * n + k] - want[k]);
          energy += want[k] * want[k];
        }
      }
      EXPECT_LE(static_cast<double>(std::sqrt(error / energy)), tolerance) << "n " << n << " type " << static_cast<int>(type);
    }
  }
}

// Every unit vector: no coefficient is misplaced.
TYPED_TEST(DctSmall, UnitVectorsGiveTheMatrix) {
  using T = TypeParam;
  for (std::uint64_t n = 1; n <= kMaxSmall; n *= 2) {
    const std::vector<long double> matrix = definition(n);
    std::vector<T> identity(n * n), y(n * n);
    for (std::uint64_t i = 0; i < n; ++i) identity[i * n + i] = 1;
    for (const DctType type : kTypes) {
      small_rows(type, identity.data(), n, y.data(), n, n, n);
      for (std::uint64_t i = 0; i < n; ++i) {
        for (std::uint64_t k = 0; k < n; ++k) {
          const auto want = static_cast<double>(type == DctType::k2 ? matrix[k * n + i] : matrix[i * n + k]);
          ASSERT_NEAR(y[i * n + k], want, 4 * std::numeric_limits<T>::epsilon()) << n << " " << i << " " << k;
        }
      }
    }
  }
}

TYPED_TEST(DctSmall, EnergyIsKeptAndTheInverseReturns) {
  using T = TypeParam;
  for (std::uint64_t n = 1; n <= kMaxSmall; n *= 2) {
    const std::vector<T> x = noise<T>(n * n, 7);
    std::vector<T> y(x.size()), back(x.size());
    small_tile(DctType::k2, x.data(), n, y.data(), n, n, n);
    small_tile(DctType::k3, y.data(), n, back.data(), n, n, n);
    long double energy = 0, kept = 0, error = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const long double was = x[i], is = y[i], again = back[i];
      energy += was * was;
      kept += is * is;
      error += (again - was) * (again - was);
    }
    EXPECT_NEAR(static_cast<double>(kept / energy), 1, 4 * double{std::numeric_limits<T>::epsilon()});
    EXPECT_LE(static_cast<double>(std::sqrt(error / energy)), 4 * double{std::numeric_limits<T>::epsilon()}) << n;
  }
}

// Powers of two commute with rounding: exactly linear.
TYPED_TEST(DctSmall, FactorsOfTwoPassThrough) {
  using T = TypeParam;
  for (std::uint64_t n = 1; n <= kMaxSmall; n *= 2) {
    for (const DctType type : kTypes) {
      const std::vector<T> x = noise<T>(n, 9);
      std::vector<T> twice(x), y(n), y_twice(n), sum(x), y_sum(n);
      const std::vector<T> other = noise<T>(n, 10);
      std::vector<T> y_other(n);
      for (std::uint64_t i = 0; i < n; ++i) twice[i] = -4 * x[i], sum[i] = x[i] + other[i];
      small_rows(type, x.data(), n, y.data(), n, 1, n);
      small_rows(type, twice.data(), n, y_twice.data(), n, 1, n);
      small_rows(type, sum.data(), n, y_sum.data(), n, 1, n);
      small_rows(type, other.data(), n, y_other.data(), n, 1, n);
      for (std::uint64_t i = 0; i < n; ++i) {
        ASSERT_EQ(y_twice[i], -4 * y[i]);
        ASSERT_NEAR(y_sum[i], y[i] + y_other[i], 40 * double{std::numeric_limits<T>::epsilon()});
      }
    }
  }
}

// Rows and columns, 1 to 33 and a few more, apart by more than their length, in place and not, on every instruction set: the bits of hd/, and nothing
// else written.
TYPED_TEST(DctSmall, EveryCountStrideAndTargetGivesTheBitsOfTheSteps) {
  using T = TypeParam;
  for (std::uint64_t n = 1; n <= kMaxSmall; n *= 2) {
    for (const std::uint64_t count : {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 70}) {
      const std::vector<T> x = noise<T>(n * count, static_cast<unsigned>(n + count));
      for (const DctType type : kTypes) {
        const std::vector<T> rows = rows_by_steps(type, x, count, n);
        const std::vector<T> cols = columns_by_steps(type, x, n, count);
        for_each_simd_target([&] {
          const std::uint64_t gap = n + 5, wide = count + 3;
          std::vector<T> y(count * gap, T{77}), z(n * wide, T{77});
          small_rows(type, x.data(), n, y.data(), gap, count, n);
          small_cols(type, x.data(), count, z.data(), wide, n, count);
          for (std::uint64_t r = 0; r < count; ++r) {
            ASSERT_TRUE(same_bits(y.data() + r * gap, rows.data() + r * n, n)) << "n " << n << " row " << r << " of " << count;
            for (std::uint64_t i = n; i < gap; ++i) ASSERT_EQ(y[r * gap + i], T{77});
          }
          for (std::uint64_t i = 0; i < n; ++i) {
            ASSERT_TRUE(same_bits(z.data() + i * wide, cols.data() + i * count, count)) << "n " << n << " element " << i << ", columns " << count;
            for (std::uint64_t c = count; c < wide; ++c) ASSERT_EQ(z[i * wide + c], T{77});
          }
          std::vector<T> in_place(x);
          small_rows(type, in_place.data(), n, in_place.data(), n, count, n);
          ASSERT_TRUE(same_bits(in_place.data(), rows.data(), rows.size())) << n;
          in_place = x;
          small_cols(type, in_place.data(), count, in_place.data(), count, n, count);
          ASSERT_TRUE(same_bits(in_place.data(), cols.data(), cols.size())) << n;
        });
      }
    }
  }
}

TYPED_TEST(DctSmall, TilesAreRowsAndColumns) {
  using T = TypeParam;
  for (std::uint64_t rows = 1; rows <= kMaxSmall; rows *= 2) {
    for (std::uint64_t cols = 1; cols <= kMaxSmall; cols *= 2) {
      const std::vector<T> x = noise<T>(rows * cols, static_cast<unsigned>(rows + cols));
      for (const DctType type : kTypes) {
        std::vector<T> want(x);
        const auto along_rows = [&] { small_rows(type, want.data(), cols, want.data(), cols, rows, cols); };
        if (type == DctType::k2) along_rows();
        small_cols(type, want.data(), cols, want.data(), cols, rows, cols);
        if (type == DctType::k3) along_rows();
        for_each_simd_target([&] {
          std::vector<T> in_place(x);
          small_tile(type, in_place.data(), cols, in_place.data(), cols, rows, cols);
          ASSERT_TRUE(same_bits(in_place.data(), want.data(), want.size())) << rows << " x " << cols;
          for (const std::uint64_t gap : {cols + 3, cols + 2 * kMaxSmall}) {
            std::vector<T> y(rows * gap, T{77});
            small_tile(type, x.data(), cols, y.data(), gap, rows, cols);
            for (std::uint64_t r = 0; r < rows; ++r) {
              ASSERT_TRUE(same_bits(y.data() + r * gap, want.data() + r * cols, cols)) << rows << " x " << cols << " apart by " << gap;
              for (std::uint64_t i = cols; i < gap; ++i) ASSERT_EQ(y[r * gap + i], T{77});
            }
          }
        });
      }
    }
  }
}

TYPED_TEST(DctSmall, NanAndInfinityStayInTheirLine) {
  using T = TypeParam;
  for (const T special : {std::numeric_limits<T>::quiet_NaN(), std::numeric_limits<T>::infinity()}) {
    for (std::uint64_t n = 1; n <= kMaxSmall; n *= 2) {
      for (const DctType type : kTypes) {
        const std::vector<T> clean = noise<T>(19 * n, 3);
        std::vector<T> x(clean), y(x.size()), want(x.size());
        x[4 * n + n / 2] = special;
        small_rows(type, clean.data(), n, want.data(), n, 19, n);
        small_rows(type, x.data(), n, y.data(), n, 19, n);
        for (std::uint64_t r = 0; r < 19; ++r) {
          if (r == 4) continue;
          ASSERT_TRUE(same_bits(y.data() + r * n, want.data() + r * n, n)) << n << " row " << r;
        }
        for (std::uint64_t i = 0; i < n; ++i) ASSERT_FALSE(std::isfinite(y[4 * n + i])) << n << " " << i;
      }
    }
  }
}

TYPED_TEST(DctSmall, KnownTiles) {
  using T = TypeParam;
  std::vector<T> x(16), y(16);
  for (int i = 0; i < 16; ++i) x[static_cast<std::size_t>(i)] = static_cast<T>(i + 1);
  small_tile(DctType::k2, x.data(), 4, y.data(), 4, 4, 4);
  std::vector<double> want(16);
  want[0] = 34, want[4] = -17.843540, want[1] = -4.460885, want[12] = -1.268101, want[3] = -0.317025;
  for (std::size_t i = 0; i < 16; ++i) EXPECT_NEAR(y[i], want[i], 3e-6) << i;
  x.assign(16, T{42});
  small_tile(DctType::k2, x.data(), 4, y.data(), 4, 4, 4);
  EXPECT_EQ(y[0], T{168});
  for (std::size_t i = 1; i < 16; ++i) EXPECT_EQ(y[i], T{0}) << i;
}

// The tables are the same on every machine; long double knows better than any of their entries.
TYPED_TEST(DctSmall, TablesAreTheRoundedDefinition) {
  using T = TypeParam;
  const auto check = [](const T* table, std::uint64_t size, long double factor) {
    for (std::uint64_t m = 2; m < size; m *= 2) {
      for (std::uint64_t j = 0; j < m / 2; ++j) {
        const long double angle = std::numbers::pi_v<long double> * static_cast<long double>(2 * j + 1) / static_cast<long double>(4 * m);
        ASSERT_EQ(table[m + 2 * j], static_cast<T>(static_cast<double>(factor * std::cos(angle)))) << m << " " << j;
        ASSERT_EQ(table[m + 2 * j + 1], static_cast<T>(static_cast<double>(factor * std::sin(angle)))) << m << " " << j;
      }
    }
  };
  check(small_tables<T>().plain, kMaxSmall / 4, 1);
  for (std::uint64_t n = 2; n <= kMaxSmall; n *= 2) {
    check(small_tables<T>().of(n), n, std::sqrt(2.0L / static_cast<long double>(n)));
    EXPECT_EQ(small_tables<T>().of(n)[1], static_cast<T>(std::sqrt(1.0 / static_cast<double>(n))));
  }
}

}  // namespace
}  // namespace haagenti::dct
