#include "haagenti/base/xxh3.h"

#include <memory>
#include <new>

#include <xxhash.h>

#include "base/xxh3_x86.h"
#include "haagenti/base/error.h"

namespace haagenti {
namespace {

using Hash = std::uint64_t (*)(const void*, std::size_t);

std::uint64_t xxh3_64_packaged(const void* data, std::size_t n_bytes) { return XXH3_64bits(data, n_bytes); }

Hash choose_hash() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return &xxh3_64_avx512;
  if (__builtin_cpu_supports("avx2")) return &xxh3_64_avx2;
#endif
  return &xxh3_64_packaged;
}

}  // namespace

std::uint64_t xxh3_64(ByteView bytes) {
  static const Hash hash = choose_hash();
  return hash(bytes.data(), bytes.size());
}

std::uint64_t xxh3_64(ByteView first, ByteView second) {
  const std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state(XXH3_createState(), &XXH3_freeState);
  if (!state) throw std::bad_alloc();
  XXH3_64bits_reset(state.get());
  XXH3_64bits_update(state.get(), first.data(), first.size());
  XXH3_64bits_update(state.get(), second.data(), second.size());
  return XXH3_64bits_digest(state.get());
}

std::string xxh3_library_version() {
  const unsigned version = XXH_versionNumber();
  return concat(version / 10000, ".", version / 100 % 100, ".", version % 100);
}

}  // namespace haagenti
