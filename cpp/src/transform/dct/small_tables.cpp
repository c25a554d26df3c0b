#include "transform/dct/small_tables.h"

namespace haagenti::dct {
namespace {

// An unevaluated sum, |low| at most half an ulp of high. T. Dekker, "A floating-point technique for extending the available precision", 1971.
struct Pair {
  double high;
  double low;
};

Pair normalized(double a, double b) {
  const double sum = a + b;
  return {sum, b - (sum - a)};
}

Pair exact_sum(double a, double b) {
  const double sum = a + b;
  const double part = sum - a;
  return {sum, (a - (sum - part)) + (b - part)};
}

Pair exact_product(double a, double b) {
  const auto high_half = [](double x) {
    const double shifted = 134217729.0 * x;  // 2^27 + 1
    return shifted - (shifted - x);
  };
  const double a1 = high_half(a), b1 = high_half(b);
  const double a2 = a - a1, b2 = b - b1;
  const double product = a * b;
  return {product, ((a1 * b1 - product) + a1 * b2 + a2 * b1) + a2 * b2};
}

Pair operator+(Pair a, Pair b) {
  const Pair sum = exact_sum(a.high, b.high);
  return normalized(sum.high, sum.low + a.low + b.low);
}

Pair operator*(Pair a, Pair b) {
  const Pair product = exact_product(a.high, b.high);
  return normalized(product.high, product.low + (a.high * b.low + a.low * b.high));
}

Pair divided(Pair a, double b) {
  const double first = a.high / b;
  const Pair back = exact_product(first, b);
  return normalized(first, ((a.high - back.high) - back.low + a.low) / b);
}

constexpr Pair kPi{3.141592653589793116, 1.2246467991473532e-16};
constexpr Pair kSqrtHalf{0.70710678118654757, -4.8336466567264567e-17};

// Sum of the Taylor series whose term i is the one before times -x^2 / ((2i - 1 + odd)(2i + odd)); |x| below pi / 4.
Pair taylor(Pair term, Pair x, int odd) {
  const Pair square = x * x;
  Pair sum = term;
  for (int i = 1; i < 16; ++i) {
    const Pair next = divided(term * square, (2 * i - 1 + odd) * (2 * i + odd));
    term = {-next.high, -next.low};
    sum = sum + term;
  }
  return sum;
}

// sqrt(2^-power).
Pair root_of_power(int power) {
  double scale = 1;
  for (int i = 0; i < power / 2; ++i) scale *= 0.5;
  return power % 2 == 0 ? Pair{scale, 0} : Pair{kSqrtHalf.high * scale, kSqrtHalf.low * scale};
}

template <class T>
void fill(T* table, std::uint64_t size, Pair factor, Pair first) {
  table[1] = static_cast<T>(first.high);
  for (std::uint64_t m = 2; m < size; m *= 2) {
    for (std::uint64_t j = 0; j < m / 2; ++j) {
      const Pair angle = divided(Pair{static_cast<double>(2 * j + 1), 0} * kPi, static_cast<double>(4 * m));
      table[m + 2 * j] = static_cast<T>((taylor({1, 0}, angle, 0) * factor).high);
      table[m + 2 * j + 1] = static_cast<T>((taylor(angle, angle, 1) * factor).high);
    }
  }
}

}  // namespace

template <class T>
const SmallTables<T>& small_tables() {
  static const SmallTables<T> tables = [] {
    SmallTables<T> made{};
    fill(made.plain, kMaxSmall / 4, {1, 0}, kSqrtHalf);
    made.scaled[2] = 1;  // [1] of n = 1, where n = 2 has its unused [0]
    for (int log2_n = 1; log2_n <= 8; ++log2_n) {
      const std::uint64_t n = std::uint64_t{1} << log2_n;
      fill(made.scaled + n, n, root_of_power(log2_n - 1), root_of_power(log2_n));
    }
    return made;
  }();
  return tables;
}

template const SmallTables<float>& small_tables<float>();
template const SmallTables<double>& small_tables<double>();

}  // namespace haagenti::dct
