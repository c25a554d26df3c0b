// What the loops of the grouped quantisers share, for the instruction set being compiled.
// Not responsible for the loops, nor for conversions (base/float_simd-inl.h).
#if defined(HAAGENTI_QUANTIZE_SIMD_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HAAGENTI_QUANTIZE_SIMD_INL_H_
#undef HAAGENTI_QUANTIZE_SIMD_INL_H_
#else
#define HAAGENTI_QUANTIZE_SIMD_INL_H_
#endif

#include "base/float_simd-inl.h"
#include "haagenti/hd/grouped_int.h"
#include "hwy/highway.h"
#include "quantize/grouped_kernels.h"

HWY_BEFORE_NAMESPACE();
namespace haagenti::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// A binary32 word turned so that the unsigned order is that of the magnitudes, and of two equal ones the positive is larger. NaNs and
// infinities are the keys from kNotFinite on.
constexpr std::uint32_t kNotFinite = 0xff000000u;

template <class DU, class V = hn::Vec<DU>>
HWY_INLINE V MagnitudeKey(DU du, V bits) {
  return hn::Xor(hn::Or(hn::ShiftLeft<1>(bits), hn::ShiftRight<31>(bits)), hn::Set(du, 1u));
}

// The inverse of MagnitudeKey.
template <class DU, class V = hn::Vec<DU>>
HWY_INLINE V KeyToBits(DU du, V key) {
  const V rotated = hn::Xor(key, hn::Set(du, 1u));
  return hn::Or(hn::ShiftRight<1>(rotated), hn::ShiftLeft<31>(rotated));
}

// The largest key of n elements; key 1 is +0.
HWY_INLINE std::uint32_t LargestKey(const float* x, std::uint64_t n) {
  const hn::ScalableTag<std::uint32_t> du;
  const std::size_t lanes = hn::Lanes(du);
  const auto* words = reinterpret_cast<const std::uint32_t*>(x);
  auto largest = hn::Zero(du);
  std::uint64_t i = 0;
  for (; i + lanes <= n; i += lanes) largest = hn::Max(largest, MagnitudeKey(du, hn::LoadU(du, words + i)));
  if (i < n) largest = hn::Max(largest, MagnitudeKey(du, hn::LoadN(du, words + i, n - i)));
  return hn::ReduceMax(du, largest);
}

// The code of an element: x / scale rounded to the nearest integer, ties to even, inside the range of the width.
template <class DF, class V = hn::Vec<DF>>
struct Codes {
  DF df;
  V low, high;
  Codes(DF d, IntWidth width)
      : df(d),
        low(hn::Set(d, static_cast<float>(width == IntWidth::kInt4 ? hd::kInt4Min : hd::kInt8Min))),
        high(hn::Set(d, static_cast<float>(width == IntWidth::kInt4 ? hd::kInt4Max : hd::kInt8Max))) {}
  HWY_INLINE V operator()(V x, V inverse) const { return hn::Min(hn::Max(hn::Round(hn::Mul(x, inverse)), low), high); }
};

}  // namespace haagenti::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
