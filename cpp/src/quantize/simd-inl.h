// What the loops of the grouped quantisers share, for the instruction set being compiled. The conversions each restate one function of
// hd/float_bits.h and are tested against it for every word. Not responsible for the loops.
#if defined(HAAGENTI_QUANTIZE_SIMD_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HAAGENTI_QUANTIZE_SIMD_INL_H_
#undef HAAGENTI_QUANTIZE_SIMD_INL_H_
#else
#define HAAGENTI_QUANTIZE_SIMD_INL_H_
#endif

#include "haagenti/hd/grouped_int.h"
#include "hwy/highway.h"
#include "quantize/grouped_kernels.h"

HWY_BEFORE_NAMESPACE();
namespace haagenti::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// hd::f32_to_bf16, as the bits of the rounded binary32; finite values and infinities.
template <class DU, class VF>
HWY_INLINE hn::Vec<DU> RoundToBf16Bits(DU du, VF value) {
  const auto bits = hn::BitCast(du, value);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(du, 1u));
  return hn::And(hn::Add(hn::Add(bits, hn::Set(du, 0x7fffu)), odd), hn::Set(du, 0xffff0000u));
}

// hd::f16_to_f32(hd::f32_to_f16(value)); finite values and infinities.
template <class DF, class VF = hn::Vec<DF>>
HWY_INLINE VF RoundToF16(DF df, VF value) {
  const hn::RebindToUnsigned<DF> du;
  const auto sign = hn::And(hn::BitCast(du, value), hn::Set(du, 0x80000000u));
  const VF magnitude = hn::Abs(value);
  const auto bits = hn::BitCast(du, magnitude);
  const auto odd = hn::And(hn::ShiftRight<13>(bits), hn::Set(du, 1u));
  const VF normal = hn::BitCast(df, hn::And(hn::Add(hn::Add(bits, hn::Set(du, 0x0fffu)), odd), hn::Set(du, 0xffffe000u)));
  const VF half = hn::Set(df, 0.5f);
  const VF subnormal = hn::Sub(hn::Add(magnitude, half), half);
  VF rounded = hn::IfThenElse(hn::Lt(magnitude, hn::Set(df, 6.103515625e-05f)), subnormal, normal);
  rounded = hn::IfThenElse(hn::Ge(magnitude, hn::Set(df, 65520.0f)), hn::Inf(df), rounded);
  return hn::BitCast(df, hn::Or(hn::BitCast(du, rounded), sign));
}

// The binary16 words, in the low halves, of values that RoundToF16 gave.
template <class DF, class VF = hn::Vec<DF>>
HWY_INLINE hn::Vec<hn::RebindToUnsigned<DF>> F16BitsOfRounded(DF df, VF rounded) {
  const hn::RebindToUnsigned<DF> du;
  const auto bits = hn::BitCast(du, rounded);
  const auto sign = hn::And(hn::ShiftRight<16>(bits), hn::Set(du, 0x8000u));
  // 0.5f + m * 2^-24 has m in its low bits: subnormals of binary16 never become subnormals of binary32, which FTZ / DAZ would drop.
  const VF magnitude = hn::Abs(rounded);
  const auto subnormal = hn::Sub(hn::BitCast(du, hn::Add(magnitude, hn::Set(df, 0.5f))), hn::Set(du, 0x3f000000u));
  const auto normal = hn::ShiftRight<13>(hn::Sub(hn::BitCast(du, magnitude), hn::Set(du, 112u << 23)));
  const auto small = hn::RebindMask(du, hn::Lt(magnitude, hn::Set(df, 6.103515625e-05f)));
  const auto infinite = hn::Gt(magnitude, hn::Set(df, 65504.0f));
  const auto word = hn::IfThenElse(hn::RebindMask(du, infinite), hn::Set(du, 0x7c00u), hn::IfThenElse(small, subnormal, normal));
  return hn::Or(word, sign);
}

// hd::f16_to_f32 of words in the low halves; every word.
template <class DF, class VU>
HWY_INLINE hn::Vec<DF> F16BitsToF32(DF df, VU words) {
  const hn::RebindToUnsigned<DF> du;
  const auto sign = hn::ShiftLeft<16>(hn::And(words, hn::Set(du, 0x8000u)));
  const auto magnitude = hn::And(words, hn::Set(du, 0x7fffu));
  const auto moved = hn::ShiftLeft<13>(magnitude);
  const auto normal = hn::Add(moved, hn::Set(du, 112u << 23));
  const auto subnormal = hn::BitCast(du, hn::Sub(hn::BitCast(df, hn::Add(magnitude, hn::Set(du, 0x3f000000u))), hn::Set(df, 0.5f)));
  const auto finite = hn::IfThenElse(hn::Lt(magnitude, hn::Set(du, 0x0400u)), subnormal, normal);
  const auto special = hn::Or(moved, hn::Set(du, 0x7f800000u));
  const auto value = hn::IfThenElse(hn::Ge(magnitude, hn::Set(du, 0x7c00u)), special, finite);
  return hn::BitCast(df, hn::Or(value, sign));
}

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
