#include "haagenti/base/float_convert.h"

#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "base/float_convert.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

#include "base/float_simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace haagenti::HWY_NAMESPACE {

// 16-bit words to binary32, or binary32 as it is.
void LoadF32(const std::uint8_t* src, DType dtype, std::uint64_t n, float* dst) {
  if (dtype == DType::kF32) {
    if (n != 0) std::memcpy(dst, src, n * sizeof(float));
    return;
  }
  const hn::ScalableTag<float> df;
  const hn::RebindToUnsigned<decltype(df)> du;
  const hn::Rebind<std::uint16_t, decltype(df)> du16;
  const std::size_t lanes = hn::Lanes(df);
  const auto* words = reinterpret_cast<const std::uint16_t*>(src);
  const auto convert = [&](auto loaded) {
    const auto wide = hn::PromoteTo(du, loaded);
    return dtype == DType::kBF16 ? hn::BitCast(df, hn::ShiftLeft<16>(wide)) : F16BitsToF32(df, wide);
  };
  std::uint64_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(convert(hn::LoadU(du16, words + i)), df, dst + i);
  if (i < n) hn::StoreN(convert(hn::LoadN(du16, words + i, n - i)), df, dst + i, n - i);
}

// A NaN keeps its sign and the top bits of its payload, and becomes quiet.
template <DType kDType, class DU, class VF>
HWY_INLINE hn::Vec<DU> Words(DU du, VF value) {
  const hn::RebindToFloat<DU> df;
  const auto bits = hn::BitCast(du, value);
  const auto nan = hn::RebindMask(du, hn::IsNaN(value));
  if constexpr (kDType == DType::kBF16) {
    const auto quiet = hn::Or(hn::ShiftRight<16>(bits), hn::Set(du, 0x0040u));
    return hn::IfThenElse(nan, quiet, hn::ShiftRight<16>(RoundToBf16Bits(du, value)));
  } else {
    const auto sign = hn::And(hn::ShiftRight<16>(bits), hn::Set(du, 0x8000u));
    const auto payload = hn::And(hn::ShiftRight<13>(bits), hn::Set(du, 0x03ffu));
    const auto quiet = hn::Or(hn::Or(sign, hn::Set(du, 0x7e00u)), payload);
    return hn::IfThenElse(nan, quiet, F16BitsOfRounded(df, RoundToF16(df, value)));
  }
}

template <DType kDType>
void StoreWords(const float* src, std::uint64_t n, std::uint8_t* dst) {
  const hn::ScalableTag<float> df;
  const hn::RebindToUnsigned<decltype(df)> du;
  const hn::Rebind<std::uint16_t, decltype(df)> du16;
  const std::size_t lanes = hn::Lanes(df);
  auto* words = reinterpret_cast<std::uint16_t*>(dst);
  std::uint64_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(hn::TruncateTo(du16, Words<kDType>(du, hn::LoadU(df, src + i))), du16, words + i);
  if (i < n) hn::StoreN(hn::TruncateTo(du16, Words<kDType>(du, hn::LoadN(df, src + i, n - i))), du16, words + i, n - i);
}

void StoreF32(const float* src, DType dtype, std::uint64_t n, std::uint8_t* dst) {
  if (dtype == DType::kBF16) return StoreWords<DType::kBF16>(src, n, dst);
  if (dtype == DType::kF16) return StoreWords<DType::kF16>(src, n, dst);
  if (n != 0) std::memcpy(dst, src, n * sizeof(float));
}

}  // namespace haagenti::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace haagenti {

HWY_EXPORT(LoadF32);
HWY_EXPORT(StoreF32);

void load_f32(const std::uint8_t* src, DType dtype, std::uint64_t n, float* dst) { HWY_DYNAMIC_DISPATCH(LoadF32)(src, dtype, n, dst); }
void store_f32(const float* src, DType dtype, std::uint64_t n, std::uint8_t* dst) { HWY_DYNAMIC_DISPATCH(StoreF32)(src, dtype, n, dst); }

}  // namespace haagenti
#endif
