// The chunks of a tensor that are quantised as transformed values: binary32, the mean taken off, a transform, codes, and the error of all that.
// Not responsible for the record around the segments.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "encoding/chunk_transform.h"
#include "encoding/value_stats.h"
#include "haagenti/base/buffer.h"
#include "haagenti/encoding/chunk_grid.h"
#include "haagenti/encoding/encode.h"

namespace haagenti {

// What may become zero where no scale is small enough: rounding noise, 60 dB under the tensor.
float negligible_magnitude(const ValueStats& stats, double n_elements);

// The mean, where taking it off is worth more than the zeros that it would undo; else 0. A transform gathers zeros elsewhere than the identity.
float mean_to_keep(const ValueStats& stats, double n_elements, TransformId transform);

class ValueEncoder {
 public:
  using Segments = std::array<MutableByteView, kMaxSegments>;

  ValueEncoder(const TensorView& tensor, const ChunkGrid& grid, const Stages& stages, ScaleRule rule);

  // What concerns the whole tensor: its mean, and what is kept. A NaN or an infinity rejects its chunk.
  void prepare(std::uint64_t overhead_bytes, std::vector<std::optional<Rejection>>& rejections);

  // After prepare: the quantiser's parameters.
  const std::vector<std::uint8_t>& params() const { return params_; }

  // Fills the segments of a chunk and cuts them to what was written.
  std::optional<Rejection> encode(std::uint64_t chunk, Segments& segments, ErrorSums* error) const;

 private:
  // n values of a row of a chunk.
  void load(std::uint64_t chunk, std::uint64_t row, std::uint64_t col, std::uint64_t n, float* dst) const;
  const float* row_of(std::uint64_t chunk, std::uint64_t row, float* scratch) const;
  // Adds a chunk's values up; where one is not finite, says so.
  std::optional<Rejection> add_stats(std::uint64_t chunk, ValueStats* stats) const;
  void transform_chunk(std::uint64_t chunk, float* dst, std::uint64_t stride) const;
  // The transformed values of a chunk: kept ones, or made in scratch.
  ChunkValues values_of(std::uint64_t chunk, float* scratch) const;
  ErrorSums measure(std::uint64_t chunk, const Segments& segments) const;

  const TensorView& tensor_;
  const ChunkGrid& grid_;
  const Quantizer& quantizer_;
  const ScaleRule rule_;
  std::vector<std::uint8_t> params_;
  ChunkTransform transform_;
  Buffer kept_;  // the transformed matrix, for quantisers that look at all of it first
  std::vector<KeepRule> rules_;
  float negligible_ = 0;
};

}  // namespace haagenti
