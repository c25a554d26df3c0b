// The steps of the cosine transforms of any length, for the host and a GPU: butterflies and rotations (fft_steps.inc), one value a number.
// Not responsible for loops, twiddle factors or the order of elements.
#pragma once

#include "haagenti/hd/macros.h"

namespace haagenti::hd {

// What the text of fft_steps.inc is compiled for: the type of a number and its constants.
template <class T>
struct ScalarNumbers {
  using Value = T;
  static HGT_HD T constant(double c) { return static_cast<T>(c); }
  static HGT_HD T entry(const T* at) { return *at; }
};

#define HGT_STEP HGT_HD
#include "haagenti/hd/fft_steps.inc"
#undef HGT_STEP

}  // namespace haagenti::hd
