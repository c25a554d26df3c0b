// Arithmetic on sizes from files: overflow is an answer, not an accident.
// Not responsible for error messages: callers know which field overflowed.
#pragma once

#include <cstdint>
#include <optional>

namespace haagenti {

inline std::optional<std::uint64_t> checked_add(std::uint64_t a, std::uint64_t b) {
  std::uint64_t sum;
  if (__builtin_add_overflow(a, b, &sum)) return std::nullopt;
  return sum;
}

inline std::optional<std::uint64_t> checked_mul(std::uint64_t a, std::uint64_t b) {
  std::uint64_t product;
  if (__builtin_mul_overflow(a, b, &product)) return std::nullopt;
  return product;
}

inline std::uint64_t ceil_div(std::uint64_t a, std::uint64_t b) { return a / b + (a % b != 0); }

// Rounds up to a multiple; wraps only for values within `multiple` of 2^64, which callers have excluded.
inline std::uint64_t round_up(std::uint64_t value, std::uint64_t multiple) { return ceil_div(value, multiple) * multiple; }

}  // namespace haagenti
