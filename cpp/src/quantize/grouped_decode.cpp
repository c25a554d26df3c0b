// SIMD loops of the decoder: codes times scales, rounded to the output type. See grouped_kernels.h.
#include <algorithm>
#include <cstring>

#include "haagenti/hd/float_bits.h"
#include "haagenti/hd/grouped_int.h"
#include "hwy/cache_control.h"
#include "quantize/grouped_kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quantize/grouped_decode.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

#include "quantize/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace haagenti::HWY_NAMESPACE {

// Elements decoded at a time: a multiple of every group size offered, and codes, scales and output stay in the first-level cache.
constexpr std::uint64_t kTile = 2048;

#undef HAAGENTI_NATIVE_BF16
#if HWY_TARGET <= HWY_AVX3_ZEN4 && HWY_ARCH_X86
#define HAAGENTI_NATIVE_BF16 1

// VCVTNE2PS2BF16 rounds as RoundToBf16Bits does, but takes subnormals for zeros. No code times a binary16 scale is one: the least magnitude is 2^-24.
HWY_INLINE __m512i Bf16Words(__m512 low, __m512 high) {
  const __m512bh words = _mm512_cvtne2ps_pbh(high, low);
  __m512i bits;
  std::memcpy(&bits, &words, sizeof bits);
  return bits;
}

// 32 codes at a time; returns how many elements that was.
HWY_INLINE std::uint64_t ScaleCodesToBf16(const std::int8_t* codes, std::uint64_t n, float scale, std::uint8_t* dst) {
  const __m512 vscale = _mm512_set1_ps(scale);
  const auto value = [&](const std::int8_t* from) {
    return _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)))), vscale);
  };
  std::uint64_t i = 0;
  for (; i + 32 <= n; i += 32) _mm512_storeu_si512(dst + 2 * i, Bf16Words(value(codes + i), value(codes + i + 16)));
  return i;
}
#else
#define HAAGENTI_NATIVE_BF16 0
#endif

template <DType kOut>
HWY_INLINE void ScaleCodes(const std::int8_t* codes, std::uint64_t n, float scale, std::uint8_t* dst) {
  const hn::ScalableTag<float> df;
  const hn::RebindToSigned<decltype(df)> di32;
  const hn::Rebind<std::int8_t, decltype(df)> di8;
  const std::size_t lanes = hn::Lanes(df);
  constexpr std::size_t kBytes = kBytesOf<kOut>;
  const auto vscale = hn::Set(df, scale);
  const auto value = [&](auto loaded) { return hn::Mul(hn::ConvertTo(df, hn::PromoteTo(di32, loaded)), vscale); };
  std::uint64_t i = 0;
#if HAAGENTI_NATIVE_BF16
  if constexpr (kOut == DType::kBF16) i = ScaleCodesToBf16(codes, n, scale, dst);
#endif
  for (; i + lanes <= n; i += lanes) StoreAs<kOut>(df, value(hn::LoadU(di8, codes + i)), dst + i * kBytes, lanes);
  if (i < n) StoreAs<kOut>(df, value(hn::LoadN(di8, codes + i, n - i)), dst + i * kBytes, n - i);
}

// Nibbles of whole bytes to codes of -8..7. dst holds an even number of elements.
void UnpackInt4(const std::uint8_t* packed, std::uint64_t n, std::int8_t* dst) {
  std::uint64_t i = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::ScalableTag<std::uint8_t> d8;
  const hn::Repartition<std::uint16_t, decltype(d8)> d16;
  const hn::Rebind<std::uint8_t, decltype(d16)> half;
  const hn::RebindToSigned<decltype(d8)> di8;
  const std::size_t lanes = hn::Lanes(d8);
  for (; i + lanes <= n; i += lanes) {
    const auto words = hn::PromoteTo(d16, hn::LoadU(half, packed + i / 2));
    const auto both = hn::And(hn::BitCast(d8, hn::Or(words, hn::ShiftLeft<4>(words))), hn::Set(d8, std::uint8_t{0x0f}));
    hn::StoreU(hn::Sub(hn::BitCast(di8, both), hn::Set(di8, std::int8_t{hd::kInt4Offset})), di8, dst + i);
  }
#endif
  for (; i < n; ++i) dst[i] = static_cast<std::int8_t>(hd::int4_code(packed, i));
}

#undef HAAGENTI_INT4_TABLES
#if HWY_TARGET <= HWY_AVX3 && HWY_ARCH_X86
#define HAAGENTI_INT4_TABLES 1

// With AVX-512 a group of int4 is a look-up: its 16 values are made once, and VPERMW places 32 of them by their codes.

// The 16 values of a group as binary32.
HWY_INLINE __m512 GroupValues(float scale) {
  const __m512 codes = _mm512_setr_ps(-8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7);
  return _mm512_mul_ps(codes, _mm512_set1_ps(scale));
}

// The 16 values as a table of 32 words, twice over: VPERMW reads five bits of an index, and the fifth may be anything.
template <DType kOut>
HWY_INLINE __m512i WordTable(__m512 values) {
#if HAAGENTI_NATIVE_BF16
  if constexpr (kOut == DType::kBF16) return Bf16Words(values, values);
#endif
  const hn::FixedTag<float, 16> df;
  const hn::RebindToUnsigned<decltype(df)> du;
  const hn::Vec<decltype(df)> v{values};
  const auto words = kOut == DType::kBF16 ? hn::ShiftRight<16>(RoundToBf16Bits(du, v)) : F16BitsOfRounded(df, RoundToF16(df, v));
  return _mm512_broadcast_i64x4(_mm512_cvtepi32_epi16(words.raw));
}

// 16 bytes to 32 words with a nibble in the low four bits of each, and what the shift leaves above.
HWY_INLINE __m512i WordIndices(const std::uint8_t* packed) {
  const __m512i bytes = _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(packed)));
  return _mm512_or_si512(bytes, _mm512_slli_epi32(bytes, 12));
}

// 8 bytes to 16 indices in dwords, of which VPERMPS reads the low four bits.
HWY_INLINE __m512i DwordIndices(const std::uint8_t* packed) {
  const __m512i bytes = _mm512_cvtepu8_epi64(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(packed)));
  return _mm512_or_si512(bytes, _mm512_slli_epi64(bytes, 28));
}

// n: a multiple of 32.
template <DType kOut>
HWY_INLINE void LookUpInt4(const std::uint8_t* packed, std::uint64_t n, float scale, std::uint8_t* dst) {
  const __m512 values = GroupValues(scale);
  if constexpr (kOut == DType::kF32) {
    for (std::uint64_t i = 0; i < n; i += 16) {
      _mm512_storeu_ps(dst + i * 4, _mm512_permutexvar_ps(DwordIndices(packed + i / 2), values));
    }
  } else {
    const __m512i table = WordTable<kOut>(values);
    for (std::uint64_t i = 0; i < n; i += 32) {
      _mm512_storeu_si512(dst + i * 2, _mm512_permutexvar_epi16(WordIndices(packed + i / 2), table));
    }
  }
}
#else
#define HAAGENTI_INT4_TABLES 0
#endif

// n binary16 words of any alignment.
void LoadScales(const std::uint8_t* src, std::uint64_t n, float* dst) {
  const hn::ScalableTag<float> df;
  const hn::RebindToUnsigned<decltype(df)> du;
  const hn::Rebind<std::uint16_t, decltype(df)> du16;
  const std::size_t lanes = hn::Lanes(df);
  const auto* words = reinterpret_cast<const std::uint16_t*>(src);
  std::uint64_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(F16BitsToF32(df, hn::PromoteTo(du, hn::LoadU(du16, words + i))), df, dst + i);
  for (; i < n; ++i) dst[i] = hd::f16_to_f32(load_le<std::uint16_t>(src + 2 * i));
}

// A run of elements of one group.
template <DType kOut, IntWidth kWidth>
HWY_INLINE void DequantizeRun(const std::uint8_t* codes, std::uint64_t start, std::uint64_t n, float scale, std::uint8_t* dst) {
  if constexpr (kWidth == IntWidth::kInt8) return ScaleCodes<kOut>(reinterpret_cast<const std::int8_t*>(codes) + start, n, scale, dst);
#if HAAGENTI_INT4_TABLES
  if (start % 2 == 0) {
    const std::uint64_t whole = n / 32 * 32;
    LookUpInt4<kOut>(codes + start / 2, whole, scale, dst);
    start += whole;
    n -= whole;
    dst += whole * kBytesOf<kOut>;
  }
#endif
  std::int8_t unpacked[kTile + 1];
  const std::uint64_t skip = start % 2;  // a group of odd size begins in the middle of a byte
  if (n == 0) return;
  UnpackInt4(codes + start / 2, n + skip, unpacked);
  ScaleCodes<kOut>(unpacked + skip, n, scale, dst);
}

// Whole groups of a multiple of 32 elements from `start` on, without the decisions that odd sizes need; returns how many elements that was.
template <DType kOut, IntWidth kWidth>
HWY_INLINE std::uint64_t DequantizeWholeGroups(const DequantizeRow& row, std::uint64_t start, std::uint64_t n, const float* scales, std::uint8_t* dst) {
  constexpr std::size_t kBytes = kBytesOf<kOut>;
  const std::uint64_t group = row.group;
  std::uint64_t i = 0;
  if constexpr (kWidth == IntWidth::kInt8) {
    const auto* codes = reinterpret_cast<const std::int8_t*>(row.codes) + start;
    for (; i + group <= n; i += group) ScaleCodes<kOut>(codes + i, group, *scales++, dst + i * kBytes);
  } else {
#if HAAGENTI_INT4_TABLES
    for (; i + group <= n; i += group) LookUpInt4<kOut>(row.codes + (start + i) / 2, group, *scales++, dst + i * kBytes);
#endif
  }
  return i;
}

// Elements begin..end of the row, end - begin <= kTile.
template <DType kOut, IntWidth kWidth>
void DequantizeTile(const DequantizeRow& row, std::uint64_t begin, std::uint64_t end, std::uint8_t* dst) {
  constexpr std::size_t kBytes = kBytesOf<kOut>;
  constexpr std::uint64_t kScaleBatch = 64;
  float scales[kScaleBatch];
  const std::uint64_t last_group = (end - 1) / row.group;
  std::uint64_t batch_begin = 0;
  std::uint64_t batch_end = 0;
  for (std::uint64_t i = begin; i < end;) {
    const std::uint64_t group = i / row.group;
    if (group >= batch_end) {
      batch_begin = group;
      batch_end = std::min(group + kScaleBatch, last_group + 1);
      LoadScales(row.scales + 2 * batch_begin, batch_end - batch_begin, scales);
    }
    if (row.group % 32 == 0 && i % row.group == 0) {
      const std::uint64_t batch_stop = std::min(batch_end * row.group, end);
      i += DequantizeWholeGroups<kOut, kWidth>(row, i, batch_stop - i, scales + (group - batch_begin), dst + (i - begin) * kBytes);
    }
    for (std::uint64_t g = i / row.group; g < batch_end && i < end; ++g) {
      const std::uint64_t stop = std::min((g + 1) * row.group, end);
      DequantizeRun<kOut, kWidth>(row.codes, i, stop - i, scales[g - batch_begin], dst + (i - begin) * kBytes);
      i = stop;
    }
  }
}

// Copies past the cache; dst need only be aligned to the element.
void StreamCopy(const std::uint8_t* src, std::size_t n_bytes, std::uint8_t* dst) {
  const hn::ScalableTag<std::uint8_t> d8;
  const std::size_t lanes = hn::Lanes(d8);
  std::size_t i = std::min(n_bytes, (lanes - reinterpret_cast<std::uintptr_t>(dst) % lanes) % lanes);
  if (i != 0) std::memcpy(dst, src, i);
  for (; i + lanes <= n_bytes; i += lanes) hn::Stream(hn::LoadU(d8, src + i), d8, dst + i);
  if (i < n_bytes) std::memcpy(dst + i, src + i, n_bytes - i);
}

template <DType kOut, IntWidth kWidth>
void DequantizeRowAs(const DequantizeRow& row) {
  constexpr std::size_t kBytes = kBytesOf<kOut>;
  alignas(64) std::uint8_t staged[kTile * kBytes];
  for (std::uint64_t begin = 0; begin < row.cols; begin += kTile) {
    const std::uint64_t end = std::min(begin + kTile, row.cols);
    std::uint8_t* dst = row.dst + begin * kBytes;
    DequantizeTile<kOut, kWidth>(row, begin, end, row.stream ? staged : dst);
    if (row.stream) StreamCopy(staged, (end - begin) * kBytes, dst);
  }
  if (row.stream) hwy::FlushStream();
}

template <IntWidth kWidth>
void DequantizeRowOf(const DequantizeRow& row) {
  if (row.out_dtype == DType::kBF16) return DequantizeRowAs<DType::kBF16, kWidth>(row);
  if (row.out_dtype == DType::kF16) return DequantizeRowAs<DType::kF16, kWidth>(row);
  DequantizeRowAs<DType::kF32, kWidth>(row);
}

void DequantizeRowAny(const DequantizeRow& row, IntWidth width) {
  return width == IntWidth::kInt8 ? DequantizeRowOf<IntWidth::kInt8>(row) : DequantizeRowOf<IntWidth::kInt4>(row);
}

}  // namespace haagenti::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace haagenti {

HWY_EXPORT(DequantizeRowAny);

void dequantize_row(const DequantizeRow& row, IntWidth width) { HWY_DYNAMIC_DISPATCH(DequantizeRowAny)(row, width); }

}  // namespace haagenti
#endif
