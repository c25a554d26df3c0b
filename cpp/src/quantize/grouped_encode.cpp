// SIMD loops of the encoder: scales, codes, measured error. See grouped_kernels.h.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <iterator>

#include "haagenti/base/checked.h"
#include "haagenti/hd/float_bits.h"
#include "haagenti/hd/grouped_int.h"
#include "quantize/grouped_kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quantize/grouped_encode.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

#include "quantize/simd-inl.h"

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

// spec.md, "Encoder": int8 maps the largest magnitude to 127, int4 the element of largest magnitude (the positive one of two) to -8.
template <class DF, class V = hn::Vec<DF>>
HWY_INLINE V MaxScale(DF df, V extreme, IntWidth width) {
  if (width == IntWidth::kInt8) return RoundToF16(df, hn::Div(hn::Abs(extreme), hn::Set(df, static_cast<float>(hd::kInt8Max))));
  return RoundToF16(df, hn::Div(extreme, hn::Set(df, static_cast<float>(hd::kInt4Min))));
}

// Scales of n groups from their largest keys; returns the first that has none, or n.
std::uint64_t ScalesOfKeys(const std::uint32_t* keys, std::uint64_t n, IntWidth width, std::uint16_t* scales) {
  const hn::ScalableTag<float> df;
  const hn::RebindToUnsigned<decltype(df)> du;
  const hn::Rebind<std::uint16_t, decltype(df)> du16;
  const std::size_t lanes = hn::Lanes(df);
  for (std::uint64_t i = 0; i < n; i += lanes) {
    const std::size_t used = std::min<std::uint64_t>(lanes, n - i);
    const auto key = hn::LoadN(du, keys + i, used);
    const auto zeros = hn::RebindMask(df, hn::Le(key, hn::Set(du, 1u)));
    const auto scale = MaxScale(df, hn::BitCast(df, KeyToBits(du, key)), width);
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
      const std::uint64_t good = ScalesOfKeys(keys, waiting, width, scales + done);
      done += good;
      if (good != waiting) return done;
      waiting = 0;
    }
  }
  return done + ScalesOfKeys(keys, waiting, width, scales + done);
}

// One lane searches one group, so its arithmetic is a fixed sequence whatever the width of the register.
// Where the largest element goes: as fractions of the code range, found on Gaussian and trained weights: beyond these nothing is gained
// (21.83 dB at groups of 32 against 21.84 dB with sixty candidates and 21.31 dB for scale="max").
constexpr float kInt4Targets[] = {7.0f, 7.3f, 7.6f, 8.0f, 8.3f, 8.6f, 9.0f, 9.4f};
constexpr float kInt8Targets[] = {124.0f, 125.0f, 126.0f, 127.0f, 128.0f, 129.0f, 130.0f, 131.0f};

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

template <class DF, class V>
struct Fit {
  V scale;  // rounded to binary16
  V gain;   // sum x^2 - gain is the squared error of the codes that were fitted
};

// Codes of 1 / inverse, then the scale that suits them best: sum(x q) / sum(q^2).
template <class DF, class V = hn::Vec<DF>>
HWY_INLINE Fit<DF, V> FitScale(DF df, const Codes<DF>& codes, const float* x, std::uint64_t n, V inverse) {
  const std::size_t lanes = hn::Lanes(df);
  V xq = hn::Zero(df);
  V qq = hn::Zero(df);
  for (std::uint64_t j = 0; j < n; ++j) {
    const V value = hn::LoadU(df, x + j * lanes);
    const V q = codes(value, inverse);
    xq = hn::Add(xq, hn::Mul(value, q));
    qq = hn::Add(qq, hn::Mul(q, q));
  }
  const V scale = RoundToF16(df, hn::Div(xq, hn::Max(qq, hn::Set(df, 1.0f))));
  return {scale, hn::Mul(scale, hn::Sub(hn::Add(xq, xq), hn::Mul(scale, qq)))};
}

template <class DF, class V = hn::Vec<DF>>
HWY_INLINE V SquaredError(DF df, const Codes<DF>& codes, const float* x, std::uint64_t n, V scale) {
  const std::size_t lanes = hn::Lanes(df);
  const V inverse = hn::Div(hn::Set(df, 1.0f), scale);
  V sum = hn::Zero(df);
  for (std::uint64_t j = 0; j < n; ++j) {
    const V value = hn::LoadU(df, x + j * lanes);
    const V difference = hn::Sub(value, hn::Mul(codes(value, inverse), scale));
    sum = hn::Add(sum, hn::Mul(difference, difference));
  }
  return sum;
}

// A scale that binary16 holds: neither 0 nor infinite.
template <class DF, class V = hn::Vec<DF>>
HWY_INLINE hn::Mask<DF> Usable(DF df, V scale) {
  const V magnitude = hn::Abs(scale);
  return hn::And(hn::Gt(magnitude, hn::Zero(df)), hn::Le(magnitude, hn::Set(df, 65504.0f)));
}

// x: n rows of one element a lane; the scales from max_scales, none of them 0.
template <class DF, class V = hn::Vec<DF>>
V SearchLanes(DF df, IntWidth width, const float* x, std::uint64_t n, V max_scale, V extreme) {
  const Codes<DF> codes(df, width);
  const bool int4 = width == IntWidth::kInt4;
  const float* targets = int4 ? kInt4Targets : kInt8Targets;
  V best = max_scale;
  V best_gain = hn::Set(df, -1.0f);
  for (std::size_t i = 0; i < std::size(kInt4Targets); ++i) {
    const V inverse = hn::Div(hn::Set(df, int4 ? -targets[i] : targets[i]), extreme);
    const auto fit = FitScale(df, codes, x, n, inverse);
    const auto better = hn::And(hn::Gt(fit.gain, best_gain), Usable(df, fit.scale));
    best = hn::IfThenElse(better, fit.scale, best);
    best_gain = hn::IfThenElse(better, fit.gain, best_gain);
  }
  // The fit moved the scale, so the codes move too: once more from there, then the true errors decide.
  const auto refit = FitScale(df, codes, x, n, hn::Div(hn::Set(df, 1.0f), best)).scale;
  const V refined = hn::IfThenElse(Usable(df, refit), refit, best);
  V error = SquaredError(df, codes, x, n, max_scale);
  V chosen = max_scale;
  const auto consider = [&](V candidate) {
    const V candidate_error = SquaredError(df, codes, x, n, candidate);
    const auto better = hn::Lt(candidate_error, error);
    chosen = hn::IfThenElse(better, candidate, chosen);
    error = hn::IfThenElse(better, candidate_error, error);
  };
  consider(best);
  consider(refined);
  return chosen;
}

std::uint64_t SearchLaneCount() { return hn::Lanes(hn::ScalableTag<float>()); }

// Fills lane `lane` of the transposed scratch; a group shorter than n is padded with zeros, which add nothing to any sum.
void TransposeGroup(const float* x, std::uint64_t count, std::uint64_t n, std::uint64_t lane, std::uint64_t lanes, float* scratch) {
  for (std::uint64_t j = 0; j < count; ++j) scratch[j * lanes + lane] = x[j];
  for (std::uint64_t j = count; j < n; ++j) scratch[j * lanes + lane] = 0;
}

float ExtremeOf(const float* x, std::uint64_t n, IntWidth width) {
  const std::uint32_t rotated = LargestKey(x, n) ^ 1u;
  const float extreme = hd::float_from_bits((rotated >> 1) | (rotated << 31));
  return width == IntWidth::kInt8 ? std::fabs(extreme) : extreme;
}

void SearchShortGroups(const RowBlock& block, IntWidth width, float* scratch, std::uint16_t* scales) {
  const hn::ScalableTag<float> df;
  const std::uint64_t lanes = SearchLaneCount();
  const std::uint64_t n_groups = block.rows * block.groups_per_row;
  const std::uint64_t n = std::min(block.group, block.cols);
  HWY_ALIGN float max_scale[HWY_MAX_BYTES / sizeof(float)];
  HWY_ALIGN float extreme[HWY_MAX_BYTES / sizeof(float)];
  HWY_ALIGN float found[HWY_MAX_BYTES / sizeof(float)];
  for (std::uint64_t first = 0; first < n_groups; first += lanes) {
    const std::uint64_t used = std::min(lanes, n_groups - first);
    for (std::uint64_t lane = 0; lane < lanes; ++lane) {
      const std::uint64_t index = first + std::min(lane, used - 1);
      const std::uint64_t start = index % block.groups_per_row * block.group;
      const float* x = block.x + index / block.groups_per_row * block.cols + start;
      const std::uint64_t count = std::min(block.group, block.cols - start);
      TransposeGroup(x, count, n, lane, lanes, scratch);
      extreme[lane] = ExtremeOf(x, count, width);
      max_scale[lane] = hd::f16_to_f32(scales[index]);
      if (max_scale[lane] == 0) max_scale[lane] = extreme[lane] = 1.0f;  // a group of zeros: any divisor will do
    }
    hn::Store(SearchLanes(df, width, scratch, n, hn::Load(df, max_scale), hn::Load(df, extreme)), df, found);
    for (std::uint64_t lane = 0; lane < used; ++lane) {
      if (scales[first + lane] != 0) scales[first + lane] = hd::f32_to_f16(found[lane]);
    }
  }
}

// Sums over a long group in kErrorLanes lanes, added up in lane order.
template <std::size_t kCount, class Term>
HWY_INLINE void SumLanes(const float* x, std::uint64_t n, Term term, float* sums) {
  const hn::CappedTag<float, kErrorLanes> df;
  constexpr std::size_t lanes = hn::MaxLanes(df);
  using V = hn::Vec<decltype(df)>;
  V parts[kErrorLanes / lanes][kCount];
  for (auto& part : parts) {
    for (V& sum : part) sum = hn::Zero(df);
  }
  std::uint64_t i = 0;
  for (; i + kErrorLanes <= n; i += kErrorLanes) {
    for (std::size_t p = 0; p < kErrorLanes / lanes; ++p) term(hn::LoadU(df, x + i + p * lanes), parts[p]);
  }
  for (std::size_t p = 0; p < kErrorLanes / lanes && i + p * lanes < n; ++p) {
    term(hn::LoadN(df, x + i + p * lanes, std::min<std::uint64_t>(lanes, n - i - p * lanes)), parts[p]);
  }
  for (std::size_t k = 0; k < kCount; ++k) {
    HWY_ALIGN float lane_sums[kErrorLanes];
    for (std::size_t p = 0; p < kErrorLanes / lanes; ++p) hn::Store(parts[p][k], df, lane_sums + p * lanes);
    sums[k] = 0;
    for (const float sum : lane_sums) sums[k] += sum;
  }
}

// SearchLanes for one group that is long enough to fill the lanes by itself.
float SearchLongGroup(const float* x, std::uint64_t n, IntWidth width, float max_scale) {
  const hn::CappedTag<float, kErrorLanes> df;
  using V = hn::Vec<decltype(df)>;
  const Codes<decltype(df)> codes(df, width);
  const bool int4 = width == IntWidth::kInt4;
  constexpr std::size_t kTargets = std::size(kInt4Targets);
  const float extreme = ExtremeOf(x, n, width);
  const auto round_f16 = [](float value) { return hd::f16_to_f32(hd::f32_to_f16(value)); };
  const auto usable = [](float scale) { return scale != 0 && std::fabs(scale) <= 65504.0f; };
  const auto fit = [&](float inverse, float* scale) {
    float sums[2];
    const V vinverse = hn::Set(df, inverse);
    SumLanes<2>(x, n, [&](V value, V* sum) {
      const V q = codes(value, vinverse);
      sum[0] = hn::Add(sum[0], hn::Mul(value, q));
      sum[1] = hn::Add(sum[1], hn::Mul(q, q));
    }, sums);
    *scale = round_f16(sums[0] / std::max(sums[1], 1.0f));
    return *scale * (sums[0] + sums[0] - *scale * sums[1]);
  };
  const auto squared_error = [&](float scale) {
    float sum;
    const V vscale = hn::Set(df, scale);
    const V inverse = hn::Set(df, 1.0f / scale);
    SumLanes<1>(x, n, [&](V value, V* total) {
      const V difference = hn::Sub(value, hn::Mul(codes(value, inverse), vscale));
      total[0] = hn::Add(total[0], hn::Mul(difference, difference));
    }, &sum);
    return sum;
  };
  float best = max_scale;
  float best_gain = -1;
  for (std::size_t i = 0; i < kTargets; ++i) {
    float scale;
    const float gain = fit((int4 ? -kInt4Targets[i] : kInt8Targets[i]) / extreme, &scale);
    if (gain > best_gain && usable(scale)) best = scale, best_gain = gain;
  }
  float refined;
  fit(1.0f / best, &refined);
  float chosen = max_scale;
  float error = squared_error(max_scale);
  for (const float candidate : {best, usable(refined) ? refined : best}) {
    const float candidate_error = squared_error(candidate);
    if (candidate_error < error) chosen = candidate, error = candidate_error;
  }
  return chosen;
}

// Groups longer than this fill the lanes by themselves; shorter ones are searched one a lane.
constexpr std::uint64_t kLongGroup = 256;

void SearchScales(const RowBlock& block, IntWidth width, float* scratch, std::uint16_t* scales) {
  if (block.group <= kLongGroup) return SearchShortGroups(block, width, scratch, scales);
  for (std::uint64_t row = 0; row < block.rows; ++row) {
    for (std::uint64_t start = 0; start < block.cols; start += block.group, ++scales) {
      if (*scales == 0) continue;
      const std::uint64_t n = std::min(block.group, block.cols - start);
      *scales = hd::f32_to_f16(SearchLongGroup(block.x + row * block.cols + start, n, width, hd::f16_to_f32(*scales)));
    }
  }
}

// Elements after which the binary32 lanes of the error are emptied into the binary64 ones.
constexpr std::uint64_t kErrorRun = 256;

template <class DF, class V = hn::Vec<DF>>
HWY_INLINE V RoundToDType(DF df, V value, DType dtype) {
  const hn::RebindToUnsigned<DF> du;
  if (dtype == DType::kBF16) return hn::BitCast(df, RoundToBf16Bits(du, value));
  if (dtype == DType::kF16) return RoundToF16(df, value);
  return value;
}

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

HWY_EXPORT(LoadF32);
HWY_EXPORT(MaxScales);
HWY_EXPORT(SearchLaneCount);
HWY_EXPORT(SearchScales);
HWY_EXPORT(QuantizeRows);
HWY_EXPORT(PackInt4);

ErrorSums ErrorLanes::total() const {
  ErrorSums sums;
  for (std::size_t lane = 0; lane < kErrorLanes; ++lane) {
    sums.add({signal_energy[lane], error_energy[lane], dot[lane], max_abs[lane], max_abs_error[lane]});
  }
  return sums;
}

void load_f32(const std::uint8_t* src, DType dtype, std::uint64_t n, float* dst) { HWY_DYNAMIC_DISPATCH(LoadF32)(src, dtype, n, dst); }

std::uint64_t max_scales(const RowBlock& block, IntWidth width, std::uint16_t* scales) {
  return HWY_DYNAMIC_DISPATCH(MaxScales)(block, width, scales);
}

std::uint64_t search_scratch_floats(std::uint64_t group) { return group * HWY_DYNAMIC_DISPATCH(SearchLaneCount)(); }

void search_scales(const RowBlock& block, IntWidth width, float* scratch, std::uint16_t* scales) {
  HWY_DYNAMIC_DISPATCH(SearchScales)(block, width, scratch, scales);
}

void quantize_rows(const RowBlock& block, IntWidth width, const std::uint16_t* scales, DType dtype, std::int8_t* codes, ErrorLanes* error) {
  HWY_DYNAMIC_DISPATCH(QuantizeRows)(block, width, scales, dtype, codes, error);
}

void pack_int4(const std::int8_t* codes, std::uint64_t n, std::uint8_t* dst) { HWY_DYNAMIC_DISPATCH(PackInt4)(codes, n, dst); }

}  // namespace haagenti
#endif
