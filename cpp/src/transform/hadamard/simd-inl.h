// Butterflies, signs, loads and stores of the Hadamard transform in registers, for the instruction set being compiled. Restates
// hd::hadamard_step. Not responsible for the loops.
#if defined(HAAGENTI_TRANSFORM_HADAMARD_SIMD_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HAAGENTI_TRANSFORM_HADAMARD_SIMD_INL_H_
#undef HAAGENTI_TRANSFORM_HADAMARD_SIMD_INL_H_
#else
#define HAAGENTI_TRANSFORM_HADAMARD_SIMD_INL_H_
#endif

#include "base/float_simd-inl.h"
#include "haagenti/hd/hadamard.h"
#include "hwy/highway.h"
#include "transform/hadamard/passes.h"

HWY_BEFORE_NAMESPACE();
namespace haagenti::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Registers of a tile, and rows of a pass of columns: half of the registers there are.
#if HWY_TARGET <= HWY_AVX3 || HWY_ARCH_ARM_A64
constexpr unsigned kRadixLog2 = 4;
#else
constexpr unsigned kRadixLog2 = 3;
#endif
constexpr std::size_t kRadix = std::size_t{1} << kRadixLog2;

#define HGT_UNROLL _Pragma("GCC unroll 16")

HWY_INLINE void PrefetchL2(const void* p) { __builtin_prefetch(p, 0, 2); }

// Spreads an Ahead evenly over the iterations of a pass.
class AheadFetcher {
 public:
  AheadFetcher(const Ahead& ahead, std::uint64_t iterations) : at_(ahead.begin), until_(at_), step_(ahead.n_bytes / iterations) {}
  HWY_INLINE void Iterate() {
    until_ += step_;
    for (; at_ < until_; at_ += 64) PrefetchL2(at_);
  }

 private:
  const std::uint8_t* at_;
  const std::uint8_t* until_;
  const std::uint64_t step_;
};

// Steps between 2^log2_steps registers.
template <unsigned kLog2Steps, class D, class V>
HWY_INLINE void StepsBetween(D, V* v, unsigned log2_steps) {
  HGT_UNROLL for (unsigned s = 0; s < kLog2Steps; ++s) {
    if (s >= log2_steps) continue;
    HGT_UNROLL for (std::size_t j = 0; j < (std::size_t{1} << kLog2Steps); ++j) {
      if ((j >> s) & 1) continue;
      const V a = v[j], b = v[j + (std::size_t{1} << s)];
      v[j] = hn::Add(a, b);
      v[j + (std::size_t{1} << s)] = hn::Sub(a, b);
    }
  }
}

#if HWY_TARGET != HWY_SCALAR
// Lane i and lane i ^ h change places.
template <std::size_t kH, class D, class V>
HWY_INLINE V SwapLanes(D d, V v) {
  if constexpr (2 * kH == hn::MaxLanes(d)) {
    return hn::ConcatLowerUpper(d, v, v);
  } else if constexpr (kH * sizeof(hn::TFromD<D>) == 16) {
    return hn::SwapAdjacentBlocks(v);
  } else if constexpr (kH == 1) {
    return hn::Reverse2(d, v);
  } else {
    static_assert(kH == 2 && sizeof(hn::TFromD<D>) == 4);
    return hn::Shuffle1032(v);
  }
}

// Lane i is 1 where bit kH of i is 0, else -1. A table, so that it is an operand in memory and no register is needed.
template <class T, std::size_t kLanes, std::size_t kH>
struct PlusMinusOne {
  T of[kLanes];
  constexpr PlusMinusOne() : of() {
    for (std::size_t i = 0; i < kLanes; ++i) of[i] = (i & kH) == 0 ? T{1} : T{-1};
  }
};
template <class T, std::size_t kLanes, std::size_t kH>
alignas(64) inline constexpr PlusMinusOne<T, kLanes, kH> kPlusMinusOne;

// The step h = kH inside a register. A product with 1 or -1 is exact, so the fused operation is the sum or the difference, rounded once.
template <std::size_t kH, class D, class V, class VS>
HWY_INLINE V StepWithin(D d, V v, VS plus_minus) {
  const V other = SwapLanes<kH>(d, v);
#if HWY_NATIVE_FMA
  return hn::MulAdd(v, plus_minus, other);
#else
  return hn::Add(other, hn::Xor(v, hn::And(plus_minus, hn::SignBit(d))));
#endif
}

#endif  // a register of HWY_SCALAR has one lane

template <std::size_t kH, std::size_t kRegisters, class D, class V>
HWY_INLINE void StepsWithin(D d, V* v, unsigned log2_steps) {
#if HWY_TARGET != HWY_SCALAR
  if constexpr (kH < hn::MaxLanes(d)) {
    if ((std::size_t{1} << log2_steps) > kH) {
      const V plus_minus = hn::Load(d, kPlusMinusOne<hn::TFromD<D>, hn::MaxLanes(d), kH>.of);
      HGT_UNROLL for (std::size_t j = 0; j < kRegisters; ++j) v[j] = StepWithin<kH>(d, v[j], plus_minus);
    }
    StepsWithin<2 * kH, kRegisters>(d, v, log2_steps);
  }
#else
  (void)d, (void)v, (void)log2_steps;
#endif
}

// hd::hadamard_signs of words word + j * step, j < kWords or up to the next multiple of the lanes.
template <std::size_t kWords>
HWY_INLINE void HashWords(std::uint32_t seed, std::uint32_t word, std::uint32_t step, std::uint32_t* HWY_RESTRICT out) {
  const hn::CappedTag<std::uint32_t, kWords> du;
  const auto start = hn::Set(du, (seed + 1) * 0x9e3779b9u);
  for (std::uint32_t j = 0; j < kWords; j += static_cast<std::uint32_t>(hn::MaxLanes(du))) {
    const auto index = hn::Add(hn::Set(du, word + j * step), hn::Mul(hn::Iota(du, 0), hn::Set(du, step)));
    auto h = hn::Add(index, start);
    h = hn::Mul(hn::Xor(h, hn::ShiftRight<16>(h)), hn::Set(du, 0x85ebca6bu));
    h = hn::Mul(hn::Xor(h, hn::ShiftRight<13>(h)), hn::Set(du, 0xc2b2ae35u));
    hn::StoreU(hn::Xor(h, hn::ShiftRight<16>(h)), du, out + j);
  }
}

// words[j], j < kWords: the signs of the 32 columns from first + j * step on.
template <std::size_t kWords>
HWY_INLINE void SignWords(std::uint32_t seed, std::uint64_t first, std::uint64_t step, std::uint32_t* HWY_RESTRICT words) {
  const auto shift = static_cast<unsigned>(first % 32);
  if (HWY_LIKELY(step % 32 == 0)) {
    const auto word = static_cast<std::uint32_t>(first / 32), word_step = static_cast<std::uint32_t>(step / 32);
    HashWords<kWords>(seed, word, word_step, words);
    if (HWY_LIKELY(shift == 0)) return;
    std::uint32_t following[kWords];
    HashWords<kWords>(seed, word + 1, word_step, following);
    for (std::size_t j = 0; j < kWords; ++j) words[j] = words[j] >> shift | following[j] << (32 - shift);
    return;
  }
  for (std::size_t j = 0; j < kWords; ++j) {
    const std::uint64_t column = first + j * step;
    const std::uint64_t both = hd::hadamard_signs(seed, column / 32) | std::uint64_t{hd::hadamard_signs(seed, column / 32 + 1)} << 32;
    words[j] = static_cast<std::uint32_t>(both >> (column % 32));
  }
}

// Lane i is negated when bit `offset` + i of the word is set.
template <class D, class V>
HWY_INLINE V Negate(D d, V v, std::uint32_t word, unsigned offset) {
  const hn::RebindToUnsigned<D> du;
  using U = hn::TFromD<decltype(du)>;
  constexpr unsigned kTop = 8 * sizeof(U) - 1;
  const auto shifts = hn::Sub(hn::Set(du, static_cast<U>(kTop - offset)), hn::Iota(du, 0));
  const auto bits = hn::Shl(hn::Set(du, static_cast<U>(word)), shifts);
#if HWY_TARGET <= HWY_AVX3
  if constexpr (sizeof(V) == 64) {
    const auto raw = _mm512_ternarylogic_epi64(hn::BitCast(du, v).raw, bits.raw, hn::BitCast(du, hn::SignBit(d)).raw, 0x78);  // a ^ (b & c)
    return hn::BitCast(d, hn::Vec<decltype(du)>{raw});
  }
#endif
  return hn::Xor(v, hn::And(hn::BitCast(d, bits), hn::SignBit(d)));
}

// How elements lie in memory: binary32 and binary64 as such, the 16-bit formats in binary32.
template <DType kDType>
struct Format;

template <class TElement>
struct PlainFormat {
  using T = TElement;
  using Word = TElement;
  template <class D>
  static HWY_INLINE hn::Vec<D> Load([[maybe_unused]] D d, const Word* p) { return hn::LoadU(d, p); }
  template <class D>
  static HWY_INLINE void Store([[maybe_unused]] D d, hn::Vec<D> v, Word* p) { hn::StoreU(v, d, p); }
  template <class D>
  static HWY_INLINE void Stream([[maybe_unused]] D d, hn::Vec<D> v, Word* p) { hn::Stream(v, d, p); }
};
template <>
struct Format<DType::kF32> : PlainFormat<float> {};
template <>
struct Format<DType::kF64> : PlainFormat<double> {};

template <>
struct Format<DType::kBF16> {
  using T = float;
  using Word = std::uint16_t;
  template <class D>
  static HWY_INLINE hn::Vec<D> Load(D d, const Word* p) {
    const hn::RebindToUnsigned<D> du;
    const hn::Rebind<std::uint16_t, D> du16;
#if HWY_TARGET <= HWY_AVX3
    if constexpr (sizeof(hn::Vec<D>) == 64) {  // one permutation, the low halves zeroed, for a widening and a shift
      const hn::Repartition<std::uint16_t, D> words;
      const auto places = hn::BitCast(words, hn::ShiftLeft<16>(hn::Iota(du, 0)));
      const auto both = _mm512_castsi256_si512(hn::LoadU(du16, p).raw);
      return hn::BitCast(d, hn::Vec<decltype(du)>{_mm512_maskz_permutexvar_epi16(0xaaaaaaaau, places.raw, both)});
    }
#endif
    return hn::BitCast(d, hn::ShiftLeft<16>(hn::PromoteTo(du, hn::LoadU(du16, p))));
  }
  template <class D>
  static HWY_INLINE void Stream(D d, hn::Vec<D> v, Word* p) { Store(d, v, p); }
  // hd::f32_to_bf16. NaNs stay NaNs: their low halves are zero, because those of all elements are.
  template <class D>
  static HWY_INLINE void Store([[maybe_unused]] D d, hn::Vec<D> v, Word* p) {
    const hn::RebindToUnsigned<D> du;
    [[maybe_unused]] const hn::Rebind<std::uint16_t, D> du16;
    const auto bits = hn::BitCast(du, v);
    const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(du, 1u));
    const auto rounded = hn::Add(hn::Add(bits, hn::Set(du, 0x7fffu)), odd);
#if HWY_TARGET == HWY_SCALAR
    hn::StoreU(hn::TruncateTo(du16, hn::ShiftRight<16>(rounded)), du16, p);
#else
    const hn::Repartition<std::uint16_t, D> words;
    const auto upper = hn::BitCast(words, rounded);
    hn::StoreU(hn::LowerHalf(hn::ConcatOdd(words, upper, upper)), du16, p);
#endif
  }
};

template <>
struct Format<DType::kF16> {
  using T = float;
  using Word = std::uint16_t;
  template <class D>
  static HWY_INLINE hn::Vec<D> Load([[maybe_unused]] D d, const Word* p) {
    const hn::Rebind<std::uint16_t, D> du16;
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2
    const hn::Rebind<hwy::float16_t, D> df16;
    return hn::PromoteTo(d, hn::BitCast(df16, hn::LoadU(du16, p)));
#else
    const hn::RebindToUnsigned<D> du;
    return F16BitsToF32(d, hn::PromoteTo(du, hn::LoadU(du16, p)));
#endif
  }
  template <class D>
  static HWY_INLINE void Stream(D d, hn::Vec<D> v, Word* p) { Store(d, v, p); }
  template <class D>
  static HWY_INLINE void Store([[maybe_unused]] D d, hn::Vec<D> v, Word* p) {
    const hn::Rebind<std::uint16_t, D> du16;
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2
    const hn::Rebind<hwy::float16_t, D> df16;
    hn::StoreU(hn::BitCast(du16, hn::DemoteTo(df16, v)), du16, p);
#else
    const hn::RebindToUnsigned<D> du;
    const auto nan = hn::RebindMask(du, hn::IsNaN(v));
    const auto words = hn::IfThenElse(nan, hn::Set(du, 0x7e00u), F16BitsOfRounded(d, RoundToF16(d, v)));
    hn::StoreU(hn::TruncateTo(du16, words), du16, p);
#endif
  }
};

}  // namespace haagenti::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
