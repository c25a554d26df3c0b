#include "encoding/value_stats.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "encoding/value_stats.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace haagenti::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Value i is added to lane i % kLanes, and the lanes in their order, whatever the width of a register.
constexpr std::size_t kLanes = 16;

ValueStats Stats(const float* x, std::uint64_t n) {
  const hn::CappedTag<double, kLanes> dd;
  const hn::Rebind<float, decltype(dd)> df;
  const hn::RebindToUnsigned<decltype(df)> du;
  constexpr std::size_t lanes = hn::MaxLanes(dd);
  constexpr std::size_t kParts = kLanes / lanes;
  hn::Vec<decltype(dd)> sum[kParts], energy[kParts];
  for (std::size_t p = 0; p < kParts; ++p) sum[p] = energy[p] = hn::Zero(dd);
  auto largest = hn::Zero(du);
  const auto add = [&](std::size_t p, hn::Vec<decltype(df)> value) HWY_ATTR {
    const auto wide = hn::PromoteTo(dd, value);
    sum[p] = hn::Add(sum[p], wide);
    energy[p] = hn::Add(energy[p], hn::Mul(wide, wide));
    largest = hn::Max(largest, hn::BitCast(du, hn::Abs(value)));
  };
  std::uint64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (std::size_t p = 0; p < kParts; ++p) add(p, hn::LoadU(df, x + i + p * lanes));
  }
  for (std::size_t p = 0; p < kParts && i < n; ++p, i += lanes) add(p, hn::LoadN(df, x + i, std::min<std::uint64_t>(lanes, n - i)));
  HWY_ALIGN double sums[kLanes];
  HWY_ALIGN double energies[kLanes];
  for (std::size_t p = 0; p < kParts; ++p) {
    hn::Store(sum[p], dd, sums + p * lanes);
    hn::Store(energy[p], dd, energies + p * lanes);
  }
  ValueStats stats;
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    stats.sum += sums[lane];
    stats.energy += energies[lane];
  }
  stats.largest_bits = hn::ReduceMax(du, largest);
  return stats;
}

}  // namespace haagenti::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace haagenti {

HWY_EXPORT(Stats);

ValueStats value_stats(const float* x, std::uint64_t n) { return HWY_DYNAMIC_DISPATCH(Stats)(x, n); }

}  // namespace haagenti
#endif
