// A transform and a mean as a record has them, applied to rows of a chunk in binary32.
// Not responsible for quantisers or dtypes.
#pragma once

#include "haagenti/quantize/quantizer.h"
#include "haagenti/transform/transform.h"

namespace haagenti {

struct ChunkTransform {
  const Transform* transform;
  TransformParams params;
  float mean = 0;

  std::uint64_t row_unit(std::uint64_t n_rows) const { return transform->functions.row_unit(params, n_rows); }

  // Columns that are transformed without the others, so that they stay in a cache between the steps; the last strip may be narrower.
  std::uint64_t strip_cols(ChunkShape shape) const;

  // In place, rows `stride` elements apart, whole units of them, whole strips; col_begin: of the matrix.
  void forward(float* data, std::uint64_t stride, ChunkShape shape, std::uint64_t col_begin) const;
  void inverse(float* data, std::uint64_t stride, ChunkShape shape, std::uint64_t col_begin) const;
};

// Decodes rows [args.row_begin, args.row_end) of a chunk to args.dst: dequantises the units of rows that they need and transforms them back.
// col_begin: of the chunk in the matrix.
void dequantize_transformed(const Quantizer& quantizer, const ChunkTransform& transform, const DequantizeArgs& args, std::uint64_t col_begin);

}  // namespace haagenti
