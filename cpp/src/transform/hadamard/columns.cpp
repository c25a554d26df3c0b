// The passes after the first: steps between rows of elements, all columns alike. See passes.h.
#include <algorithm>
#include <cstddef>

#include "haagenti/base/dtype.h"
#include "hwy/cache_control.h"
#include "transform/hadamard/passes.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "transform/hadamard/columns.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

#include "transform/hadamard/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace haagenti::HWY_NAMESPACE {

// The distance of rows in the pass that follows that of tiles; where it is known to the compiler, addresses cost nothing.
template <class T>
constexpr std::uint64_t kTileElements = kRadix * hn::MaxLanes(hn::ScalableTag<T>());

// Steps between 2^kLog2 rows, as many columns as a register has lanes.
template <unsigned kLog2, class D, class T = hn::TFromD<D>>
HWY_INLINE void Butterflies(D d, const T* src, std::uint64_t step, std::uint64_t ahead_columns, hn::Vec<D>* v) {
  HGT_UNROLL for (std::size_t j = 0; j < (std::size_t{1} << kLog2); ++j) v[j] = hn::LoadU(d, src + j * step);
  if (ahead_columns != 0) {
    HGT_UNROLL for (std::size_t j = 0; j < (std::size_t{1} << kLog2); ++j) PrefetchL2(src + j * step + ahead_columns);
  }
  StepsBetween<kLog2>(d, v, kLog2);
}

// A pass that another one follows.
template <class T, unsigned kLog2, bool kTileRows>
void InnerPass(const HadamardColumns& c) {
  const hn::ScalableTag<T> d;
  constexpr std::size_t kRows = std::size_t{1} << kLog2;
  const std::uint64_t src_step = kTileRows ? kTileElements<T> : c.src_row_step, dst_step = kTileRows ? kTileElements<T> : c.dst_row_step;
  AheadFetcher ahead(c.ahead, c.groups * c.width / hn::MaxLanes(d));
  for (std::uint64_t g = 0; g < c.groups; ++g) {
    const T* src = static_cast<const T*>(c.src) + g * c.src_group_step;
    T* dst = static_cast<T*>(c.dst) + g * c.dst_group_step;
    for (std::uint64_t k = 0; k < c.width; k += hn::MaxLanes(d)) {
      hn::Vec<decltype(d)> v[kRows];
      ahead.Iterate();
      Butterflies<kLog2>(d, src + k, src_step, c.ahead_columns, v);
      HGT_UNROLL for (std::size_t j = 0; j < kRows; ++j) hn::StoreU(v[j], d, dst + j * dst_step + k);
    }
  }
}

// The last pass: scale, signs, and the dtype of the result.
template <DType kDType, unsigned kLog2, bool kSigns, bool kTileRows>
void LastPass(const HadamardColumns& c) {
  using F = Format<kDType>;
  using T = typename F::T;
  const hn::ScalableTag<T> d;
  constexpr std::size_t kLanes = hn::MaxLanes(d);
  constexpr std::size_t kRows = std::size_t{1} << kLog2;
  const std::uint64_t src_step = kTileRows ? kTileElements<T> : c.src_row_step, dst_step = kTileRows ? kTileElements<T> : c.dst_row_step;
  const auto* src = static_cast<const T*>(c.src);
  auto* dst = static_cast<typename F::Word*>(c.dst);
  const auto scale = hn::Set(d, static_cast<T>(c.scale));
  const std::uint64_t run = std::min<std::uint64_t>(32, c.width);
  HWY_ALIGN std::uint32_t words[kRows];
  AheadFetcher ahead(c.ahead, c.width / kLanes);
  for (std::uint64_t begin = 0; begin < c.width; begin += run) {
    if constexpr (kSigns) SignWords<kRows>(c.signs.seed, c.signs.begin + begin, dst_step, words);
    for (std::uint64_t k = begin; k < begin + run; k += kLanes) {
      hn::Vec<decltype(d)> v[kRows];
      ahead.Iterate();
      Butterflies<kLog2>(d, src + k, src_step, c.ahead_columns, v);
      HGT_UNROLL for (std::size_t j = 0; j < kRows; ++j) {
        v[j] = hn::Mul(v[j], scale);
        if constexpr (kSigns) v[j] = Negate(d, v[j], words[j], static_cast<unsigned>(k - begin));
      }
      if (c.stream) {
        HGT_UNROLL for (std::size_t j = 0; j < kRows; ++j) F::Stream(d, v[j], dst + j * dst_step + k);
      } else {
        HGT_UNROLL for (std::size_t j = 0; j < kRows; ++j) F::Store(d, v[j], dst + j * dst_step + k);
      }
    }
  }
  if (c.stream) hwy::FlushStream();
}

template <DType kDType, unsigned kLog2, bool kTileRows>
void PassOfRows(const HadamardColumns& c) {
  if (!c.last) return InnerPass<typename Format<kDType>::T, kLog2, kTileRows>(c);
  if (c.signs.when == HadamardSigns::When::kAfter) return LastPass<kDType, kLog2, true, kTileRows>(c);
  LastPass<kDType, kLog2, false, kTileRows>(c);
}

template <DType kDType, unsigned kLog2>
void Pass(const HadamardColumns& c) {
  constexpr std::uint64_t kTile = kTileElements<typename Format<kDType>::T>;
  if (c.src_row_step == kTile && c.dst_row_step == kTile) return PassOfRows<kDType, kLog2, true>(c);
  PassOfRows<kDType, kLog2, false>(c);
}

template <DType kDType>
void OfRows(const HadamardColumns& c) {
  switch (c.log2_rows) {
    case 1: return Pass<kDType, 1>(c);
    case 2: return Pass<kDType, 2>(c);
    case 3: return Pass<kDType, 3>(c);
    default:
      if constexpr (kRadixLog2 == 4) Pass<kDType, 4>(c);
  }
}

void Columns(const HadamardColumns& c) {
  switch (c.dst_dtype) {
    case DType::kF64: return OfRows<DType::kF64>(c);
    case DType::kF16: return OfRows<DType::kF16>(c);
    case DType::kBF16: return OfRows<DType::kBF16>(c);
    default: return OfRows<DType::kF32>(c);
  }
}

}  // namespace haagenti::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace haagenti {

HWY_EXPORT(Columns);

void hadamard_columns(const HadamardColumns& columns) { HWY_DYNAMIC_DISPATCH(Columns)(columns); }

}  // namespace haagenti
#endif
