// A rule of what to keep, applied to block after block. Not responsible for making the rule.
#include "quantize/sparse.h"

namespace haagenti::sparse {

Kept Keeper::keep(const float* x, std::uint32_t length, BitMap* map, float* kept) {
  const auto above = static_cast<std::int32_t>(threshold_);
  if (ties_left_ == 0) return keep_above(x, length, above, map, kept);
  const std::uint64_t n_equal = count_equal(x, length, threshold_);
  if (n_equal <= ties_left_) {
    ties_left_ -= n_equal;
    return keep_above(x, length, above - 1, map, kept);
  }
  const Kept result = keep_some_ties(x, length, map, kept);
  ties_left_ = 0;
  return result;
}

// The block in which the ties run out: at most one of a chunk.
Kept Keeper::keep_some_ties(const float* x, std::uint32_t length, BitMap* map, float* kept) const {
  Kept result = keep_above(x, length, static_cast<std::int32_t>(threshold_), map, nullptr);
  std::uint64_t left = ties_left_;
  for (std::uint32_t i = 0; i < length && left != 0; ++i) {
    if ((std::bit_cast<std::uint32_t>(x[i]) & 0x7fffffffu) != threshold_) continue;
    hd::sparse_set_mask_bit(map->bytes(), i);
    ++result.count;
    --left;
  }
  std::uint32_t n = 0;
  for (std::uint32_t i = 0; kept != nullptr && i < length; ++i) {
    if (hd::sparse_mask_bit(map->bytes(), i)) kept[n++] = x[i];
  }
  return result;
}

}  // namespace haagenti::sparse
