// XXH3-64 compiled for wider registers than the baseline: the library as packaged uses SSE2 and would be the slowest part of decoding.
// Not responsible for choosing: xxh3.cpp does.
#pragma once

#include <cstddef>
#include <cstdint>

namespace haagenti {

std::uint64_t xxh3_64_avx2(const void* data, std::size_t n_bytes);
std::uint64_t xxh3_64_avx512(const void* data, std::size_t n_bytes);

}  // namespace haagenti
