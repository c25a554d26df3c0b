// Kept values to their places, and binary32 to the output type. See sparse_kernels.h.
#include <cstring>

#include "haagenti/base/dtype.h"
#include "quantize/sparse_kernels.h"
#include "quantize/sparse_tables.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quantize/sparse_expand.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

#include "base/float_simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace haagenti::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// The next values of `values` where `bits` has ones, and zeros elsewhere.
#if (HWY_TARGET <= HWY_AVX3 && HWY_ARCH_X86) || HWY_TARGET == HWY_SCALAR
template <class DF>
HWY_INLINE hn::Vec<DF> Expanded(DF df, std::uint64_t bits, const float* values) {
  std::uint8_t packed[8];
  std::memcpy(packed, &bits, sizeof packed);
  return hn::LoadExpand(hn::LoadMaskBits(df, packed), df, values);
}
#else
// Highway makes LoadExpand of several steps where the processor has none; one look-up of where each lane's value is takes fewer.
template <class DF>
HWY_INLINE hn::Vec<DF> Expanded(DF df, std::uint64_t bits, const float* values) {
  const hn::RebindToUnsigned<DF> du;
  const hn::Rebind<std::uint8_t, DF> du8;
  std::uint8_t packed[8];
  std::memcpy(packed, &bits, sizeof packed);
  const auto ranks = hn::PromoteTo(du, hn::LoadU(du8, sparse::kOnesBefore.before[bits]));
  return hn::IfThenElseZero(hn::LoadMaskBits(df, packed), hn::TableLookupLanes(hn::LoadU(df, values), hn::IndicesFromVec(df, ranks)));
}
#endif

void Expand(const sparse::BitMap& map, const float* values, std::uint32_t length, float* dst) {
  const hn::CappedTag<float, 16> df;
  constexpr std::uint32_t kLanes = static_cast<std::uint32_t>(hn::MaxLanes(df));
  constexpr std::uint64_t kStep = (std::uint64_t{1} << kLanes) - 1;
  std::uint32_t i = 0;
  for (; i + 64 <= length; i += 64) {
    const std::uint64_t bits = map.words[i / 64];
    for (std::uint32_t j = 0; j < 64; j += kLanes) {
      const std::uint64_t step = (bits >> j) & kStep;
      hn::StoreU(Expanded(df, step, values), df, dst + i + j);
      values += hwy::PopCount(step);
    }
  }
  for (std::uint32_t j = 0; i + j < length; j += kLanes) {
    const std::uint64_t step = (map.words[i / 64] >> j) & kStep;
    hn::StoreN(Expanded(df, step, values), df, dst + i + j, length - i - j);
    values += hwy::PopCount(step);
  }
}

}  // namespace haagenti::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace haagenti {

HWY_EXPORT(Expand);

void sparse::expand(const BitMap& map, const float* values, std::uint32_t length, float* dst) {
  HWY_DYNAMIC_DISPATCH(Expand)(map, values, length, dst);
}

}  // namespace haagenti
#endif
