// Chunks of `none`: bytes stored as they are.
#include <cstring>

#include "haagenti/base/error.h"
#include "bytecodec/chunk/chunk.h"

namespace haagenti {
namespace {

std::uint64_t bound(std::uint64_t n_bytes) { return n_bytes; }

std::uint64_t compress(ByteView src, std::uint8_t* dst, int) {
  if (!src.empty()) std::memcpy(dst, src.data(), src.size());
  return src.size();
}

void decompress_into(ByteView src, MutableByteView dst) {
  if (src.size() != dst.size()) {
    fail(ErrorKind::kCorrupt, "a chunk stored without compression has ", src.size(), " bytes, expected ", dst.size());
  }
  if (!src.empty()) std::memcpy(dst.data(), src.data(), src.size());
}

}  // namespace

ChunkFunctions none_chunk() { return {bound, compress, decompress_into}; }

}  // namespace haagenti
