// The first pass over a run of elements: signs, the steps inside registers and between the registers of a tile. See passes.h.
#include <algorithm>
#include <cstddef>

#include "haagenti/base/dtype.h"
#include "hwy/cache_control.h"
#include "transform/hadamard/passes.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "transform/hadamard/tiles.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

#include "transform/hadamard/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace haagenti::HWY_NAMESPACE {

constexpr std::size_t Log2(std::size_t n) { return n <= 1 ? 0 : 1 + Log2(n / 2); }

template <class D>
HWY_INLINE std::size_t LanesLog2(D d) {
  return Log2(hn::MaxLanes(d));
}

// Words of signs that a tile of n elements needs.
constexpr std::size_t WordsOf(std::size_t n) { return n >= 32 ? n / 32 : 1; }

// kRegisters * lanes elements from `at` on; their words of signs.
template <DType kDType, std::size_t kRegisters>
HWY_INLINE void TileUnder(const HadamardTiles& t, std::uint64_t at, const std::uint32_t* HWY_RESTRICT words) {
  using F = Format<kDType>;
  using T = typename F::T;
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  constexpr std::size_t kLanes = hn::MaxLanes(d);
  V v[kRegisters];
  const auto* src = static_cast<const typename F::Word*>(t.src) + at;
  HGT_UNROLL for (std::size_t j = 0; j < kRegisters; ++j) v[j] = F::Load(d, src + j * kLanes);
  if (t.signs.when == HadamardSigns::When::kBefore) {
    HGT_UNROLL for (std::size_t j = 0; j < kRegisters; ++j) v[j] = Negate(d, v[j], words[j * kLanes / 32], j * kLanes % 32);
  }
  StepsWithin<1, kRegisters>(d, v, t.log2_steps);
  if constexpr (kRegisters > 1) {
    if (t.log2_steps > LanesLog2(d)) StepsBetween<Log2(kRegisters)>(d, v, t.log2_steps - static_cast<unsigned>(LanesLog2(d)));
  }
  if (t.last) {
    const V scale = hn::Set(d, static_cast<T>(t.scale));
    HGT_UNROLL for (std::size_t j = 0; j < kRegisters; ++j) v[j] = hn::Mul(v[j], scale);
  }
  if (t.signs.when == HadamardSigns::When::kAfter) {
    HGT_UNROLL for (std::size_t j = 0; j < kRegisters; ++j) v[j] = Negate(d, v[j], words[j * kLanes / 32], j * kLanes % 32);
  }
  if (t.stream) {
    auto* dst = static_cast<typename F::Word*>(t.dst) + at;
    HGT_UNROLL for (std::size_t j = 0; j < kRegisters; ++j) F::Stream(d, v[j], dst + j * kLanes);
  } else if (t.dst_dtype == kDType) {
    auto* dst = static_cast<typename F::Word*>(t.dst) + at;
    HGT_UNROLL for (std::size_t j = 0; j < kRegisters; ++j) F::Store(d, v[j], dst + j * kLanes);
  } else {
    T* dst = static_cast<T*>(t.dst) + at;
    HGT_UNROLL for (std::size_t j = 0; j < kRegisters; ++j) hn::StoreU(v[j], d, dst + j * kLanes);
  }
}

// kTiles tiles; their signs are computed together, so that the latency of that is paid once.
template <DType kDType, std::size_t kRegisters, std::size_t kTiles = 1>
HWY_INLINE void Tile(const HadamardTiles& t, std::uint64_t at, AheadFetcher& ahead) {
  constexpr std::size_t kElements = kRegisters * hn::MaxLanes(hn::ScalableTag<typename Format<kDType>::T>());
  constexpr std::size_t kWords = WordsOf(kTiles * kElements);
  HWY_ALIGN std::uint32_t words[kWords];
  if (t.signs.when != HadamardSigns::When::kNever) SignWords<kWords>(t.signs.seed, t.signs.begin + at, 32, words);
  for (std::size_t i = 0; i < kTiles; ++i) {
    ahead.Iterate();
    TileUnder<kDType, kRegisters>(t, at + i * kElements, words + i * kElements / 32);
  }
}

// Fewer elements than a register has lanes, in a register of their own.
template <DType kDType>
void Rest(const HadamardTiles& t, std::uint64_t at) {
  using T = typename Format<kDType>::T;
  using Word = typename Format<kDType>::Word;
  const hn::ScalableTag<T> d;
  Word buffer[hn::MaxLanes(d) * sizeof(T) / sizeof(Word)] = {};
  for (std::uint64_t i = at; i < t.n; ++i) buffer[i - at] = static_cast<const Word*>(t.src)[i];
  HadamardTiles rest = t;
  rest.src = rest.dst = buffer;
  rest.signs.begin += at;
  rest.stream = false;
  AheadFetcher nothing({}, 1);
  Tile<kDType, 1>(rest, 0, nothing);
  for (std::uint64_t i = at; i < t.n; ++i) static_cast<Word*>(t.dst)[i] = buffer[i - at];
}

template <DType kDType>
void Run(const HadamardTiles& t) {
  const hn::ScalableTag<typename Format<kDType>::T> d;
  constexpr std::size_t kLanes = hn::MaxLanes(d);
  constexpr std::size_t kTiles = kRadix * kLanes >= 32 ? 4 : 1;  // a tile starts with a word of its own
  std::uint64_t at = 0;
  AheadFetcher ahead(t.ahead, std::max<std::uint64_t>(1, t.n / (kRadix * kLanes)));
  for (; at + kTiles * kRadix * kLanes <= t.n; at += kTiles * kRadix * kLanes) {
    Tile<kDType, kRadix, kTiles>(t, at, ahead);
  }
  for (; at + kRadix * kLanes <= t.n; at += kRadix * kLanes) Tile<kDType, kRadix>(t, at, ahead);
  if (t.log2_steps <= LanesLog2(d)) {
    for (; at + kLanes <= t.n; at += kLanes) Tile<kDType, 1>(t, at, ahead);
  } else if (t.log2_steps == LanesLog2(d) + 1) {
    for (; at + 2 * kLanes <= t.n; at += 2 * kLanes) Tile<kDType, 2>(t, at, ahead);
  } else if (t.log2_steps == LanesLog2(d) + 2) {
    for (; at + 4 * kLanes <= t.n; at += 4 * kLanes) Tile<kDType, 4>(t, at, ahead);
  } else {
    for (; at + 8 * kLanes <= t.n; at += 8 * kLanes) Tile<kDType, 8>(t, at, ahead);
  }
  if (at < t.n) Rest<kDType>(t, at);
  if (t.stream) hwy::FlushStream();
}

void Tiles(const HadamardTiles& t) {
  switch (t.src_dtype) {
    case DType::kF64: return Run<DType::kF64>(t);
    case DType::kF16: return Run<DType::kF16>(t);
    case DType::kBF16: return Run<DType::kBF16>(t);
    default: return Run<DType::kF32>(t);
  }
}

unsigned TileLog2(DType dtype) {
  const std::size_t lanes = dtype == DType::kF64 ? LanesLog2(hn::ScalableTag<double>()) : LanesLog2(hn::ScalableTag<float>());
  return static_cast<unsigned>(lanes) + kRadixLog2;
}

unsigned RadixLog2() { return kRadixLog2; }

}  // namespace haagenti::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace haagenti {

HWY_EXPORT(Tiles);
HWY_EXPORT(TileLog2);
HWY_EXPORT(RadixLog2);

void hadamard_tiles(const HadamardTiles& tiles) { HWY_DYNAMIC_DISPATCH(Tiles)(tiles); }
unsigned hadamard_tile_log2(DType dtype) { return HWY_DYNAMIC_DISPATCH(TileLog2)(dtype); }
unsigned hadamard_radix_log2() { return HWY_DYNAMIC_DISPATCH(RadixLog2)(); }

}  // namespace haagenti
#endif
