// Tables of hd/dct_steps.h for every length of small.h.
// Not responsible for other lengths.
#pragma once

#include <cstdint>

#include "transform/dct/small.h"

namespace haagenti::dct {

template <class T>
struct SmallTables {
  T plain[kMaxSmall / 4];    // m up to n / 8: inside the DCT-II inside a DCT-IV of n / 2
  T scaled[2 * kMaxSmall];   // the table of n from index n on: m up to n / 2, and [1]
  const T* of(std::uint64_t n) const { return scaled + n; }
};

// Every entry within an ulp of binary64 / 2 of its definition, by additions and multiplications alone: the same bits everywhere.
template <class T>
const SmallTables<T>& small_tables();

}  // namespace haagenti::dct
