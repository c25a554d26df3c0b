// Which values are above a threshold, how many there are, and how magnitudes are distributed. See sparse_kernels.h.
#include <algorithm>
#include <cstring>

#include "quantize/sparse_kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quantize/sparse_keep.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace haagenti::sparse::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr std::uint32_t kMagnitude = 0x7fffffffu;

// 16 lanes at most: a step's mask is one or two whole bytes, or half a byte.
using DI = hn::CappedTag<std::int32_t, 16>;

template <class VI = hn::Vec<DI>>
HWY_INLINE VI MagnitudeBits(DI di, VI bits) {
  return hn::And(bits, hn::Set(di, static_cast<std::int32_t>(kMagnitude)));
}

// Collects the masks of steps into words.
struct MapWriter {
  std::uint64_t* words;
  std::uint64_t word = 0;
  std::uint32_t fill = 0;

  HWY_INLINE void add(std::uint64_t bits, std::uint32_t n) {
    word |= bits << fill;
    fill += n;
    if (fill == 64) flush();
  }
  HWY_INLINE void flush() {
    *words++ = word;
    word = 0;
    fill = 0;
  }
};

template <bool kStore>
Kept KeepAboveAs(const float* x, std::uint32_t length, std::int32_t above, BitMap* map, float* kept) {
  const DI di;
  const auto* in = reinterpret_cast<const std::int32_t*>(x);
  auto* out = reinterpret_cast<std::int32_t*>(kept);
  const std::uint32_t lanes = static_cast<std::uint32_t>(hn::Lanes(di));
  const auto limit = hn::Set(di, above);
  auto largest = hn::Zero(di);
  MapWriter writer{map->words};
  std::uint32_t count = 0;
  const auto step = [&](auto bits, auto valid) {
    const auto magnitude = MagnitudeBits(di, bits);
    largest = hn::Max(largest, magnitude);
    const auto mask = hn::And(hn::Gt(magnitude, limit), valid);
    std::uint8_t packed[8] = {};
    hn::StoreMaskBits(di, mask, packed);
    std::uint64_t word;
    std::memcpy(&word, packed, sizeof word);
    writer.add(word, lanes);
    if constexpr (kStore) {
      count += static_cast<std::uint32_t>(hn::CompressStore(bits, mask, di, out + count));
    } else {
      count += static_cast<std::uint32_t>(hn::CountTrue(di, mask));
    }
  };
  const auto all = hn::FirstN(di, lanes);
  std::uint32_t i = 0;
  for (; i + lanes <= length; i += lanes) step(hn::LoadU(di, in + i), all);
  if (i < length) step(hn::LoadN(di, in + i, length - i), hn::FirstN(di, length - i));
  if (writer.fill != 0) writer.flush();
  std::fill(writer.words, map->words + kBlock / 64, std::uint64_t{0});
  return {count, static_cast<std::uint32_t>(hn::ReduceMax(di, largest))};
}

Kept KeepAbove(const float* x, std::uint32_t length, std::int32_t above, BitMap* map, float* kept) {
  return kept == nullptr ? KeepAboveAs<false>(x, length, above, map, kept) : KeepAboveAs<true>(x, length, above, map, kept);
}

std::uint64_t CountEqual(const float* x, std::uint64_t n, std::uint32_t bits) {
  const DI di;
  const auto* in = reinterpret_cast<const std::int32_t*>(x);
  const std::size_t lanes = hn::Lanes(di);
  const auto wanted = hn::Set(di, static_cast<std::int32_t>(bits));
  std::uint64_t count = 0;
  std::uint64_t i = 0;
  for (; i + lanes <= n; i += lanes) count += hn::CountTrue(di, hn::Eq(MagnitudeBits(di, hn::LoadU(di, in + i)), wanted));
  for (; i < n; ++i) count += (static_cast<std::uint32_t>(in[i]) & kMagnitude) == bits;
  return count;
}

// Values are brought together in runs, so that the counting itself sees only those inside the bins.
constexpr std::uint64_t kRun = 1024;

std::uint64_t CountBins(const float* x, std::uint64_t n, BinRange range, std::uint64_t* counts, double* energy) {
  const hn::CappedTag<std::uint32_t, 16> du;
  const std::size_t lanes = hn::Lanes(du);
  const auto* in = reinterpret_cast<const std::uint32_t*>(x);
  const std::uint32_t span = kBins << range.shift;
  const auto begin = hn::Set(du, range.begin);
  const auto width = hn::Set(du, span);
  std::uint32_t inside[kRun + 16];
  std::uint64_t above = 0;
  for (std::uint64_t start = 0; start < n; start += kRun) {
    const std::uint64_t end = std::min(n, start + kRun);
    std::uint32_t n_inside = 0;
    const auto step = [&](auto bits, auto valid) {
      const auto magnitude = hn::And(bits, hn::Set(du, kMagnitude));
      const auto relative = hn::Sub(magnitude, begin);  // wraps below `begin`
      const auto within = hn::Lt(relative, width);
      above += hn::CountTrue(du, hn::And(valid, hn::AndNot(within, hn::Ge(magnitude, begin))));
      n_inside += static_cast<std::uint32_t>(hn::CompressStore(relative, hn::And(within, valid), du, inside + n_inside));
    };
    std::uint64_t i = start;
    for (; i + lanes <= end; i += lanes) step(hn::LoadU(du, in + i), hn::FirstN(du, lanes));
    if (i < end) step(hn::LoadN(du, in + i, end - i), hn::FirstN(du, end - i));
    if (energy == nullptr) {
      for (std::uint32_t j = 0; j < n_inside; ++j) ++counts[inside[j] >> range.shift];
      continue;
    }
    for (std::uint32_t j = 0; j < n_inside; ++j) {
      const std::uint32_t bin = inside[j] >> range.shift;
      const std::uint32_t bits = inside[j] + range.begin;
      float value;
      std::memcpy(&value, &bits, sizeof value);
      ++counts[bin];
      energy[bin] += static_cast<double>(value) * static_cast<double>(value);
    }
  }
  return above;
}

}  // namespace haagenti::sparse::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace haagenti::sparse {

HWY_EXPORT(KeepAbove);
HWY_EXPORT(CountEqual);
HWY_EXPORT(CountBins);

Kept keep_above(const float* x, std::uint32_t length, std::int32_t above, BitMap* map, float* kept) {
  return HWY_DYNAMIC_DISPATCH(KeepAbove)(x, length, above, map, kept);
}

std::uint64_t count_equal(const float* x, std::uint64_t n, std::uint32_t bits) { return HWY_DYNAMIC_DISPATCH(CountEqual)(x, n, bits); }

std::uint64_t count_bins(const float* x, std::uint64_t n, BinRange range, std::uint64_t* counts, double* energy) {
  return HWY_DYNAMIC_DISPATCH(CountBins)(x, n, range, counts, energy);
}

}  // namespace haagenti::sparse
#endif
