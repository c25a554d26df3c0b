// A dictionary of zstd, lz4 or deflate: its bytes, and what zstd makes of them once.
// Not responsible for training (train_dictionary) beyond declaring it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "haagenti/base/bytes.h"

namespace haagenti {

class Dictionary {
 public:
  explicit Dictionary(ByteView bytes);
  ~Dictionary();
  Dictionary(const Dictionary&) = delete;
  Dictionary& operator=(const Dictionary&) = delete;

  ByteView bytes() const { return bytes_; }
  // Of the header of a zstd dictionary; 0 for bytes without one.
  std::uint32_t id() const;

  // zstd's digested forms (ZSTD_CDict, ZSTD_DDict), made at the first call and kept; any thread may call. `digested_*` are opaque here so
  // that zstd.h stays out of public headers: cpp/src/bytecodec/zstd/dictionary.h casts them.
  const void* digested_for_compression(int level) const;
  const void* digested_for_decompression() const;

 private:
  struct Digested;
  std::vector<std::uint8_t> bytes_;
  std::unique_ptr<Digested> digested_;
};

// A zstd dictionary of at most max_bytes made from samples. Throws InvalidArgument where the samples are too few or too small.
std::vector<std::uint8_t> train_dictionary(std::span<const ByteView> samples, std::size_t max_bytes);

}  // namespace haagenti
