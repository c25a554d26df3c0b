// Conversions that the grouped quantisers share, for the instruction set being compiled. Each restates one function of hd/float_bits.h and
// is tested against it for every word. Not responsible for loops.
#if defined(HAAGENTI_QUANTIZE_SIMD_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HAAGENTI_QUANTIZE_SIMD_INL_H_
#undef HAAGENTI_QUANTIZE_SIMD_INL_H_
#else
#define HAAGENTI_QUANTIZE_SIMD_INL_H_
#endif

#include "hwy/highway.h"

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
  // Scaled down by 2^112 the exponent field is binary16's, and binary16's subnormals are binary32's: the shift then drops only zeros.
  const VF magnitude = hn::Abs(rounded);
  const auto scaled = hn::BitCast(du, hn::Mul(magnitude, hn::Set(df, 0x1p-112f)));
  const auto infinite = hn::Gt(magnitude, hn::Set(df, 65504.0f));
  const auto word = hn::IfThenElse(hn::RebindMask(du, infinite), hn::Set(du, 0x7c00u), hn::ShiftRight<13>(scaled));
  return hn::Or(word, sign);
}

// hd::f16_to_f32 of words in the low halves; every word.
template <class DF, class VU>
HWY_INLINE hn::Vec<DF> F16BitsToF32(DF df, VU words) {
  const hn::RebindToUnsigned<DF> du;
  const auto sign = hn::ShiftLeft<16>(hn::And(words, hn::Set(du, 0x8000u)));
  const auto magnitude = hn::And(words, hn::Set(du, 0x7fffu));
  const auto moved = hn::ShiftLeft<13>(magnitude);
  const auto finite = hn::BitCast(du, hn::Mul(hn::BitCast(df, moved), hn::Set(df, 0x1p112f)));
  const auto special = hn::Or(moved, hn::Set(du, 0x7f800000u));
  const auto value = hn::IfThenElse(hn::Ge(magnitude, hn::Set(du, 0x7c00u)), special, finite);
  return hn::BitCast(df, hn::Or(value, sign));
}

}  // namespace haagenti::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
