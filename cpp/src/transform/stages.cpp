// The rows of the table: what each transform does to the rows of a chunk. The algorithms are dct.h's and hadamard.h's.
#include <algorithm>
#include <bit>
#include <string_view>

#include "haagenti/base/error.h"
#include "haagenti/transform/dct.h"
#include "haagenti/transform/hadamard.h"
#include "haagenti/transform/transform.h"

namespace haagenti {
namespace {

void no_check(const TransformParams&, std::uint64_t, std::uint64_t) {}

// Lines with a prime factor beyond kLargestRadix are convolutions of several times their length: what a small record could ask for is bounded.
constexpr std::uint64_t kLargestRadix = 199;
constexpr std::uint64_t kLongestPrimeLine = 1u << 20;

void check_line(std::string_view name, std::uint64_t n) {
  std::uint64_t rest = n;
  for (std::uint64_t factor = 2; factor <= kLargestRadix; ++factor) {
    while (rest > 1 && rest % factor == 0) rest /= factor;
  }
  if (rest > 1 && n > kLongestPrimeLine) {
    fail(ErrorKind::kInvalidArgument, "transform ", name, ": a line of ", n, " elements has a prime factor above ", kLargestRadix, "; such lines have at most ",
         kLongestPrimeLine);
  }
}

void check_rows(const TransformParams&, std::uint64_t, std::uint64_t row_length) { check_line("dct_rows", row_length); }

void check_plane(const TransformParams&, std::uint64_t n_rows, std::uint64_t row_length) {
  check_line("dct_2d", n_rows);
  check_line("dct_2d", row_length);
}
std::uint64_t single_rows(const TransformParams&, std::uint64_t) { return 1; }
std::uint64_t all_rows(const TransformParams&, std::uint64_t n_rows) { return std::max<std::uint64_t>(1, n_rows); }
std::uint64_t block_rows(const TransformParams& params, std::uint64_t) { return params.block; }
void leave(const TransformArgs&) {}

DctArrays in_place(const TransformArgs& args) {
  auto* bytes = reinterpret_cast<std::uint8_t*>(args.data);
  return {DType::kF32, bytes, bytes};
}

template <DctType kType>
void rows(const TransformArgs& args) {
  dct_rows_f32(kType, args.data, args.stride, args.rows, args.cols);
}

// One tile, as large as the chunk.
template <DctType kType>
void plane(const TransformArgs& args) {
  const std::uint64_t height = std::max<std::uint64_t>(1, args.rows), width = std::max<std::uint64_t>(1, args.cols);
  dct_tiles(kType, in_place(args), {args.rows, args.cols, args.stride, args.stride, height, width});
}

template <DctType kType>
void tiles(const TransformArgs& args) {
  dct_tiles(kType, in_place(args), {args.rows, args.cols, args.stride, args.stride, args.params.block, args.params.block});
}

void check_hadamard(const TransformParams& params, std::uint64_t, std::uint64_t row_length) {
  if (row_length % params.block != 0) {
    fail(ErrorKind::kInvalidArgument, "transform hadamard(", params.block, "): the block does not divide rows of ", row_length);
  }
}

template <bool kInverse>
void blocks(const TransformArgs& args) {
  auto* bytes = reinterpret_cast<std::uint8_t*>(args.data);
  hadamard({
      .dtype = DType::kF32,
      .src = bytes,
      .dst = bytes,
      .rows = args.rows,
      .cols = args.cols,
      .src_stride = args.stride,
      .dst_stride = args.stride,
      .block = args.params.block,
      .seed = args.params.seed,
      .col_begin = args.col_begin,
      .inverse = kInverse,
  });
}

}  // namespace

TransformFunctions identity_transform() { return {false, false, false, no_check, single_rows, leave, leave}; }
TransformFunctions dct_rows_transform() { return {false, false, true, check_rows, single_rows, rows<DctType::k2>, rows<DctType::k3>}; }
TransformFunctions dct_2d_transform() { return {false, false, true, check_plane, all_rows, plane<DctType::k2>, plane<DctType::k3>}; }
TransformFunctions block_dct_transform() { return {true, false, false, no_check, block_rows, tiles<DctType::k2>, tiles<DctType::k3>}; }
TransformFunctions hadamard_transform() { return {true, true, false, check_hadamard, single_rows, blocks<false>, blocks<true>}; }

}  // namespace haagenti
