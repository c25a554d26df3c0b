// The search for scales of least squared error. See grouped_kernels.h.
#include <algorithm>
#include <cmath>
#include <iterator>

#include "haagenti/hd/float_bits.h"
#include "haagenti/hd/grouped_int.h"
#include "quantize/grouped_kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quantize/grouped_search.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

#include "quantize/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace haagenti::HWY_NAMESPACE {

// One lane searches one group, so its arithmetic is a fixed sequence whatever the width of the register.
// Where the largest element goes, in codes. Found on N(0, 1): sixty candidates between 6 and 12 gain less than 0.02 dB over these at groups of
// 32, 64 and 128, where scale="max" loses 0.5 dB; benchmarks/int_codes.py prints both rules.
constexpr float kInt4Targets[] = {7.0f, 7.3f, 7.6f, 8.0f, 8.3f, 8.6f, 9.0f, 9.4f};
constexpr float kInt8Targets[] = {124.0f, 125.0f, 126.0f, 127.0f, 128.0f, 129.0f, 130.0f, 131.0f};

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

void SearchScales(const RowBlock& block, IntWidth width, float* scratch, std::uint16_t* scales) {
  if (block.group <= kMaxLaneGroup) return SearchShortGroups(block, width, scratch, scales);
  for (std::uint64_t row = 0; row < block.rows; ++row) {
    for (std::uint64_t start = 0; start < block.cols; start += block.group, ++scales) {
      if (*scales == 0) continue;
      const std::uint64_t n = std::min(block.group, block.cols - start);
      *scales = hd::f32_to_f16(SearchLongGroup(block.x + row * block.cols + start, n, width, hd::f16_to_f32(*scales)));
    }
  }
}

}  // namespace haagenti::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace haagenti {

HWY_EXPORT(SearchLaneCount);
HWY_EXPORT(SearchScales);

std::uint64_t search_scratch_floats(std::uint64_t group) {
  return group <= kMaxLaneGroup ? group * HWY_DYNAMIC_DISPATCH(SearchLaneCount)() : 0;
}

void search_scales(const RowBlock& block, IntWidth width, float* scratch, std::uint16_t* scales) {
  HWY_DYNAMIC_DISPATCH(SearchScales)(block, width, scratch, scales);
}

}  // namespace haagenti
#endif
