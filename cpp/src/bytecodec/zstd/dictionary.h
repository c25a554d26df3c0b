// The digested forms of a Dictionary as zstd's types.
// Not responsible for making or keeping them: the Dictionary does.
#pragma once

#include <zstd.h>

#include <memory>

#include "haagenti/bytecodec/dictionary.h"

namespace haagenti::zstd {

inline const ZSTD_CDict* compression_dictionary(const Dictionary& dictionary, int level) {
  return static_cast<const ZSTD_CDict*>(dictionary.digested_for_compression(level));
}

// Null for no dictionary.
inline const ZSTD_DDict* decompression_dictionary(const std::shared_ptr<const Dictionary>& dictionary) {
  return dictionary == nullptr ? nullptr : static_cast<const ZSTD_DDict*>(dictionary->digested_for_decompression());
}

}  // namespace haagenti::zstd
