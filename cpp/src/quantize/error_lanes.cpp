#include "quantize/error_lanes.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quantize/error_lanes.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

#include "base/float_simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace haagenti::HWY_NAMESPACE {

// kErrorLanes lanes, whatever the width of a register: element i of a run is added to lane i % kErrorLanes in binary64.
template <DType kDType>
void AddError(const float* x, const float* y, std::uint64_t n, ErrorLanes* total) {
  const hn::CappedTag<double, kErrorLanes> dd;
  const hn::Rebind<float, decltype(dd)> df;
  constexpr std::size_t lanes = hn::MaxLanes(dd);
  const auto add = [&](std::size_t lane, double* sums, auto a, auto b) {
    hn::Store(hn::Add(hn::Load(dd, sums + lane), hn::Mul(a, b)), dd, sums + lane);
  };
  const auto top = [&](std::size_t lane, float* tops, auto a) { hn::StoreU(hn::Max(hn::LoadU(df, tops + lane), hn::Abs(a)), df, tops + lane); };
  for (std::uint64_t i = 0; i < n; i += lanes) {
    const std::size_t lane = i % kErrorLanes;
    const std::size_t used = std::min<std::uint64_t>(lanes, n - i);
    const auto before = hn::LoadN(df, x + i, used);
    const auto after = RoundToDType(df, hn::LoadN(df, y + i, used), kDType);
    const auto difference = hn::Sub(after, before);
    const auto wide = hn::PromoteTo(dd, before);
    const auto wide_difference = hn::PromoteTo(dd, difference);
    add(lane, total->signal_energy, wide, wide);
    add(lane, total->error_energy, wide_difference, wide_difference);
    add(lane, total->dot, wide, hn::PromoteTo(dd, after));
    top(lane, total->max_abs, before);
    top(lane, total->max_abs_error, difference);
  }
}

void AddErrorAs(const float* x, const float* y, std::uint64_t n, DType dtype, ErrorLanes* error) {
  if (dtype == DType::kBF16) return AddError<DType::kBF16>(x, y, n, error);
  if (dtype == DType::kF16) return AddError<DType::kF16>(x, y, n, error);
  AddError<DType::kF32>(x, y, n, error);
}

}  // namespace haagenti::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace haagenti {

HWY_EXPORT(AddErrorAs);

void add_error(const float* x, const float* y, std::uint64_t n, DType dtype, ErrorLanes* error) {
  HWY_DYNAMIC_DISPATCH(AddErrorAs)(x, y, n, dtype, error);
}

ErrorSums ErrorLanes::total() const {
  ErrorSums sums;
  for (std::size_t lane = 0; lane < kErrorLanes; ++lane) {
    sums.add({signal_energy[lane], error_energy[lane], dot[lane], max_abs[lane], max_abs_error[lane]});
  }
  return sums;
}

}  // namespace haagenti
#endif
