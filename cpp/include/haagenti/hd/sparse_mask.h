// The meaning of the index and the mask of `sparse`: how many values a block keeps, and where they were.
// Not responsible for choosing what is kept, for the values themselves (hd/grouped_int.h) nor for arrays. Format: cpp/src/quantize/spec.md.
//
//   index word   n_kept : 16 | n_mask_bytes : 9 | rice : 4 | reserved : 3          from the least bit
//   mask, rice 0    one bit a position, 1 = kept
//   mask, rice r    k = r - 1; `count` gaps: their k low bits, then their quotients in unary (q zeros and a one), then zeros to the byte
//
// Source of the gaps' code: R. F. Rice, Some Practical Universal Noiseless Coding Techniques, JPL Publication 79-22, 1979.
#pragma once

#include <cstdint>

#include "haagenti/hd/macros.h"

namespace haagenti::hd {

inline constexpr std::uint32_t kSparseBlock = 2048;    // positions of a full block
inline constexpr std::uint32_t kSparseEntryBytes = 4;  // of the index, a block
inline constexpr std::uint32_t kSparseMaxRice = 11;    // k = 10: with gaps below 2048 a larger k is never shorter

struct SparseEntry {
  std::uint32_t n_kept;
  std::uint32_t n_mask_bytes;
  std::uint32_t rice;  // 0: a bit map; else k + 1
  std::uint32_t reserved;
};

HGT_HD SparseEntry sparse_entry(std::uint32_t word) { return {word & 0xffffu, (word >> 16) & 0x1ffu, (word >> 25) & 0xfu, word >> 29}; }

HGT_HD std::uint32_t sparse_entry_word(const SparseEntry& entry) {
  return entry.n_kept | (entry.n_mask_bytes << 16) | (entry.rice << 25) | (entry.reserved << 29);
}

// Positions of a block of a chunk of n positions.
HGT_HD std::uint32_t sparse_block_length(std::uint64_t n, std::uint64_t block) {
  const std::uint64_t left = n - block * kSparseBlock;
  return left < kSparseBlock ? static_cast<std::uint32_t>(left) : kSparseBlock;
}

HGT_HD std::uint32_t sparse_bit_map_bytes(std::uint32_t length) { return (length + 7) / 8; }

// Bytes of the codes of a block, of 4, 8, 16 or 32 bits each.
HGT_HD std::uint32_t sparse_code_bytes(std::uint32_t n_kept, std::uint32_t coefficient_bits) { return (n_kept * coefficient_bits + 7) / 8; }

// Scales of a block; group_size 0: the coefficients have none.
HGT_HD std::uint32_t sparse_scale_count(std::uint32_t n_kept, std::uint32_t group_size) {
  return group_size == 0 ? 0 : (n_kept + group_size - 1) / group_size;
}

// Whether the gaps lead to dropped positions: those are fewer than the kept ones. Of equally many, the kept ones are coded.
HGT_HD bool sparse_gaps_drop(std::uint32_t n_kept, std::uint32_t length) { return 2 * n_kept > length; }

HGT_HD std::uint32_t sparse_gap_count(std::uint32_t n_kept, std::uint32_t length) {
  return sparse_gaps_drop(n_kept, length) ? length - n_kept : n_kept;
}

// What can be said of an entry without its mask.
HGT_HD bool sparse_entry_fits(const SparseEntry& entry, std::uint32_t length) {
  if (entry.reserved != 0 || entry.n_kept > length) return false;
  if (entry.n_kept == 0 || entry.n_kept == length) return entry.rice == 0 && entry.n_mask_bytes == 0;
  if (entry.rice == 0) return entry.n_mask_bytes == sparse_bit_map_bytes(length);
  return entry.rice <= kSparseMaxRice && entry.n_mask_bytes < sparse_bit_map_bytes(length) &&
         sparse_gap_count(entry.n_kept, length) * entry.rice <= 8 * entry.n_mask_bytes;
}

HGT_HD bool sparse_mask_bit(const std::uint8_t* mask, std::uint32_t i) { return ((mask[i / 8] >> (i % 8)) & 1u) != 0; }

HGT_HD void sparse_set_mask_bit(std::uint8_t* mask, std::uint32_t i) { mask[i / 8] = static_cast<std::uint8_t>(mask[i / 8] | (1u << (i % 8))); }

// The k low bits of gap i.
HGT_HD std::uint32_t sparse_gap_low(const std::uint8_t* mask, std::uint32_t k, std::uint32_t i) {
  std::uint32_t low = 0;
  for (std::uint32_t j = 0; j < k; ++j) low |= static_cast<std::uint32_t>(sparse_mask_bit(mask, i * k + j)) << j;
  return low;
}

// Where the unary part begins, in bits of the mask.
HGT_HD std::uint32_t sparse_unary_begin(std::uint32_t count, std::uint32_t k) { return count * k; }

// The position that gap i leads to, without a walk: from where its one is in the unary part, and the sum of the low bits of gaps 0..i.
HGT_HD std::uint32_t sparse_gap_position(std::uint32_t one, std::uint32_t i, std::uint32_t low_sum, std::uint32_t k) {
  return ((one - i) << k) + low_sum + i;
}

// A walk over the gaps, one after the other.
struct SparseGapWalk {
  std::uint32_t index;  // of the next gap
  std::uint32_t bit;    // of the mask: the first of its unary part
  std::uint32_t next;   // the first position it can lead to
};

HGT_HD SparseGapWalk sparse_gap_walk(std::uint32_t count, std::uint32_t k) { return {0, sparse_unary_begin(count, k), 0}; }

// One step: the position, or `none` where the mask of n_bits ends first.
HGT_HD std::uint32_t sparse_next_gap(const std::uint8_t* mask, std::uint32_t n_bits, std::uint32_t k, SparseGapWalk* walk, std::uint32_t none) {
  std::uint32_t quotient = 0;
  while (walk->bit < n_bits && !sparse_mask_bit(mask, walk->bit)) ++walk->bit, ++quotient;
  if (walk->bit == n_bits) return none;
  const std::uint32_t position = walk->next + (quotient << k) + sparse_gap_low(mask, k, walk->index);
  ++walk->index;
  ++walk->bit;
  walk->next = position + 1;
  return position;
}

// Whether bits begin..n_bits are the zeros that fill the last byte.
HGT_HD bool sparse_only_padding(const std::uint8_t* mask, std::uint32_t begin, std::uint32_t n_bits) {
  if (n_bits - begin >= 8) return false;
  for (std::uint32_t bit = begin; bit < n_bits; ++bit) {
    if (sparse_mask_bit(mask, bit)) return false;
  }
  return true;
}

// The whole mask of a block whose entry fits, to a bit map of sparse_bit_map_bytes(length) bytes. False: the mask is not one of this entry.
HGT_HD bool sparse_expand_mask(const std::uint8_t* mask, const SparseEntry& entry, std::uint32_t length, std::uint8_t* bit_map) {
  const std::uint32_t n_bytes = sparse_bit_map_bytes(length);
  const bool flip = entry.n_kept == length || (entry.rice != 0 && sparse_gaps_drop(entry.n_kept, length));
  for (std::uint32_t i = 0; i < n_bytes; ++i) bit_map[i] = 0;
  if (entry.rice != 0) {
    const std::uint32_t count = sparse_gap_count(entry.n_kept, length);
    SparseGapWalk walk = sparse_gap_walk(count, entry.rice - 1);
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::uint32_t position = sparse_next_gap(mask, 8 * entry.n_mask_bytes, entry.rice - 1, &walk, length);
      if (position >= length) return false;
      sparse_set_mask_bit(bit_map, position);
    }
    if (!sparse_only_padding(mask, walk.bit, 8 * entry.n_mask_bytes)) return false;
  } else if (entry.n_mask_bytes != 0) {
    std::uint32_t n_kept = 0;
    for (std::uint32_t i = 0; i < 8 * n_bytes; ++i) {
      if (!sparse_mask_bit(mask, i)) continue;
      if (i >= length) return false;
      sparse_set_mask_bit(bit_map, i);
      ++n_kept;
    }
    return n_kept == entry.n_kept;
  }
  if (!flip) return true;
  for (std::uint32_t i = 0; i < n_bytes; ++i) bit_map[i] = static_cast<std::uint8_t>(~bit_map[i]);
  if (length % 8 != 0) bit_map[n_bytes - 1] = static_cast<std::uint8_t>(bit_map[n_bytes - 1] & ((1u << (length % 8)) - 1));
  return true;
}

}  // namespace haagenti::hd
