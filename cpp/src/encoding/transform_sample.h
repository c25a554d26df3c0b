// A part of a tensor on which transforms are compared: bands of it in binary32.
// Not responsible for comparing (choose_transform.h).
#pragma once

#include <cstdint>
#include <vector>

#include "encoding/value_stats.h"
#include "haagenti/encoding/encode.h"

namespace haagenti {

inline constexpr std::uint64_t kMaxWholeRow = 65536;  // longer rows are sampled in part, and not by transforms of whole rows

// A part of the matrix.
struct Band {
  std::uint64_t row;
  std::uint64_t col;
  ChunkShape shape;
};

// Values of some bands in binary32.
struct Sample {
  std::vector<Band> bands;
  std::vector<float> values;  // band after band
  ValueStats stats;
};

// Whether a sample is the whole matrix.
bool fits_whole(const TensorView& tensor);

// Few whole rows a band, for transforms along rows.
std::vector<Band> bands_of_rows(const TensorView& tensor);

// Whole tiles: all rows of a band, few columns, which move along with the bands.
std::vector<Band> bands_of_tiles(const TensorView& tensor);

Sample take_sample(const TensorView& tensor, std::vector<Band> bands);

}  // namespace haagenti
