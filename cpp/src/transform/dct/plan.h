// What a line of a length that has no straight-line kernel needs: how it is cut into Fourier transforms of few numbers, twiddle factors and orders.
// Not responsible for computing with them.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace haagenti::dct {

inline constexpr std::uint32_t kLargestRadix = 199;  // a length with a larger prime factor is Bluestein's; measured

// One pass of a Stockham Fourier transform of length m: m / radix butterflies; element q + stride (p + i m / (radix stride)) goes to
// q + stride (radix p + i) times exp(-2 pi i p i stride / m).
struct Pass {
  std::uint32_t radix;
  std::uint64_t stride;   // product of the radices before
  std::uint64_t count;    // m / (radix stride)
  std::uint64_t twiddle;  // where its count (radix - 1) factors start
  std::uint64_t roots;    // where its radix roots start; of radices above 13 alone
};

template <class T>
struct FftPlan {
  std::uint64_t m = 1;
  std::vector<Pass> passes;
  std::vector<T> twiddles;  // (re, im)
  std::vector<T> roots;     // (cos, sin) of 2 pi j / radix
};

// A line of n is a Fourier transform of m = n / 2 pairs (n even) or of n numbers whose imaginary part is 0, cut as m = n1 n2:
// n2 transforms of n1 numbers n2 apart, factors exp(-2 pi i j2 k1 / m), n1 transforms of n2 numbers. Number k1 + n1 k2 of the result is
// number k2 of the transform k1. n2 = 1: not cut. Bluestein's plan holds no cut.
template <class T>
struct LinePlan {
  std::uint64_t n = 0;
  std::uint64_t m = 0;
  bool even = false;
  bool bluestein = false;
  std::uint64_t n1 = 1;
  std::uint64_t n2 = 1;
  FftPlan<T> level1;
  FftPlan<T> level2;
  std::vector<T> between_re;  // [k1][j2]
  std::vector<T> between_im;
  std::vector<std::uint32_t> order;  // n even: elements of the line that are the real and imaginary part of number j; n odd: one element
  // n even: alpha and beta of dct2_rotate; n odd: alpha alone, exp(i pi k / 2n) sqrt(2 / n). k = 0 .. m / 2, four arrays.
  std::vector<T> alpha_re, alpha_im, beta_re, beta_im;
  T first = 0;  // 1 / sqrt(n)

  std::uint64_t n_bytes() const;
};

// Fits lines of up to 2^32 - 1 elements; longer ones are Bluestein's or refused by the drivers.
template <class T>
std::shared_ptr<const LinePlan<T>> line_plan(std::uint64_t n);

// exp(2 pi i k / n), to half a unit in the last place or little more, the same on every machine.
struct Root {
  double cos;
  double sin;
};
Root unit_root(std::uint64_t k, std::uint64_t n);

// The largest prime factor.
std::uint64_t largest_prime(std::uint64_t n);

}  // namespace haagenti::dct
