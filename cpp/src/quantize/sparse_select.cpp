// Which values of a tensor are kept, for a share of the values or of the energy: the threshold is found by counting magnitudes in bins that
// get finer. Not responsible for a budget of bits (sparse_budget.cpp) nor for the bytes.
#include <cmath>

#include "haagenti/base/executor.h"
#include "quantize/sparse.h"

namespace haagenti::sparse {
namespace {

constexpr BinRange kWholeRange{0, 20};  // 2048 bins of 2^20 are all magnitudes

// From here on a sample says where the threshold will be, which saves a pass over all values.
constexpr std::uint64_t kMinSampled = std::uint64_t{1} << 17;
constexpr std::uint64_t kMaxSample = std::uint64_t{1} << 15;
constexpr std::uint64_t kSampleRun = 16;

struct Bins {
  std::uint64_t above = 0;
  std::vector<std::uint64_t> counts = std::vector<std::uint64_t>(kBins);
  std::vector<double> energy;
};

// Bins of every chunk, and of all: added in the order of the chunks, so that sums of energy are the same for every thread count.
class Counter {
 public:
  Counter(std::span<const ChunkValues> chunks, bool energy) : chunks_(chunks), energy_(energy) {}

  Bins count(BinRange range) {
    counts_.assign(chunks_.size() * kBins, 0);
    above_.assign(chunks_.size(), 0);
    if (energy_) energies_.assign(chunks_.size() * kBins, 0.0);
    parallel_for(chunks_.size(), [&](std::size_t i) { count_chunk(i, range); });
    Bins total;
    if (energy_) total.energy.assign(kBins, 0.0);
    for (std::size_t i = 0; i < chunks_.size(); ++i) {
      total.above += above_[i];
      for (std::size_t bin = 0; bin < kBins; ++bin) total.counts[bin] += counts_[i * kBins + bin];
      for (std::size_t bin = 0; energy_ && bin < kBins; ++bin) total.energy[bin] += energies_[i * kBins + bin];
    }
    return total;
  }

  // Of the last pass.
  std::uint64_t chunk_count(std::size_t chunk, std::size_t bin) const { return counts_[chunk * kBins + bin]; }

 private:
  void count_chunk(std::size_t i, BinRange range) {
    const ChunkValues& chunk = chunks_[i];
    std::uint64_t* counts = counts_.data() + i * kBins;
    double* energy = energy_ ? energies_.data() + i * kBins : nullptr;
    if (chunk.stride == chunk.shape.cols || chunk.shape.rows == 1) {
      above_[i] = count_bins(chunk.data, chunk.shape.rows * chunk.shape.cols, range, counts, energy);
      return;
    }
    for (std::uint64_t row = 0; row < chunk.shape.rows; ++row) {
      above_[i] += count_bins(chunk.data + row * chunk.stride, chunk.shape.cols, range, counts, energy);
    }
  }

  std::span<const ChunkValues> chunks_;
  bool energy_;
  std::vector<std::uint64_t> counts_;
  std::vector<double> energies_;
  std::vector<std::uint64_t> above_;
};

std::uint64_t elements(std::span<const ChunkValues> chunks) {
  std::uint64_t n = 0;
  for (const ChunkValues& chunk : chunks) n += chunk.shape.rows * chunk.shape.cols;
  return n;
}

// Magnitude bits of short runs of values, spread evenly over the tensor.
std::vector<std::uint32_t> sample_magnitudes(std::span<const ChunkValues> chunks, std::uint64_t n, std::uint64_t wanted) {
  std::vector<std::uint32_t> sample;
  const std::uint64_t step = n / (wanted / kSampleRun);
  std::uint64_t at = step / 2;  // from the start of the chunk
  for (const ChunkValues& chunk : chunks) {
    const std::uint64_t chunk_n = chunk.shape.rows * chunk.shape.cols;
    for (; at < chunk_n; at += step) {
      const std::uint64_t col = at % chunk.shape.cols;
      const float* x = chunk.data + at / chunk.shape.cols * chunk.stride + col;
      const std::uint64_t run = std::min(kSampleRun, chunk.shape.cols - col);
      for (std::uint64_t i = 0; i < run; ++i) sample.push_back(std::bit_cast<std::uint32_t>(x[i]) & 0x7fffffffu);
    }
    at -= chunk_n;
  }
  return sample;
}

// Bins around the place where the largest n_kept values end, so wide that it is hardly ever missed; a miss costs one more pass.
BinRange guess_range(std::span<const ChunkValues> chunks, std::uint64_t n, std::uint64_t n_kept) {
  if (n < kMinSampled) return kWholeRange;
  std::vector<std::uint32_t> sample = sample_magnitudes(chunks, n, std::min(n / 64, kMaxSample));
  if (sample.empty()) return kWholeRange;
  const auto size = static_cast<double>(sample.size());
  const double dropped = 1.0 - static_cast<double>(n_kept) / static_cast<double>(n);
  const double margin = 4.0 / std::sqrt(size);  // 8 standard deviations or more, of values that are independent
  const auto at_share = [&](double share) {
    const auto i = static_cast<std::ptrdiff_t>(std::clamp(share, 0.0, 1.0) * (size - 1));
    std::nth_element(sample.begin(), sample.begin() + i, sample.end());
    return sample[static_cast<std::size_t>(i)];
  };
  BinRange range{dropped <= margin ? 0 : at_share(dropped - margin), 0};
  const std::uint32_t last = dropped + margin >= 1 ? 0x7fffffffu : at_share(dropped + margin);
  while (range.shift < kWholeRange.shift && (last - range.begin) >> range.shift >= kBins) ++range.shift;
  return range;
}

BinRange inside_bin(BinRange range, std::uint32_t bin) {
  constexpr std::uint32_t kBinBits = 11;
  return {range.begin + (bin << range.shift), range.shift > kBinBits ? range.shift - kBinBits : 0};
}

// Values equal to the threshold are kept in the order of the chunks.
void share_ties(const Counter& counter, std::uint32_t bin, std::uint32_t threshold, std::uint64_t n_ties, std::span<KeepRule> rules) {
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const std::uint64_t n = std::min(n_ties, counter.chunk_count(i, bin));
    rules[i] = {threshold, n};
    n_ties -= n;
  }
}

void keep_count(const PrepareArgs& args, std::uint64_t n, std::uint64_t n_kept) {
  Counter counter(args.chunks, false);
  BinRange range = guess_range(args.chunks, n, n_kept);
  for (;;) {
    const Bins bins = counter.count(range);
    std::uint64_t above = bins.above;
    std::uint32_t bin = kBins;
    while (above < n_kept && bin != 0) above += bins.counts[--bin];
    if (bin == kBins || above < n_kept) {  // the guess was wrong
      range = kWholeRange;
      continue;
    }
    above -= bins.counts[bin];
    if (range.shift == 0) return share_ties(counter, bin, range.begin + bin, n_kept - above, args.rules);
    range = inside_bin(range, bin);
  }
}

void keep_energy(const PrepareArgs& args, double share) {
  const auto keep_all_but_zeros = [&] { std::fill(args.rules.begin(), args.rules.end(), KeepRule{0, 0}); };
  Counter counter(args.chunks, true);
  double wanted = -1;
  double above = 0;           // energy of the values above the bins
  std::uint32_t end = kBins;  // bins from here on are above the one that was looked into: their energy is in `above` already
  for (BinRange range = kWholeRange;;) {
    const Bins bins = counter.count(range);
    if (wanted < 0) {
      double total = 0;
      for (std::uint32_t bin = kBins; bin-- != 0;) total += bins.energy[bin];
      if (share >= 1 || !(total > 0) || !std::isfinite(total)) return keep_all_but_zeros();
      wanted = share * total;
    }
    std::uint32_t bin = end;
    std::uint32_t lowest = kBins;  // of those that are not empty
    double sum = above;
    while (bin != 0 && sum < wanted) {
      if (bins.counts[--bin] == 0) continue;
      lowest = bin;
      above = sum;
      sum += bins.energy[bin];
    }
    if (lowest == kBins) return keep_all_but_zeros();
    if (range.shift != 0) {
      const BinRange inside = inside_bin(range, lowest);
      end = (1u << range.shift) >> inside.shift;
      range = inside;
      continue;
    }
    const auto value = static_cast<double>(std::bit_cast<float>(range.begin + lowest));
    const double ties = std::ceil((wanted - above) / (value * value));
    const auto most = static_cast<double>(bins.counts[lowest]);
    return share_ties(counter, lowest, range.begin + lowest, static_cast<std::uint64_t>(ties < most ? std::max(ties, 1.0) : most), args.rules);
  }
}

}  // namespace

void prepare_share(const PrepareArgs& args, const SparseParams& params) {
  const std::uint64_t n = elements(args.chunks);
  std::fill(args.rules.begin(), args.rules.end(), KeepRule{});
  if (n == 0) return;
  const auto share = static_cast<double>(params.target_value);
  if (params.target == SparseTarget::kEnergy) return keep_energy(args, share);
  const auto n_kept = static_cast<std::uint64_t>(std::floor(share * static_cast<double>(n) + 0.5));
  keep_count(args, n, std::clamp<std::uint64_t>(n_kept, 1, n));
}

}  // namespace haagenti::sparse
