#include "haagenti/encoding/chunk_grid.h"

namespace haagenti {
namespace {

// Large enough that checksums, tables and dispatch vanish, small enough that a chunk and its codes stay in a second-level cache.
constexpr std::uint64_t kChunkBits = 8u << 20;
// Rows are cut only when the fewest that may share a chunk take more than this.
constexpr std::uint64_t kMaxRowBits = 4 * kChunkBits;

}  // namespace

ChunkGrid choose_chunk_grid(std::uint64_t n_rows, std::uint64_t row_length, std::uint32_t element_bits, const ChunkDemand& demand) {
  const std::uint64_t multiple = round_up(demand.row_multiple, kChunkRowMultiple);
  const std::uint64_t fewest_rows = std::clamp<std::uint64_t>(n_rows, 1, multiple);
  const std::uint64_t whole_cols = round_up(std::max<std::uint64_t>(row_length, 1), kChunkColMultiple);
  const std::uint64_t limit = n_rows <= 1 ? kChunkBits : kMaxRowBits;
  const std::uint64_t budget = kChunkBits / element_bits;  // elements
  if (demand.whole_rows || row_length <= limit / element_bits / fewest_rows) {
    const std::uint64_t rows = std::max(multiple, budget / std::max<std::uint64_t>(row_length, 1) / multiple * multiple);
    const std::uint64_t all_rows = round_up(std::max<std::uint64_t>(n_rows, 1), kChunkRowMultiple);
    return {n_rows, row_length, std::min(rows, all_rows), whole_cols};
  }
  const std::uint64_t cols = budget / fewest_rows / kChunkColMultiple * kChunkColMultiple;
  return {n_rows, row_length, multiple, std::max(kChunkColMultiple, cols)};
}

}  // namespace haagenti
