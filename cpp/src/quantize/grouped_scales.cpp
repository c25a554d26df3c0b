// The scale="max" of every group. See grouped_kernels.h.
#include <algorithm>

#include "haagenti/hd/grouped_int.h"
#include "quantize/grouped_kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quantize/grouped_scales.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

#include "quantize/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace haagenti::HWY_NAMESPACE {

// spec.md, "Encoder": int8 maps the largest magnitude to 127, int4 the element of largest magnitude (the positive one of two) to -8.
template <class DF, class V = hn::Vec<DF>>
HWY_INLINE V MaxScale(DF df, V extreme, IntWidth width) {
  if (width == IntWidth::kInt8) return RoundToF16(df, hn::Div(hn::Abs(extreme), hn::Set(df, static_cast<float>(hd::kInt8Max))));
  return RoundToF16(df, hn::Div(extreme, hn::Set(df, static_cast<float>(hd::kInt4Min))));
}

// Scales of n groups from their largest keys; returns the first that has none, or n.
std::uint64_t ScalesOfKeys(const std::uint32_t* keys, std::uint64_t n, IntWidth width, float negligible, std::uint16_t* scales) {
  const hn::ScalableTag<float> df;
  const hn::RebindToUnsigned<decltype(df)> du;
  const hn::Rebind<std::uint16_t, decltype(df)> du16;
  const std::size_t lanes = hn::Lanes(df);
  for (std::uint64_t i = 0; i < n; i += lanes) {
    const std::size_t used = std::min<std::uint64_t>(lanes, n - i);
    const auto key = hn::LoadN(du, keys + i, used);
    const auto extreme = hn::BitCast(df, KeyToBits(du, key));
    const auto scale = MaxScale(df, extreme, width);
    const auto small = hn::And(hn::Eq(scale, hn::Zero(df)), hn::Le(hn::Abs(extreme), hn::Set(df, negligible)));
    const auto zeros = hn::Or(hn::RebindMask(df, hn::Le(key, hn::Set(du, 1u))), small);
    const auto held = hn::And(hn::Gt(hn::Abs(scale), hn::Zero(df)), hn::Le(hn::Abs(scale), hn::Set(df, 65504.0f)));
    const auto good = hn::And(hn::Or(held, zeros), hn::RebindMask(df, hn::Lt(key, hn::Set(du, kNotFinite))));
    const std::intptr_t bad = hn::FindFirstTrue(df, hn::Not(good));
    if (bad >= 0 && static_cast<std::size_t>(bad) < used) return i + static_cast<std::uint64_t>(bad);
    const auto words = F16BitsOfRounded(df, hn::IfThenZeroElse(zeros, scale));
    hn::StoreN(hn::TruncateTo(du16, words), du16, scales + i, used);
  }
  return n;
}

std::uint64_t MaxScales(const RowBlock& block, IntWidth width, std::uint16_t* scales) {
  constexpr std::uint64_t kBatch = 256;
  std::uint32_t keys[kBatch];
  std::uint64_t done = 0;
  std::uint64_t waiting = 0;
  for (std::uint64_t row = 0; row < block.rows; ++row) {
    for (std::uint64_t start = 0; start < block.cols; start += block.group) {
      keys[waiting++] = LargestKey(block.x + row * block.cols + start, std::min(block.group, block.cols - start));
      if (waiting < kBatch) continue;
      const std::uint64_t good = ScalesOfKeys(keys, waiting, width, block.negligible, scales + done);
      done += good;
      if (good != waiting) return done;
      waiting = 0;
    }
  }
  return done + ScalesOfKeys(keys, waiting, width, block.negligible, scales + done);
}

}  // namespace haagenti::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace haagenti {

HWY_EXPORT(MaxScales);

std::uint64_t max_scales(const RowBlock& block, IntWidth width, std::uint16_t* scales) {
  return HWY_DYNAMIC_DISPATCH(MaxScales)(block, width, scales);
}

}  // namespace haagenti
#endif
