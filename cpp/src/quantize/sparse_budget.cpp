// Which values of a tensor are kept when its record has a budget of bits: thresholds are tried on a sample of blocks, then on all, with the exact
// sizes that the encoder will write. Not responsible for shares (sparse_select.cpp) nor for the bytes.
#include <cmath>

#include "haagenti/base/executor.h"
#include "quantize/sparse.h"

namespace haagenti::sparse {
namespace {

constexpr std::uint64_t kSegmentAlign = 64;             // of the segments of a record
constexpr std::uint32_t kNothing = 0x7fffffffu;         // no magnitude is above it
constexpr double kToleranceBits = 0.0005;               // a weight, that may be left unused
constexpr int kGuidedPasses = 8;                        // after which the interval is halved
constexpr std::uint64_t kMinSample = 8, kMaxSample = 64;  // blocks

class Budget {
 public:
  Budget(const PrepareArgs& args, const SparseParams& params) : args_(args), params_(params) {
    for (const ChunkValues& chunk : args.chunks) {
      const std::uint64_t n = chunk.shape.rows * chunk.shape.cols;
      n_ += n;
      index_bytes_ += hd::kSparseEntryBytes * block_count(n);
    }
    limit_ = std::floor(static_cast<double>(params.target_value) * static_cast<double>(n_) / 8);
    tolerance_ = std::max(kToleranceBits / 8 * static_cast<double>(n_), static_cast<double>(kSegmentAlign));
    take_sample();
  }

  void choose() {
    std::fill(args_.rules.begin(), args_.rules.end(), KeepRule{kNothing, 0});
    if (n_ == 0 || keep_all()) return;
    const std::int64_t threshold = search_threshold();
    if (threshold < kNothing && left_ > tolerance_) search_ties(static_cast<std::uint32_t>(threshold));
  }

 private:
  // Bytes of the record.
  double record_bytes(const SegmentSizes& sizes) const {
    std::uint64_t total = args_.overhead_bytes;
    for (const std::uint64_t bytes : {index_bytes_, sizes.mask, sizes.codes, sizes.scales}) total += round_up(bytes, kSegmentAlign);
    return static_cast<double>(total);
  }

  double measure(std::span<const KeepRule> rules) const {
    std::vector<SegmentSizes> sizes(args_.chunks.size());
    parallel_for(sizes.size(), [&](std::size_t i) { sizes[i] = measure_chunk(args_.chunks[i], rules[i], params_); });
    SegmentSizes total;
    for (const SegmentSizes& size : sizes) total.add(size);
    return record_bytes(total);
  }

  bool keep_all() {
    SegmentSizes total;
    for (const ChunkValues& chunk : args_.chunks) {
      const std::uint64_t n = chunk.shape.rows * chunk.shape.cols;
      for (std::uint64_t i = 0; i < block_count(n); ++i) total.add(value_sizes(hd::sparse_block_length(n, i), params_));
    }
    if (record_bytes(total) > limit_) return false;
    for (std::size_t i = 0; i < args_.chunks.size(); ++i) args_.rules[i] = {0, args_.chunks[i].shape.rows * args_.chunks[i].shape.cols};
    return true;
  }

  // Whole blocks, spread evenly over the tensor.
  void take_sample() {
    std::uint64_t n_blocks = 0;
    for (const ChunkValues& chunk : args_.chunks) n_blocks += chunk.shape.rows * chunk.shape.cols / kBlock;
    const std::uint64_t wanted = std::min(n_blocks, std::clamp(n_blocks / 16, kMinSample, kMaxSample));
    std::uint64_t first = 0;
    float scratch[kBlock];
    for (const ChunkValues& chunk : args_.chunks) {
      const std::uint64_t n = chunk.shape.rows * chunk.shape.cols / kBlock;
      for (; wanted != 0; ++n_sampled_) {
        const std::uint64_t block = n_sampled_ * n_blocks / wanted;
        if (n_sampled_ == wanted || block >= first + n) break;
        const float* x = block_values(chunk, (block - first) * kBlock, kBlock, scratch);
        sample_.insert(sample_.end(), x, x + kBlock);
      }
      first += n;
    }
  }

  // Bytes that the sample predicts for the masks, codes and scales of the whole.
  double predict(std::uint32_t threshold) const {
    if (n_sampled_ == 0) return 0;
    const ChunkValues blocks{sample_.data(), kBlock, {n_sampled_, kBlock}};
    const SegmentSizes sizes = measure_chunk(blocks, {threshold, 0}, params_);
    return static_cast<double>(sizes.mask + sizes.codes + sizes.scales) * static_cast<double>(n_) / static_cast<double>(n_sampled_ * kBlock);
  }

  // The least threshold inside (low, high) whose prediction is not above `wanted`, or high - 1.
  std::int64_t guess(std::int64_t low, std::int64_t high, double wanted) const {
    --high;
    while (high - low > 1) {
      const std::int64_t middle = low + (high - low) / 2;
      (predict(static_cast<std::uint32_t>(middle)) <= wanted ? high : low) = middle;
    }
    return high;
  }

  // A threshold tried, and the bytes of its record; not measured: 0.
  struct Trial {
    std::int64_t threshold;
    double bytes;
  };

  // What to try next: between two measured ends along the line through them, else where the sample says.
  std::int64_t next_threshold(int pass, const Trial& low, const Trial& high, double correction) const {
    const std::int64_t width = high.threshold - low.threshold;
    const double wanted = limit_ - tolerance_ / 2;
    if (pass >= kGuidedPasses || n_sampled_ == 0) return low.threshold + width / 2;
    if (low.bytes == 0 || high.bytes == 0) return guess(low.threshold, high.threshold, wanted - correction);
    const double share = (low.bytes - wanted) / (low.bytes - high.bytes);
    const auto step = static_cast<std::int64_t>(std::clamp(share, 0.0, 1.0) * static_cast<double>(width));
    return low.threshold + std::clamp<std::int64_t>(step, 1, width - 1);
  }

  // The least threshold that fits, or one that leaves less than the tolerance; the rules say so.
  std::int64_t search_threshold() {
    Trial low{-1, 0};         // too much is kept
    Trial high{kNothing, 0};  // not too much, or there is nothing less
    double correction = static_cast<double>(args_.overhead_bytes + index_bytes_);  // to a prediction
    left_ = 0;
    std::vector<KeepRule> rules(args_.chunks.size());
    for (int pass = 0; high.threshold - low.threshold > 1; ++pass) {
      const std::int64_t middle = next_threshold(pass, low, high, correction);
      const auto threshold = static_cast<std::uint32_t>(middle);
      std::fill(rules.begin(), rules.end(), KeepRule{threshold, 0});
      const double bytes = measure(rules);
      correction = bytes - predict(threshold);
      if (bytes > limit_) {
        low = {middle, bytes};
        continue;
      }
      high = {middle, bytes};
      left_ = limit_ - bytes;
      std::copy(rules.begin(), rules.end(), args_.rules.begin());
      if (left_ <= tolerance_) break;
    }
    return high.threshold;
  }

  // As many as fit of the values equal to the threshold.
  void search_ties(std::uint32_t threshold) {
    std::vector<std::uint64_t> counts(args_.chunks.size());
    std::uint64_t high = 1;  // too many
    parallel_for(counts.size(), [&](std::size_t i) { counts[i] = count_ties(args_.chunks[i], threshold); });
    for (const std::uint64_t count : counts) high += count;
    std::vector<KeepRule> rules(counts.size());
    for (std::uint64_t low = 0; high - low > 1 && left_ > tolerance_;) {
      const std::uint64_t middle = low + (high - low) / 2;
      std::uint64_t rest = middle;
      for (std::size_t i = 0; i < counts.size(); ++i) {
        rules[i] = {threshold, std::min(rest, counts[i])};
        rest -= rules[i].n_ties;
      }
      const double bytes = measure(rules);
      if (bytes > limit_) {
        high = middle;
        continue;
      }
      low = middle;
      left_ = limit_ - bytes;
      std::copy(rules.begin(), rules.end(), args_.rules.begin());
    }
  }

  static std::uint64_t count_ties(const ChunkValues& chunk, std::uint32_t threshold) {
    std::uint64_t count = 0;
    for (std::uint64_t row = 0; row < chunk.shape.rows; ++row) count += count_equal(chunk.data + row * chunk.stride, chunk.shape.cols, threshold);
    return count;
  }

  const PrepareArgs& args_;
  const SparseParams& params_;
  std::uint64_t n_ = 0;
  std::uint64_t index_bytes_ = 0;
  double limit_ = 0;
  double tolerance_ = 0;
  double left_ = 0;  // bytes that the rules leave of the limit
  std::vector<float> sample_;
  std::uint64_t n_sampled_ = 0;  // blocks
};

}  // namespace

SegmentSizes measure_chunk(const ChunkValues& chunk, const KeepRule& rule, const SparseParams& params) {
  const std::uint64_t n = chunk.shape.rows * chunk.shape.cols;
  Keeper keeper(rule);
  SegmentSizes total;
  BitMap map;
  Gaps gaps;
  float scratch[kBlock];
  for (std::uint64_t block = 0; block < block_count(n); ++block) {
    const std::uint32_t length = hd::sparse_block_length(n, block);
    const Kept kept = keeper.keep(block_values(chunk, block * kBlock, length, scratch), length, &map, nullptr);
    total.add(value_sizes(kept.count, params));
    total.mask += plan_mask(map, length, kept.count, &gaps).n_bytes;
  }
  return total;
}

void prepare_bits(const PrepareArgs& args, const SparseParams& params) { Budget(args, params).choose(); }

}  // namespace haagenti::sparse
