#include "encoding/transform_sample.h"

#include <algorithm>
#include <utility>

#include "haagenti/base/checked.h"
#include "haagenti/base/float_convert.h"

namespace haagenti {
namespace {

// Elements of a sample: the signal-to-noise ratios of two transforms of a Gaussian sample of this size differ by about 0.02 dB.
constexpr std::uint64_t kSampleElements = 262144;
constexpr std::uint64_t kBands = 8;       // of a sample that is not the whole matrix, spread over its rows
constexpr std::uint64_t kBandRows = 128;  // at most; a band begins at a multiple of it, as the largest tiles tried do

// The j-th of n places on a grid of `slots` slots of `pitch`, spread evenly.
std::uint64_t spread(std::uint64_t j, std::uint64_t n, std::uint64_t slots, std::uint64_t pitch) { return j * slots / n * pitch; }

}  // namespace

bool fits_whole(const TensorView& tensor) { return tensor.n_rows * tensor.row_length <= kSampleElements; }

std::vector<Band> bands_of_rows(const TensorView& tensor) {
  const std::uint64_t cols = std::min(tensor.row_length, kMaxWholeRow);
  if (fits_whole(tensor)) return {{0, 0, {tensor.n_rows, cols}}};
  const std::uint64_t slots = ceil_div(tensor.n_rows, kBandRows);
  const std::uint64_t n_bands = std::min(slots, kBands);
  const std::uint64_t rows = std::clamp<std::uint64_t>(kSampleElements / n_bands / cols, 1, kBandRows);
  std::vector<Band> bands;
  for (std::uint64_t b = 0; b < n_bands; ++b) {
    const std::uint64_t row = spread(b, n_bands, slots, kBandRows);
    bands.push_back({row, 0, {std::min(rows, tensor.n_rows - row), cols}});
  }
  return bands;
}

std::vector<Band> bands_of_tiles(const TensorView& tensor) {
  if (fits_whole(tensor)) return bands_of_rows(tensor);
  const std::uint64_t row_slots = ceil_div(tensor.n_rows, kBandRows), col_slots = ceil_div(tensor.row_length, kBandRows);
  const std::uint64_t n_bands = std::min(row_slots * col_slots, kBands);
  const std::uint64_t height = std::min(tensor.n_rows, kBandRows);
  const std::uint64_t width = std::max(kBandRows, kSampleElements / n_bands / height / kBandRows * kBandRows);
  std::vector<Band> bands;
  for (std::uint64_t b = 0; b < n_bands; ++b) {
    const std::uint64_t row = spread(b, n_bands, row_slots, kBandRows);
    const std::uint64_t last = tensor.row_length <= width ? 0 : (tensor.row_length - width) / kBandRows + 1;
    const std::uint64_t col = last == 0 ? 0 : spread(b, n_bands, last, kBandRows);
    bands.push_back({row, col, {std::min(kBandRows, tensor.n_rows - row), std::min(width, tensor.row_length - col)}});
  }
  return bands;
}

Sample take_sample(const TensorView& tensor, std::vector<Band> bands) {
  Sample sample{std::move(bands), {}, {}};
  const std::size_t element = dtype_bits(tensor.dtype) / 8;
  for (const Band& band : sample.bands) {
    for (std::uint64_t row = band.row; row < band.row + band.shape.rows; ++row) {
      const std::size_t at = sample.values.size();
      sample.values.resize(at + band.shape.cols);
      load_f32(tensor.bytes.data() + (row * tensor.row_length + band.col) * element, tensor.dtype, band.shape.cols, sample.values.data() + at);
      sample.stats.add(value_stats(sample.values.data() + at, band.shape.cols));
    }
  }
  return sample;
}

}  // namespace haagenti
