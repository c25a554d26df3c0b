// XXH3-64 for machines with AVX-512. See xxh3_x86.h.
#if defined(__x86_64__)
#include "base/xxh3_x86.h"

#include <immintrin.h>

#include <cstdlib>
#include <cstring>

#pragma GCC push_options
#pragma GCC target("avx512f")
#define XXH_VECTOR XXH_AVX512
#define XXH_INLINE_ALL
#include <xxhash.h>

namespace haagenti {

std::uint64_t xxh3_64_avx512(const void* data, std::size_t n_bytes) { return XXH3_64bits(data, n_bytes); }

}  // namespace haagenti
#pragma GCC pop_options
#endif
