// The shortest mask of a block, and its bytes. Restates hd::sparse_next_gap for a whole block. See sparse_kernels.h.
#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "quantize/sparse_kernels.h"
#include "quantize/sparse_tables.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quantize/sparse_mask_encode.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

#include "quantize/sparse_bits-inl.h"

HWY_BEFORE_NAMESPACE();
namespace haagenti::sparse::HWY_NAMESPACE {
using D16 = hn::CappedTag<std::uint16_t, 32>;

// The positions of the ones of a map, in order. dst has room for a vector more.
std::uint32_t PositionsOf(const BitMap& map, std::uint16_t* dst) {
  std::uint32_t count = 0;
#if HWY_TARGET == HWY_SCALAR
  for (std::uint32_t i = 0; i < kBlock; ++i) {
    if (hd::sparse_mask_bit(map.bytes(), i)) dst[count++] = static_cast<std::uint16_t>(i);
  }
#elif HWY_TARGET <= HWY_AVX3_DL && HWY_ARCH_X86
  const D16 d;
  constexpr std::size_t kLanes = hn::MaxLanes(d);
  auto position = hn::Iota(d, 0);
  for (std::uint32_t i = 0; i < kBlock; i += kLanes) {
    const auto mask = hn::LoadMaskBits(d, map.bytes() + i / 8);
    count += static_cast<std::uint32_t>(hn::CompressStore(position, mask, d, dst + count));
    position = hn::Add(position, hn::Set(d, static_cast<std::uint16_t>(kLanes)));
  }
#else
  const hn::FixedTag<std::uint16_t, 8> d;  // a byte of the map at a time; what is stored too much is written over
  const hn::Rebind<std::uint8_t, decltype(d)> d8;
  for (std::uint32_t i = 0; i < kBlock; i += 8) {
    const std::uint8_t bits = map.bytes()[i / 8];
    hn::StoreU(hn::Add(hn::PromoteTo(d, hn::LoadU(d8, kOnesAt.at[bits])), hn::Set(d, static_cast<std::uint16_t>(i))), d, dst + count);
    count += static_cast<std::uint32_t>(hwy::PopCount(bits));
  }
#endif
  return count;
}

// Sums of gap >> k for k = 1 .. kSparseMaxRice - 1; each is at most the sum of the gaps, below 2048.
template <std::size_t... kIndex>
HWY_INLINE void SumQuotients(const std::uint16_t* gaps, std::uint32_t n, std::uint32_t* sums, std::index_sequence<kIndex...>) {
  const D16 d;
  const std::size_t lanes = hn::Lanes(d);
  hn::Vec<D16> sum[sizeof...(kIndex)];
  ((sum[kIndex] = hn::Zero(d)), ...);
  for (std::uint32_t i = 0; i < n; i += static_cast<std::uint32_t>(lanes)) {
    const auto gap = hn::Load(d, gaps + i);  // zeros follow the last
    ((sum[kIndex] = hn::Add(sum[kIndex], hn::ShiftRight<static_cast<int>(kIndex) + 1>(gap))), ...);
  }
  ((sums[kIndex + 1] = hn::ReduceSum(d, sum[kIndex])), ...);
}

// Positions to distances from one to the next, less one.
void GapsOf(const std::uint16_t* positions, std::uint32_t n, std::uint16_t* gaps) {
  const D16 d;
  const std::size_t lanes = hn::Lanes(d);
  const auto one = hn::Set(d, std::uint16_t{1});
  for (std::uint32_t i = 0; i < n; i += static_cast<std::uint32_t>(lanes)) {
    hn::Store(hn::Sub(hn::Sub(hn::LoadU(d, positions + i), hn::LoadU(d, positions + i - 1)), one), d, gaps + i);
  }
  hn::StoreU(hn::Zero(d), d, gaps + n);
}

MaskPlan PlanMask(const BitMap& map, std::uint32_t length, std::uint32_t n_kept, Gaps* gaps) {
  if (n_kept == 0 || n_kept == length) return {0, 0, 0};
  BitMap coded = map;
  if (hd::sparse_gaps_drop(n_kept, length)) {
    for (std::uint64_t& word : coded.words) word = ~word;
    if (length % 64 != 0) coded.words[length / 64] &= (std::uint64_t{1} << (length % 64)) - 1;
    std::fill(coded.words + (length + 63) / 64, coded.words + kBlock / 64, std::uint64_t{0});
  }
  std::uint16_t storage[kBlock / 2 + 128];
  std::uint16_t* positions = storage + 32;
  positions[-1] = 0xffffu;
  const std::uint32_t n = PositionsOf(coded, positions);
  GapsOf(positions, n, gaps->values);
  std::uint32_t quotients[hd::kSparseMaxRice];
  quotients[0] = positions[n - 1] + 1u - n;
  SumQuotients(gaps->values, n, quotients, std::make_index_sequence<hd::kSparseMaxRice - 1>());
  MaskPlan best{0, hd::sparse_bit_map_bytes(length), n};
  for (std::uint32_t k = 0; k < hd::kSparseMaxRice; ++k) {
    const std::uint32_t n_bytes = (n * (k + 1) + quotients[k] + 7) / 8;
    if (n_bytes < best.n_bytes) best = {k + 1, n_bytes, n};
  }
  return best;
}

// The k low bits of n gaps, back to back from the first bit of dst; n * k bits, then zeros. dst has room for 16 bytes more.
void WriteLows(const std::uint16_t* gaps, std::uint32_t n, std::uint32_t k, std::uint8_t* dst) {
  std::uint64_t word = 0;
  std::uint32_t fill = 0;
  // Whole bytes leave the word, so that at most 7 bits stay in it.
  const auto put = [&](std::uint64_t bits, std::uint32_t n_bits) {
    word |= bits << fill;
    fill += n_bits;
    std::memcpy(dst, &word, sizeof word);
    dst += fill / 8;
    word = word >> (fill / 8 * 8);
    fill %= 8;
  };
#if HWY_TARGET == HWY_SCALAR
  for (std::uint32_t i = 0; i < n; ++i) put(gaps[i] & ((1u << k) - 1), k);
#else
  // Neighbours move together: two in a lane of 32 bits, then four in one of 64.
  const D16 d16;
  const hn::Repartition<std::uint32_t, D16> d32;
  const hn::Repartition<std::uint64_t, D16> d64;
  constexpr std::uint32_t kFours = static_cast<std::uint32_t>(hn::MaxLanes(d64));
  const auto low = hn::Set(d16, static_cast<std::uint16_t>((1u << k) - 1));
  alignas(64) std::uint64_t fours[kFours];
  for (std::uint32_t i = 0; i < n; i += 4 * kFours) {
    const auto ones = hn::BitCast(d32, hn::And(hn::Load(d16, gaps + i), low));  // zeros follow the last gap
    const auto twos = hn::Or(hn::And(ones, hn::Set(d32, 0xffffu)), hn::ShiftLeftSame(hn::ShiftRight<16>(ones), static_cast<int>(k)));
    const auto pairs = hn::BitCast(d64, twos);
    const auto first = hn::And(pairs, hn::Set(d64, std::uint64_t{0xffffffffu}));
    hn::Store(hn::Or(first, hn::ShiftLeftSame(hn::ShiftRight<32>(pairs), static_cast<int>(2 * k))), d64, fours);
    for (std::uint32_t j = 0; j < kFours && i + 4 * j < n; ++j) put(fours[j], 4 * k);
  }
#endif
  std::memcpy(dst, &word, sizeof word);
}

// The quotients in unary, from the first bit of `words` on; returns how many bits.
std::uint32_t WriteUnary(const std::uint16_t* gaps, std::uint32_t n, std::uint32_t k, std::uint64_t* words) {
  alignas(64) std::uint8_t bytes[kBlock] = {};
  std::uint32_t at = 0;
  for (std::uint32_t i = 0; i < n; ++i) {
    at += static_cast<std::uint32_t>(gaps[i]) >> k;
    bytes[at++] = 1;
  }
  BytesToBits(bytes, words);
  return at;
}

void WriteMask(const BitMap& map, const MaskPlan& plan, const Gaps& gaps, std::uint8_t* dst) {
  if (plan.rice == 0) {
    if (plan.n_bytes != 0) std::memcpy(dst, map.words, plan.n_bytes);
    return;
  }
  const std::uint32_t k = plan.rice - 1;
  const std::uint32_t n_low_bits = hd::sparse_unary_begin(plan.n_gaps, k);
  std::uint64_t words[kWords + 8] = {};
  std::uint64_t unary[kWords];
  if (k != 0) WriteLows(gaps.values, plan.n_gaps, k, reinterpret_cast<std::uint8_t*>(words));
  const std::uint32_t n_unary = WriteUnary(gaps.values, plan.n_gaps, k, unary);
  const std::uint32_t shift = n_low_bits % 64;
  std::uint64_t* to = words + n_low_bits / 64;
  for (std::uint32_t i = 0; 64 * i < n_unary; ++i) {
    to[i] |= unary[i] << shift;
    to[i + 1] |= (unary[i] >> 1) >> (63 - shift);
  }
  std::memcpy(dst, words, plan.n_bytes);
}

}  // namespace haagenti::sparse::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace haagenti::sparse {

HWY_EXPORT(PlanMask);
HWY_EXPORT(WriteMask);

MaskPlan plan_mask(const BitMap& map, std::uint32_t length, std::uint32_t n_kept, Gaps* gaps) {
  return HWY_DYNAMIC_DISPATCH(PlanMask)(map, length, n_kept, gaps);
}

void write_mask(const BitMap& map, const MaskPlan& plan, const Gaps& gaps, std::uint8_t* dst) {
  HWY_DYNAMIC_DISPATCH(WriteMask)(map, plan, gaps, dst);
}

}  // namespace haagenti::sparse
#endif
