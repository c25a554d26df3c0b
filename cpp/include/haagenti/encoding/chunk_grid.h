// How a matrix is cut into chunks that are encoded by themselves. Rules: cpp/src/encoding/spec.md.
// Not responsible for bytes.
#pragma once

#include <algorithm>
#include <cstdint>

#include "haagenti/base/checked.h"
#include "haagenti/quantize/quantizer.h"

namespace haagenti {

inline constexpr std::uint64_t kChunkRowMultiple = 16;
inline constexpr std::uint64_t kChunkColMultiple = 65536;

struct ChunkGrid {
  std::uint64_t n_rows;
  std::uint64_t row_length;
  std::uint64_t chunk_rows;
  std::uint64_t chunk_cols;

  std::uint64_t grid_rows() const { return ceil_div(n_rows, chunk_rows); }
  std::uint64_t grid_cols() const { return ceil_div(row_length, chunk_cols); }
  std::uint64_t n_chunks() const { return grid_rows() * grid_cols(); }

  std::uint64_t row_begin(std::uint64_t chunk) const { return chunk / grid_cols() * chunk_rows; }
  std::uint64_t col_begin(std::uint64_t chunk) const { return chunk % grid_cols() * chunk_cols; }
  ChunkShape shape(std::uint64_t chunk) const {
    return {std::min(chunk_rows, n_rows - row_begin(chunk)), std::min(chunk_cols, row_length - col_begin(chunk))};
  }
};

// What a transform asks of the grid.
struct ChunkDemand {
  std::uint64_t row_multiple = kChunkRowMultiple;  // a multiple of kChunkRowMultiple, or at least n_rows
  bool whole_rows = false;
};

// The grid a writer chooses: about 1 MiB of elements a chunk.
ChunkGrid choose_chunk_grid(std::uint64_t n_rows, std::uint64_t row_length, std::uint32_t element_bits, const ChunkDemand& demand = {});

}  // namespace haagenti
