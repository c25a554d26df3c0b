// What `int8` and `int4` share: sizes, and the walk over the rows of a chunk.
#pragma once

#include "haagenti/quantize/grouped_params.h"
#include "haagenti/quantize/quantizer.h"
#include "quantize/grouped_kernels.h"

namespace haagenti::grouped {

inline constexpr SegmentKind kSegments[] = {SegmentKind::kCodes, SegmentKind::kScales};

bool accepts(DType dtype);
bool decodes_to(DType from, DType to);
void check_params(ByteView params);
std::uint64_t code_row_bytes(IntWidth width, std::uint64_t cols);
std::uint64_t segment_bytes(IntWidth width, std::size_t segment, ChunkShape shape, ByteView params);
std::optional<Rejection> quantize(IntWidth width, const QuantizeArgs& args);
void dequantize(IntWidth width, const DequantizeArgs& args);

// The row of the table for one width.
template <IntWidth kWidth>
QuantizerFunctions functions() {
  return {
      .lossless = false,
      .params_size = kGroupedParamsSize,
      .segments = kSegments,
      .accepts = accepts,
      .decodes_to = decodes_to,
      .check_params = check_params,
      .segment_bytes = [](std::size_t segment, ChunkShape shape, DType, ByteView params) { return segment_bytes(kWidth, segment, shape, params); },
      .quantize = [](const QuantizeArgs& args) { return quantize(kWidth, args); },
      .dequantize = [](const DequantizeArgs& args) { dequantize(kWidth, args); },
  };
}

}  // namespace haagenti::grouped
