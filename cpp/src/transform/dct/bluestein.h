// DCT-II and DCT-III of one line of any length, in binary64 on Eigen's Fourier transform: for lengths with a large prime factor.
// Not responsible for other lengths (any.h chooses).
//
// The Fourier transform of m numbers as a convolution with a chirp (L. Bluestein, IEEE Trans. AU 18, 1970):
//   X[k] = w[k] sum_j (x[j] w[j]) conj(w[k - j]),   w[j] = exp(-i pi j^2 / m)
#pragma once

#include <cstdint>

#include "haagenti/transform/dct.h"

namespace haagenti::dct {

// Element i of the line is src[i src_step]; dst may be src.
template <class T>
void bluestein_line(DctType type, const T* src, std::uint64_t src_step, T* dst, std::uint64_t dst_step, std::uint64_t n);

}  // namespace haagenti::dct
