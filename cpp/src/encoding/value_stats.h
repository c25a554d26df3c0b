// Sums over values that an encoder needs before it transforms them, the same for every instruction set.
// Not responsible for where the values come from.
#pragma once

#include <algorithm>
#include <cstdint>

namespace haagenti {

struct ValueStats {
  double sum = 0;
  double energy = 0;
  std::uint32_t largest_bits = 0;  // of the magnitudes; infinity's or more where a value is not finite

  void add(const ValueStats& other) {
    sum += other.sum;
    energy += other.energy;
    largest_bits = std::max(largest_bits, other.largest_bits);
  }
};

// Of n values; rows are added one after the other.
ValueStats value_stats(const float* x, std::uint64_t n);

}  // namespace haagenti
