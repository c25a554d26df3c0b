// Conversions between binary32, binary16 and bfloat16 in registers, for the instruction set being compiled. Each restates one function of
// hd/float_bits.h and is tested against it for every word. Not responsible for arrays: float_convert.h.
#if defined(HAAGENTI_BASE_FLOAT_SIMD_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HAAGENTI_BASE_FLOAT_SIMD_INL_H_
#undef HAAGENTI_BASE_FLOAT_SIMD_INL_H_
#else
#define HAAGENTI_BASE_FLOAT_SIMD_INL_H_
#endif

#include "haagenti/base/dtype.h"
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

// To the nearest value of the type; finite values and infinities.
template <class DF, class V = hn::Vec<DF>>
HWY_INLINE V RoundToDType(DF df, V value, DType dtype) {
  const hn::RebindToUnsigned<DF> du;
  if (dtype == DType::kBF16) return hn::BitCast(df, RoundToBf16Bits(du, value));
  if (dtype == DType::kF16) return RoundToF16(df, value);
  return value;
}

// Bytes of an output element.
template <DType kOut>
constexpr std::size_t kBytesOf = kOut == DType::kF32 ? 4 : 2;

// n values rounded to the output type; finite values and infinities.
template <DType kOut, class DF, class V = hn::Vec<DF>>
HWY_INLINE void StoreAs(DF df, V value, std::uint8_t* dst, std::size_t n) {
  const hn::RebindToUnsigned<DF> du;
  const hn::Rebind<std::uint16_t, DF> du16;
  const bool whole = n == hn::Lanes(df);
  if constexpr (kOut == DType::kF32) {
    auto* out = reinterpret_cast<float*>(dst);
    return whole ? hn::StoreU(value, df, out) : hn::StoreN(value, df, out, n);
  } else {
    auto* out = reinterpret_cast<std::uint16_t*>(dst);
    const auto words = kOut == DType::kBF16 ? hn::ShiftRight<16>(RoundToBf16Bits(du, value)) : F16BitsOfRounded(df, RoundToF16(df, value));
    const auto narrow = hn::TruncateTo(du16, words);
    return whole ? hn::StoreU(narrow, du16, out) : hn::StoreN(narrow, du16, out, n);
  }
}

}  // namespace haagenti::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
