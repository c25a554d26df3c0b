// Elements to codes under given scales, and the error that this makes. See grouped_kernels.h.
#include <algorithm>

#include "haagenti/base/checked.h"
#include "haagenti/hd/grouped_int.h"
#include "quantize/grouped_kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quantize/grouped_codes.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

#include "quantize/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace haagenti::HWY_NAMESPACE {

// Elements after which the binary32 lanes of the error are emptied into the binary64 ones.
constexpr std::uint64_t kErrorRun = 256;

// kErrorLanes lanes in as many registers as that takes.
struct RunSums {
  HWY_ALIGN float signal[kErrorLanes];
  HWY_ALIGN float error[kErrorLanes];
  HWY_ALIGN float dot[kErrorLanes];
};

// Codes and error of up to kErrorRun elements whose scale changes every `steps` times kErrorLanes elements.
template <DType kDType>
void QuantizeRun(const float* x, std::uint64_t n, IntWidth width, const float* scale, const float* inverse, std::uint64_t steps, std::int8_t* out,
                 ErrorLanes* total) {
  const hn::CappedTag<float, kErrorLanes> df;
  const hn::Rebind<std::int8_t, decltype(df)> di8;
  const hn::RebindToSigned<decltype(df)> di32;
  constexpr std::size_t lanes = hn::MaxLanes(df);
  constexpr std::size_t kParts = kErrorLanes / lanes;
  const Codes<decltype(df)> codes(df, width);
  using V = hn::Vec<decltype(df)>;
  V signal[kParts], error[kParts], dot[kParts], top[kParts], top_error[kParts];
  for (std::size_t p = 0; p < kParts; ++p) {
    signal[p] = error[p] = dot[p] = hn::Zero(df);
    top[p] = hn::Load(df, total->max_abs + p * lanes);
    top_error[p] = hn::Load(df, total->max_abs_error + p * lanes);
  }
  V vscale = hn::Zero(df);
  V vinverse = hn::Zero(df);
  const auto step = [&](std::size_t p, V value, V q) {
    const V restored = RoundToDType(df, hn::Mul(q, vscale), kDType);
    const V difference = hn::Sub(restored, value);
    signal[p] = hn::Add(signal[p], hn::Mul(value, value));
    error[p] = hn::Add(error[p], hn::Mul(difference, difference));
    dot[p] = hn::Add(dot[p], hn::Mul(value, restored));
    top[p] = hn::Max(top[p], hn::Abs(value));
    top_error[p] = hn::Max(top_error[p], hn::Abs(difference));
  };
  std::uint64_t i = 0;
  while (i < n) {
    vscale = hn::Set(df, *scale++);
    vinverse = hn::Set(df, *inverse++);
    const std::uint64_t end = std::min(n, i + steps * kErrorLanes);
    for (; i + kErrorLanes <= end; i += kErrorLanes) {
      for (std::size_t p = 0; p < kParts; ++p) {
        const V value = hn::LoadU(df, x + i + p * lanes);
        const V q = codes(value, vinverse);
        hn::StoreU(hn::DemoteTo(di8, hn::ConvertTo(di32, q)), di8, out + i + p * lanes);
        step(p, value, q);
      }
    }
    for (std::size_t p = 0; p < kParts && i + p * lanes < end; ++p) {
      const std::size_t left = std::min<std::uint64_t>(lanes, end - i - p * lanes);
      const V value = hn::LoadN(df, x + i + p * lanes, left);
      const V q = codes(value, vinverse);
      hn::StoreN(hn::DemoteTo(di8, hn::ConvertTo(di32, q)), di8, out + i + p * lanes, left);
      step(p, value, q);  // lanes past the end hold 0 and add 0
    }
    i = end;
  }
  RunSums run;
  for (std::size_t p = 0; p < kParts; ++p) {
    hn::Store(signal[p], df, run.signal + p * lanes);
    hn::Store(error[p], df, run.error + p * lanes);
    hn::Store(dot[p], df, run.dot + p * lanes);
    hn::Store(top[p], df, total->max_abs + p * lanes);
    hn::Store(top_error[p], df, total->max_abs_error + p * lanes);
  }
  for (std::size_t lane = 0; lane < kErrorLanes; ++lane) {
    total->signal_energy[lane] += static_cast<double>(run.signal[lane]);
    total->error_energy[lane] += static_cast<double>(run.error[lane]);
    total->dot[lane] += static_cast<double>(run.dot[lane]);
  }
}

// scale and 1 / scale of n groups, both 0 where the scale is.
void ExpandScales(const std::uint16_t* words, std::uint64_t n, float* scale, float* inverse) {
  const hn::ScalableTag<float> df;
  const hn::RebindToUnsigned<decltype(df)> du;
  const hn::Rebind<std::uint16_t, decltype(df)> du16;
  const std::size_t lanes = hn::Lanes(df);
  for (std::uint64_t i = 0; i < n; i += lanes) {
    const std::size_t used = std::min<std::uint64_t>(lanes, n - i);
    const auto value = F16BitsToF32(df, hn::PromoteTo(du, hn::LoadN(du16, words + i, used)));
    const auto zero = hn::Eq(value, hn::Zero(df));
    hn::StoreN(value, df, scale + i, used);
    hn::StoreN(hn::IfThenZeroElse(zero, hn::Div(hn::Set(df, 1.0f), value)), df, inverse + i, used);
  }
}

// Groups of a multiple of kErrorLanes elements share runs; others are runs of their own.
template <DType kDType>
void QuantizeRowsAs(const RowBlock& block, IntWidth width, const std::uint16_t* scales, std::int8_t* codes, ErrorLanes* error) {
  constexpr std::uint64_t kMaxGroups = kErrorRun / kErrorLanes;
  float scale[kMaxGroups];
  float inverse[kMaxGroups];
  const bool shares = block.group % kErrorLanes == 0 && block.group <= kErrorRun;
  const std::uint64_t span = shares ? kErrorRun / block.group * block.group : block.group;
  const std::uint64_t steps = shares ? block.group / kErrorLanes : kErrorRun / kErrorLanes;
  for (std::uint64_t row = 0; row < block.rows; ++row) {
    for (std::uint64_t start = 0; start < block.cols; start += span) {
      const std::uint64_t end = std::min(start + span, block.cols);
      const std::uint64_t n_groups = ceil_div(end - start, block.group);
      ExpandScales(scales, n_groups, scale, inverse);
      scales += n_groups;
      for (std::uint64_t i = start; i < end; i += kErrorRun) {
        const std::uint64_t at = row * block.cols + i;
        QuantizeRun<kDType>(block.x + at, std::min(kErrorRun, end - i), width, scale, inverse, steps, codes + at, error);
      }
    }
  }
}

void QuantizeRows(const RowBlock& block, IntWidth width, const std::uint16_t* scales, DType dtype, std::int8_t* codes, ErrorLanes* error) {
  if (dtype == DType::kBF16) return QuantizeRowsAs<DType::kBF16>(block, width, scales, codes, error);
  if (dtype == DType::kF16) return QuantizeRowsAs<DType::kF16>(block, width, scales, codes, error);
  QuantizeRowsAs<DType::kF32>(block, width, scales, codes, error);
}

// Two codes a byte: with both offset to 0..15, an even code is kept and the odd one above it is moved down by four bits of the 16-bit word.
void PackInt4(const std::int8_t* codes, std::uint64_t n, std::uint8_t* dst) {
  std::uint64_t i = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::ScalableTag<std::uint8_t> d8;
  const hn::Repartition<std::uint16_t, decltype(d8)> d16;
  const hn::Rebind<std::uint8_t, decltype(d16)> half;
  const std::size_t lanes = hn::Lanes(d8);
  for (; i + lanes <= n; i += lanes) {
    const auto nibbles = hn::Add(hn::LoadU(d8, reinterpret_cast<const std::uint8_t*>(codes) + i), hn::Set(d8, std::uint8_t{hd::kInt4Offset}));
    const auto words = hn::BitCast(d16, nibbles);
    const auto bytes = hn::Or(hn::And(words, hn::Set(d16, std::uint16_t{0x0f})), hn::ShiftRight<4>(hn::And(words, hn::Set(d16, std::uint16_t{0x0f00}))));
    hn::StoreU(hn::TruncateTo(half, bytes), half, dst + i / 2);
  }
#endif
  for (; i + 1 < n; i += 2) dst[i / 2] = hd::pack_int4(codes[i], codes[i + 1]);
  if (i < n) dst[i / 2] = hd::pack_int4(codes[i], -hd::kInt4Offset);
}

}  // namespace haagenti::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace haagenti {

HWY_EXPORT(QuantizeRows);
HWY_EXPORT(PackInt4);

void quantize_rows(const RowBlock& block, IntWidth width, const std::uint16_t* scales, DType dtype, std::int8_t* codes, ErrorLanes* error) {
  HWY_DYNAMIC_DISPATCH(QuantizeRows)(block, width, scales, dtype, codes, error);
}

void pack_int4(const std::int8_t* codes, std::uint64_t n, std::uint8_t* dst) { HWY_DYNAMIC_DISPATCH(PackInt4)(codes, n, dst); }

}  // namespace haagenti
#endif
