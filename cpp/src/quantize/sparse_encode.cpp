// The encoder of `sparse`: blocks of a chunk to index, masks, codes and scales under a rule of what to keep.
// Not responsible for the rule: sparse_select.cpp and sparse_budget.cpp.
#include <bit>
#include <cmath>
#include <cstring>

#include "haagenti/base/error.h"
#include "haagenti/hd/float_bits.h"
#include "quantize/grouped_kernels.h"
#include "quantize/sparse.h"

namespace haagenti::sparse {
namespace {

constexpr std::uint32_t kBatchBlocks = 8;  // whose groups are quantised together: the search for scales fills its lanes
constexpr std::uint32_t kMaxGroup = 128;
constexpr std::uint32_t kF16Overflow = 0x477ff000u;  // 65520, which binary16 rounds to infinity

struct KeptBlock {
  std::uint64_t begin;  // first position
  std::uint32_t length;
  std::uint32_t n_kept;
  std::uint32_t at;  // of its values in the batch: a multiple of the group size
  const float* x;
  BitMap map;
};

struct Scratch {
  std::vector<float> x = std::vector<float>(kBatchBlocks * kBlock);
  std::vector<float> kept = std::vector<float>(kBatchBlocks * (kBlock + kMaxGroup) + kPadding);
  std::vector<std::int8_t> codes = std::vector<std::int8_t>(kBatchBlocks * (kBlock + kMaxGroup));
  std::vector<std::uint16_t> scales = std::vector<std::uint16_t>(kBatchBlocks * kBlock / 32 + kBatchBlocks);
  std::vector<float> search;
  KeptBlock blocks[kBatchBlocks];
};

std::string why_rejected(float value, const char* needs) {
  if (std::isnan(value)) return "a NaN";
  if (std::isinf(value)) return "an infinity";
  return concat("a largest magnitude of ", std::fabs(value), needs);
}

// The position of value i of the kept ones.
std::uint32_t nth_kept(const BitMap& map, std::uint32_t i) {
  for (std::uint32_t w = 0;; ++w) {
    const auto n = static_cast<std::uint32_t>(std::popcount(map.words[w]));
    if (i >= n) {
      i -= n;
      continue;
    }
    std::uint64_t bits = map.words[w];
    for (; i != 0; --i) bits &= bits - 1;
    return 64 * w + static_cast<std::uint32_t>(std::countr_zero(bits));
  }
}

class ChunkEncoder {
 public:
  ChunkEncoder(const QuantizeArgs& args, Scratch* scratch)
      : args_(args),
        params_(SparseParams::load(args.params)),
        scratch_(*scratch),
        keeper_(args.keep),
        n_(args.shape.rows * args.shape.cols),
        next_{args.segments[kIndexSegment], args.segments[kMaskSegment], args.segments[kCodesSegment], args.segments[kScalesSegment]} {}

  std::optional<Rejection> encode() {
    for (std::uint64_t begin = 0; begin < n_; begin += kBatchBlocks * kBlock) {
      if (auto rejection = keep_batch(begin)) return rejection;
      const Pointers before = next_;
      if (auto rejection = write_values()) return rejection;
      if (args_.error != nullptr) measure_error(before);
    }
    for (std::size_t i = 0; i < next_.size(); ++i) (*args_.sizes)[i] = static_cast<std::uint64_t>(next_[i] - args_.segments[i]);
    if (args_.error != nullptr) *args_.error = error_.total();
    return std::nullopt;
  }

 private:
  using Pointers = std::array<std::uint8_t*, kMaxSegments>;

  const float* load_block(std::uint64_t begin, std::uint32_t length, float* scratch) const {
    const std::uint64_t cols = args_.shape.cols;
    if (args_.dtype == DType::kF32) return block_values({reinterpret_cast<const float*>(args_.src), args_.src_stride, args_.shape}, begin, length, scratch);
    const std::size_t element = dtype_bits(args_.dtype) / 8;
    std::uint64_t at = begin;
    for (std::uint64_t done = 0; done < length;) {
      const std::uint64_t n = std::min<std::uint64_t>(length - done, cols - at % cols);
      load_f32(args_.src + (at / cols * args_.src_stride + at % cols) * element, args_.dtype, n, scratch + done);
      done += n;
      at += n;
    }
    return scratch;
  }

  Rejection reject(std::uint64_t position, std::string reason) const {
    return {position / args_.shape.cols, position % args_.shape.cols, std::move(reason)};
  }

  // The first value that is not finite.
  Rejection reject_not_finite(const KeptBlock& block) const {
    std::uint32_t i = 0;
    while (std::isfinite(block.x[i])) ++i;
    return reject(block.begin + i, why_rejected(block.x[i], ""));
  }

  // Index and masks of the blocks from `begin` on, and their values, each block's followed by zeros to whole groups.
  std::optional<Rejection> keep_batch(std::uint64_t begin) {
    n_blocks_ = 0;
    n_values_ = 0;
    for (; n_blocks_ < kBatchBlocks && begin < n_; ++n_blocks_, begin += kBlock) {
      KeptBlock& block = scratch_.blocks[n_blocks_];
      block.begin = begin;
      block.length = static_cast<std::uint32_t>(std::min<std::uint64_t>(kBlock, n_ - begin));
      block.at = n_values_;
      block.x = load_block(begin, block.length, scratch_.x.data() + n_blocks_ * kBlock);
      float* values = scratch_.kept.data() + block.at;
      const Kept kept = keeper_.keep(block.x, block.length, &block.map, values);
      if (kept.largest >= hd::kInfinityBits) return reject_not_finite(block);
      block.n_kept = kept.count;
      const std::uint32_t padded = has_scales(params_.coefficients) ? hd::sparse_scale_count(kept.count, params_.group_size) * params_.group_size : kept.count;
      std::fill(values + kept.count, values + padded, 0.0f);
      n_values_ += padded;
      write_position(block);
    }
    return std::nullopt;
  }

  void write_position(const KeptBlock& block) {
    Gaps gaps;
    const MaskPlan plan = plan_mask(block.map, block.length, block.n_kept, &gaps);
    write_mask(block.map, plan, gaps, next_[kMaskSegment]);
    next_[kMaskSegment] += plan.n_bytes;
    store_le(next_[kIndexSegment], hd::sparse_entry_word({block.n_kept, plan.n_bytes, plan.rice, 0}));
    next_[kIndexSegment] += hd::kSparseEntryBytes;
  }

  std::optional<Rejection> write_values() {
    if (has_scales(params_.coefficients)) return write_ints();
    for (std::uint32_t i = 0; i < n_blocks_; ++i) {
      const KeptBlock& block = scratch_.blocks[i];
      const float* values = scratch_.kept.data() + block.at;
      if (params_.coefficients == CoefficientType::kF32) {
        store_f32(values, DType::kF32, block.n_kept, next_[kCodesSegment]);
      } else {
        for (std::uint32_t j = 0; j < block.n_kept; ++j) {
          if ((hd::bits_from_float(values[j]) & 0x7fffffffu) < kF16Overflow) continue;
          return reject(block.begin + nth_kept(block.map, j), why_rejected(values[j], ", which binary16 does not hold"));
        }
        store_f32(values, DType::kF16, block.n_kept, next_[kCodesSegment]);
      }
      next_[kCodesSegment] += value_sizes(block.n_kept, params_).codes;
    }
    return std::nullopt;
  }

  std::optional<Rejection> write_ints() {
    if (n_values_ == 0) return std::nullopt;
    const IntWidth width = params_.coefficients == CoefficientType::kInt8 ? IntWidth::kInt8 : IntWidth::kInt4;
    const std::uint32_t n_groups = n_values_ / params_.group_size;
    const RowBlock row{scratch_.kept.data(), 1, n_values_, params_.group_size, n_groups, args_.negligible};
    std::uint16_t* scales = scratch_.scales.data();
    const std::uint64_t accepted = max_scales(row, width, scales);
    if (accepted != n_groups) return reject_group(static_cast<std::uint32_t>(accepted) * params_.group_size);
    if (args_.scale_rule == ScaleRule::kSearch) {
      search_scales(row, width, at_least(scratch_.search, search_scratch_floats(params_.group_size)), scales);
    }
    ErrorLanes ignored;
    quantize_rows(row, width, scales, DType::kF32, scratch_.codes.data(), &ignored);
    for (std::uint32_t i = 0; i < n_blocks_; ++i) {
      const KeptBlock& block = scratch_.blocks[i];
      const std::int8_t* codes = scratch_.codes.data() + block.at;
      width == IntWidth::kInt4 ? pack_int4(codes, block.n_kept, next_[kCodesSegment]) : void(std::memcpy(next_[kCodesSegment], codes, block.n_kept));
      next_[kCodesSegment] += value_sizes(block.n_kept, params_).codes;
    }
    std::memcpy(next_[kScalesSegment], scales, 2 * n_groups);
    next_[kScalesSegment] += 2 * n_groups;
    return std::nullopt;
  }

  // Of the group whose values begin at `at` of the batch.
  Rejection reject_group(std::uint32_t at) const {
    std::uint32_t i = 0;
    while (scratch_.blocks[i].at + scratch_.blocks[i].n_kept <= at) ++i;
    const KeptBlock& block = scratch_.blocks[i];
    const float* values = scratch_.kept.data() + at;
    float largest = 0;
    for (std::uint32_t j = 0; j < params_.group_size; ++j) largest = std::max(largest, std::fabs(values[j]));
    return reject(block.begin + nth_kept(block.map, at - block.at), why_rejected(largest, ", which needs a scale outside the range of binary16"));
  }

  // What the blocks of the batch decode to, against what they were; `from` is where their segments begin.
  void measure_error(Pointers from) {
    float values[kBlock + kPadding];
    float restored[kBlock];
    for (std::uint32_t i = 0; i < n_blocks_; ++i) {
      const KeptBlock& block = scratch_.blocks[i];
      load_values(from[kCodesSegment], from[kScalesSegment], block.n_kept, params_, values);
      std::fill_n(values + block.n_kept, kPadding, 0.0f);
      expand(block.map, values, block.length, restored);
      add_error(block.x, restored, block.length, args_.dtype, &error_);
      const SegmentSizes sizes = value_sizes(block.n_kept, params_);
      from[kCodesSegment] += sizes.codes;
      from[kScalesSegment] += sizes.scales;
    }
  }

  const QuantizeArgs& args_;
  SparseParams params_;
  Scratch& scratch_;
  Keeper keeper_;
  std::uint64_t n_;
  Pointers next_;
  std::uint32_t n_blocks_ = 0;  // of the batch
  std::uint32_t n_values_ = 0;  // of the batch, with the zeros
  ErrorLanes error_;
};

}  // namespace

std::optional<Rejection> quantize(const QuantizeArgs& args) {
  thread_local Scratch scratch;
  return ChunkEncoder(args, &scratch).encode();
}

}  // namespace haagenti::sparse
