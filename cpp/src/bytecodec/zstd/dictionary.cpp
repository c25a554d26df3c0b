// Dictionaries, and what zstd makes of them once: per level for compression, one for decompression.
#include "bytecodec/zstd/dictionary.h"

#include <map>
#include <mutex>
#include <new>

#include "haagenti/base/error.h"

namespace haagenti {
namespace {

constexpr std::uint32_t kDictionaryMagic = 0xec30a437;  // RFC 8878, 5

// The library says no more than null.
[[noreturn]] void fail_digesting(ByteView bytes) {
  if (bytes.size() < sizeof kDictionaryMagic || load_le<std::uint32_t>(bytes.data()) != kDictionaryMagic) throw std::bad_alloc();
  fail(ErrorKind::kInvalidArgument, "zstd: the dictionary of ", bytes.size(),
       " bytes begins like a zstd dictionary, but its tables are corrupt");
}

}  // namespace

struct Dictionary::Digested {
  struct Free {
    void operator()(ZSTD_CDict* digested) const { ZSTD_freeCDict(digested); }
    void operator()(ZSTD_DDict* digested) const { ZSTD_freeDDict(digested); }
  };
  std::mutex mutex;
  std::map<int, std::unique_ptr<ZSTD_CDict, Free>> of_level;
  std::unique_ptr<ZSTD_DDict, Free> for_decompression;
};

Dictionary::Dictionary(ByteView bytes) : bytes_(bytes.begin(), bytes.end()), digested_(std::make_unique<Digested>()) {}
Dictionary::~Dictionary() = default;

std::uint32_t Dictionary::id() const { return ZSTD_getDictID_fromDict(bytes_.data(), bytes_.size()); }

const void* Dictionary::digested_for_compression(int level) const {
  const std::lock_guard lock(digested_->mutex);
  auto& digested = digested_->of_level[level];
  if (!digested) digested.reset(ZSTD_createCDict(bytes_.data(), bytes_.size(), level));
  if (!digested) fail_digesting(bytes_);
  return digested.get();
}

const void* Dictionary::digested_for_decompression() const {
  const std::lock_guard lock(digested_->mutex);
  auto& digested = digested_->for_decompression;
  if (!digested) digested.reset(ZSTD_createDDict(bytes_.data(), bytes_.size()));
  if (!digested) fail_digesting(bytes_);
  return digested.get();
}

}  // namespace haagenti
