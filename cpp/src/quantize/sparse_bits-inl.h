// What the writer and the reader of masks share, for the instruction set being compiled.
// Not responsible for the meaning of the bits: hd/sparse_mask.h.
#if defined(HAAGENTI_SPARSE_BITS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HAAGENTI_SPARSE_BITS_INL_H_
#undef HAAGENTI_SPARSE_BITS_INL_H_
#else
#define HAAGENTI_SPARSE_BITS_INL_H_
#endif

#include <algorithm>
#include <cstring>

#include "hwy/highway.h"
#include "quantize/sparse_kernels.h"

HWY_BEFORE_NAMESPACE();
namespace haagenti::sparse::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr std::uint32_t kWords = kBlock / 64;

HWY_INLINE std::uint64_t LoadWord(const std::uint8_t* src) {
  std::uint64_t word;
  std::memcpy(&word, src, sizeof word);
  return word;
}

// One bit a byte of 0 or 1; kBlock aligned bytes to kWords words.
HWY_INLINE void BytesToBits(const std::uint8_t* bytes, std::uint64_t* words) {
#if HWY_TARGET == HWY_SCALAR
  std::fill_n(words, kWords, std::uint64_t{0});
  for (std::uint32_t i = 0; i < kBlock; ++i) words[i / 64] |= std::uint64_t{bytes[i]} << (i % 64);
#else
  const hn::CappedTag<std::uint8_t, 64> d8;
  auto* packed = reinterpret_cast<std::uint8_t*>(words);
  for (std::uint32_t i = 0; i < kBlock; i += static_cast<std::uint32_t>(hn::Lanes(d8))) {
    hn::StoreMaskBits(d8, hn::Ne(hn::Load(d8, bytes + i), hn::Zero(d8)), packed + i / 8);
  }
#endif
}

}  // namespace haagenti::sparse::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
