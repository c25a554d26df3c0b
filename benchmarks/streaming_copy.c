// Moves as many bytes through memory as a decoder does, and computes nothing: stores go around the cache, the fastest way on one x86 core.
// The C library's memcpy does this only from a size on that differs between versions and machines.
#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

enum { kBlock = 4096 };

// Fills n_dst bytes of dst from n_src <= n_dst bytes of src: blocks of 4 KiB, each from where its share of src begins.
// n_dst: a multiple of 4096; n_src >= 4096; dst aligned to 32 bytes.
__attribute__((target("avx2"))) void streaming_copy(uint8_t *dst, size_t n_dst, const uint8_t *src, size_t n_src) {
  const size_t n_blocks = n_dst / kBlock;
  const double step = n_blocks > 1 ? (double)(n_src - kBlock) / (double)(n_blocks - 1) : 0.0;
  for (size_t block = 0; block < n_blocks; ++block) {
    const uint8_t *from = src + (size_t)(step * (double)block);
    uint8_t *to = dst + block * kBlock;
    for (size_t i = 0; i < kBlock; i += 128) {
      const __m256i a = _mm256_loadu_si256((const __m256i *)(from + i));
      const __m256i b = _mm256_loadu_si256((const __m256i *)(from + i + 32));
      const __m256i c = _mm256_loadu_si256((const __m256i *)(from + i + 64));
      const __m256i d = _mm256_loadu_si256((const __m256i *)(from + i + 96));
      _mm256_stream_si256((__m256i *)(to + i), a);
      _mm256_stream_si256((__m256i *)(to + i + 32), b);
      _mm256_stream_si256((__m256i *)(to + i + 64), c);
      _mm256_stream_si256((__m256i *)(to + i + 96), d);
    }
  }
  _mm_sfence();
}
