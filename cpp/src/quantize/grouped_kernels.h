// The SIMD loops of `int8` and `int4`. They neither check nor allocate: grouped.cpp does.
// Every instruction set gives the same bytes. cpp/src/quantize/spec.md says what is computed; hd/grouped_int.h says it for one element.
#pragma once

#include <cstdint>

#include "haagenti/base/float_convert.h"
#include "haagenti/quantize/quantizer.h"
#include "quantize/error_lanes.h"

namespace haagenti {

enum class IntWidth { kInt8, kInt4 };

// Rows of a chunk in binary32, one after the other; groups restart with each row.
struct RowBlock {
  const float* x;
  std::uint64_t rows;
  std::uint64_t cols;
  std::uint64_t group;  // elements of a full group, >= 1
  std::uint64_t groups_per_row;
  float negligible = 0;  // a group of values no larger than this that binary16 has no scale for is a group of zeros
};

// scales[g]: binary16 scale of group g that maps its largest element to the end of the codes. Returns the first group that has none
// (a NaN, an infinity, a scale that binary16 cannot hold), or the number of groups. Groups of zeros, and negligible ones, have scale 0.
std::uint64_t max_scales(const RowBlock& block, IntWidth width, std::uint16_t* scales);

// Groups up to this are searched one a lane; longer ones fill the lanes by themselves.
inline constexpr std::uint64_t kMaxLaneGroup = 256;

// Replaces each scale from max_scales by the best of a few around it. `scratch` holds search_scratch_floats(block.group).
std::uint64_t search_scratch_floats(std::uint64_t group);
void search_scales(const RowBlock& block, IntWidth width, float* scratch, std::uint16_t* scales);

// One code a byte: clamp(round_half_even(x * (1 / scale))), 0 where the scale is 0. Adds the error of code * scale rounded to dtype.
void quantize_rows(const RowBlock& block, IntWidth width, const std::uint16_t* scales, DType dtype, std::int8_t* codes, ErrorLanes* error);

// n codes of -8..7 to ceil(n / 2) bytes.
void pack_int4(const std::int8_t* codes, std::uint64_t n, std::uint8_t* dst);

struct DequantizeRow {
  const std::uint8_t* codes;   // first byte of the row
  const std::uint8_t* scales;  // binary16, of any alignment
  std::uint64_t cols;
  std::uint64_t group;         // elements of a full group, >= 1
  DType out_dtype;             // F32, F16 or BF16
  bool stream;                 // write around the cache
  std::uint8_t* dst;
};
void dequantize_row(const DequantizeRow& row, IntWidth width);

}  // namespace haagenti
