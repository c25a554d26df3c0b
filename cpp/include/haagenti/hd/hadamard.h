// The butterfly of the Walsh-Hadamard transform and the random signs before it.
// Not responsible for loops. Format: cpp/src/transform/spec.md.
#pragma once

#include <cstdint>

#include "haagenti/hd/macros.h"

namespace haagenti::hd {

// One step on a pair of elements h apart: (a, b) -> (a + b, a - b). Steps run from h = 1 upwards.
template <class T>
HGT_HD void hadamard_step(T& a, T& b) {
  const T sum = a + b;
  b = a - b;
  a = sum;
}

// Signs of 32 columns: bit i set means that column 32 * word + i is negated. Finaliser of MurmurHash3 (A. Appleby, public domain) over a
// Weyl sequence of the seed.
HGT_HD std::uint32_t hadamard_signs(std::uint32_t seed, std::uint64_t word) {
  std::uint32_t h = static_cast<std::uint32_t>(word) + (seed + 1) * 0x9e3779b9u;
  h = (h ^ (h >> 16)) * 0x85ebca6bu;
  h = (h ^ (h >> 13)) * 0xc2b2ae35u;
  return h ^ (h >> 16);
}

HGT_HD bool hadamard_negates(std::uint32_t seed, std::uint64_t col) { return (hadamard_signs(seed, col / 32) >> (col % 32)) & 1u; }

}  // namespace haagenti::hd
