// Owners of libdeflate's contexts.
#pragma once

#include <libdeflate.h>

#include <memory>
#include <new>

namespace haagenti::deflate {

struct FreeLibdeflate {
  void operator()(libdeflate_compressor* context) const { libdeflate_free_compressor(context); }
  void operator()(libdeflate_decompressor* context) const { libdeflate_free_decompressor(context); }
};
using LibdeflateCompressor = std::unique_ptr<libdeflate_compressor, FreeLibdeflate>;
using LibdeflateDecompressor = std::unique_ptr<libdeflate_decompressor, FreeLibdeflate>;

inline LibdeflateCompressor make_libdeflate_compressor(int level) {
  LibdeflateCompressor context(libdeflate_alloc_compressor(level));
  if (!context) throw std::bad_alloc();
  return context;
}

inline LibdeflateDecompressor make_libdeflate_decompressor() {
  LibdeflateDecompressor context(libdeflate_alloc_decompressor());
  if (!context) throw std::bad_alloc();
  return context;
}

}  // namespace haagenti::deflate
