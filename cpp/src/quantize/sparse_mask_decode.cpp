// The mask of a block to its bit map. Restates hd::sparse_expand_mask. See sparse_kernels.h.
#include <algorithm>
#include <bit>
#include <cstring>

#include "quantize/sparse_kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quantize/sparse_mask_decode.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

#include "quantize/sparse_bits-inl.h"

HWY_BEFORE_NAMESPACE();
namespace haagenti::sparse::HWY_NAMESPACE {
// The bytes of a mask, its unary part moved to bit 0, and zeros after both.
struct RiceMask {
  alignas(64) std::uint8_t bytes[kBlock / 8 + 64];
  alignas(64) std::uint64_t unary[kWords + 1];
  std::uint32_t n_words;
  std::uint32_t n_ones;
  std::uint32_t last_one;
};

// False: no ones, or more than the padding after the last.
HWY_INLINE bool SplitRice(const std::uint8_t* mask, std::uint32_t n_bytes, std::uint32_t n_low_bits, RiceMask* rice) {
  std::memset(rice->bytes, 0, sizeof rice->bytes);
  std::memcpy(rice->bytes, mask, n_bytes);
  const std::uint32_t n_bits = 8 * n_bytes - n_low_bits;
  const std::uint32_t shift = n_low_bits % 64;
  const std::uint8_t* from = rice->bytes + n_low_bits / 64 * 8;
  rice->n_words = (n_bits + 63) / 64;
  rice->n_ones = 0;
  for (std::uint32_t i = 0; i < rice->n_words; ++i) {
    const std::uint64_t word = (LoadWord(from + 8 * i) >> shift) | ((LoadWord(from + 8 * i + 8) << 1) << (63 - shift));
    rice->unary[i] = word;
    rice->n_ones += static_cast<std::uint32_t>(std::popcount(word));
  }
  std::uint32_t top = rice->n_words;
  while (top != 0 && rice->unary[top - 1] == 0) --top;
  if (top == 0) return false;
  rice->last_one = 64 * top - 1 - static_cast<std::uint32_t>(std::countl_zero(rice->unary[top - 1]));
  return n_bits - rice->last_one <= 8;
}

// hd::sparse_gap_position for every gap, in order; false where one leads out of the block.
HWY_INLINE bool WalkGaps(const RiceMask& rice, std::uint32_t k, std::uint32_t length, BitMap* map) {
  const std::uint64_t low_mask = (std::uint64_t{1} << k) - 1;
  alignas(64) std::uint8_t at[kBlock] = {};
  std::uint64_t offset = 0;  // i - (i << k) + the sum of the low bits, modulo 2^64
  std::uint32_t bit = 0;
  for (std::uint32_t i = 0; i < rice.n_words; ++i) {
    for (std::uint64_t ones = rice.unary[i]; ones != 0; ones &= ones - 1) {
      const std::uint64_t one = 64 * i + static_cast<std::uint32_t>(std::countr_zero(ones));
      offset += (LoadWord(rice.bytes + bit / 8) >> (bit % 8)) & low_mask;
      bit += k;
      const std::uint64_t position = (one << k) + offset;
      if (position >= length) return false;
      at[position] = 1;
      offset -= low_mask;
    }
  }
  BytesToBits(at, map->words);
  return true;
}

#undef HAAGENTI_BIT_DEPOSIT
#if HWY_TARGET <= HWY_AVX3 && HWY_ARCH_X86_64 && !defined(HWY_DISABLE_BMI2_FMA)
#define HAAGENTI_BIT_DEPOSIT 1

// A gap of low bits l is l zeros and a one; each zero of the unary part stands for 2^k zeros. So every bit of the unary part becomes a cell of
// 2^k bits whose last is that bit, and of the cells of ones the first 2^k - 1 - l bits are taken out: PDEP makes the cells, PEXT takes out.
// Only with AVX-512: some processors without it need hundreds of cycles for the two.

// Strings of at most 64 bits, one after the other, to words.
struct WordWriter {
  std::uint64_t* dst;
  std::uint64_t word = 0;
  std::uint32_t fill = 0;

  HWY_INLINE void put(std::uint64_t bits, std::uint32_t n) {
    const std::uint64_t over = (bits >> 1) >> (63 - fill);
    word |= bits << fill;
    *dst = word;
    fill += n;
    const bool full = fill >= 64;
    dst += full ? 1 : 0;
    word = full ? over : word;
    fill &= 63u;
  }
};

constexpr std::uint64_t kEveryOther = 0x5555555555555555u;
constexpr std::uint64_t kEveryFourth = 0x1111111111111111u;

HWY_INLINE void DepositPairs(std::uint32_t unary, const RiceMask& rice, std::uint32_t* low_bit, WordWriter* writer) {
  const std::uint64_t low = _pdep_u64(LoadWord(rice.bytes + *low_bit / 8) >> (*low_bit % 8), unary);
  const std::uint64_t removed = unary & ~low;
  writer->put(_pext_u64(_pdep_u64(unary, kEveryOther << 1), ~_pdep_u64(removed, kEveryOther)), 64 - static_cast<std::uint32_t>(std::popcount(removed)));
  *low_bit += static_cast<std::uint32_t>(std::popcount(unary));
}

HWY_INLINE void DepositFours(std::uint32_t unary, const RiceMask& rice, std::uint32_t* low_bit, WordWriter* writer) {
  const std::uint64_t ones = _pdep_u64(unary, kEveryFourth);
  const std::uint64_t places = 3 * ones;
  const std::uint64_t rest = places ^ _pdep_u64(LoadWord(rice.bytes + *low_bit / 8) >> (*low_bit % 8), places);  // 3 - l
  const std::uint64_t bit0 = rest & kEveryFourth;
  const std::uint64_t bit1 = (rest >> 1) & kEveryFourth;
  const std::uint64_t removed = bit0 | bit1 | (bit1 << 1) | ((bit0 & bit1) << 2);  // as many ones as rest says
  writer->put(_pext_u64(ones << 3, ~removed), 64 - static_cast<std::uint32_t>(std::popcount(removed)));
  *low_bit += 2 * static_cast<std::uint32_t>(std::popcount(unary));
}

// k is 1 or 2.
HWY_INLINE bool DepositGaps(const RiceMask& rice, std::uint32_t k, std::uint32_t length, BitMap* map) {
  // A unary part longer than any block can need: without this, what follows could be 2^k times as long as a mask.
  if (((rice.last_one + 1 - rice.n_ones) << k) + rice.n_ones > length) return false;
  alignas(64) std::uint64_t words[5 * kWords] = {};
  WordWriter writer{words};
  std::uint32_t low_bit = 0;
  if (k == 1) {
    for (std::uint32_t i = 0; i < rice.n_words; ++i) {
      DepositPairs(static_cast<std::uint32_t>(rice.unary[i]), rice, &low_bit, &writer);
      DepositPairs(static_cast<std::uint32_t>(rice.unary[i] >> 32), rice, &low_bit, &writer);
    }
  } else {
    for (std::uint32_t i = 0; i < rice.n_words; ++i) {
      for (std::uint32_t j = 0; j < 64; j += 16) DepositFours(static_cast<std::uint16_t>(rice.unary[i] >> j), rice, &low_bit, &writer);
    }
  }
  *writer.dst = writer.word;
  std::copy_n(words, kWords, map->words);
  std::uint64_t beyond = length % 64 == 0 ? 0 : words[length / 64] >> (length % 64);
  for (const std::uint64_t* word = words + (length + 63) / 64; word <= writer.dst; ++word) beyond |= *word;
  return beyond == 0;
}
#else
#define HAAGENTI_BIT_DEPOSIT 0
#endif

HWY_INLINE bool ReadRice(const std::uint8_t* mask, const hd::SparseEntry& entry, std::uint32_t length, BitMap* map) {
  const std::uint32_t count = hd::sparse_gap_count(entry.n_kept, length);
  const std::uint32_t k = entry.rice - 1;
  RiceMask rice;
  if (!SplitRice(mask, entry.n_mask_bytes, hd::sparse_unary_begin(count, k), &rice) || rice.n_ones != count) return false;
  if (k == 0) {  // the unary part is the map itself, as far as its last one
    if (rice.last_one >= length) return false;
    std::copy_n(rice.unary, rice.n_words, map->words);
    std::fill(map->words + rice.n_words, map->words + kWords, std::uint64_t{0});
#if HAAGENTI_BIT_DEPOSIT
  } else if (k <= 2) {
    if (!DepositGaps(rice, k, length, map)) return false;
#endif
  } else if (!WalkGaps(rice, k, length, map)) {
    return false;
  }
  if (!hd::sparse_gaps_drop(entry.n_kept, length)) return true;
  for (std::uint64_t& word : map->words) word = ~word;
  return true;
}

HWY_INLINE void ClearBeyond(std::uint32_t length, BitMap* map) {
  if (length == kBlock) return;
  map->words[length / 64] &= (std::uint64_t{1} << (length % 64)) - 1;
  std::fill(map->words + length / 64 + 1, map->words + kWords, std::uint64_t{0});
}

bool ReadMask(const std::uint8_t* mask, const hd::SparseEntry& entry, std::uint32_t length, BitMap* map) {
  bool good = true;
  if (entry.rice != 0) {
    good = ReadRice(mask, entry, length, map);
    ClearBeyond(length, map);
  } else if (entry.n_mask_bytes != 0) {
    std::uint32_t n_kept = 0;
    std::fill(map->words + entry.n_mask_bytes / 8, map->words + kWords, std::uint64_t{0});
    std::memcpy(map->words, mask, entry.n_mask_bytes);
    if (length % 8 != 0) good = mask[entry.n_mask_bytes - 1] >> (length % 8) == 0;
    for (const std::uint64_t word : map->words) n_kept += static_cast<std::uint32_t>(std::popcount(word));
    good = good && n_kept == entry.n_kept;
  } else {
    std::fill_n(map->words, kWords, entry.n_kept == 0 ? std::uint64_t{0} : ~std::uint64_t{0});
    ClearBeyond(length, map);
  }
  return good;
}

}  // namespace haagenti::sparse::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace haagenti::sparse {

HWY_EXPORT(ReadMask);

bool read_mask(const std::uint8_t* mask, const hd::SparseEntry& entry, std::uint32_t length, BitMap* map) {
  return HWY_DYNAMIC_DISPATCH(ReadMask)(mask, entry, length, map);
}

}  // namespace haagenti::sparse
#endif
