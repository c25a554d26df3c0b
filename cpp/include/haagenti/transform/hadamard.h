// Orthonormal Walsh-Hadamard transform of blocks of rows, with random signs before it.
//
//   y = H (s * x) / sqrt(block),   H[i][j] = (-1)^popcount(i & j)  (Sylvester's order),   x = s * (H y / sqrt(block))
//
// The same bits for every instruction set and thread count. Not responsible for choosing the block. Signs: hd/hadamard.h.
#pragma once

#include <cstdint>
#include <optional>

#include "haagenti/base/dtype.h"
#include "haagenti/transform/poll.h"

namespace haagenti {

struct HadamardArgs {
  DType dtype;              // F32 and F64 computed as such, F16 and BF16 in binary32
  const std::uint8_t* src;  // the same array as dst, or apart from it
  std::uint8_t* dst;
  std::uint64_t rows;
  std::uint64_t cols;       // a multiple of block
  std::uint64_t src_stride; // elements
  std::uint64_t dst_stride;
  std::uint64_t block;      // a power of two
  std::optional<std::uint32_t> seed;  // of the signs; none: no signs
  std::uint64_t col_begin = 0;        // where in the row the signs start
  bool inverse = false;
};

// Throws InvalidArgument for a block that is no power of two or does not divide cols, or another dtype.
void hadamard(const HadamardArgs& args, const Poll& poll = {});

}  // namespace haagenti
