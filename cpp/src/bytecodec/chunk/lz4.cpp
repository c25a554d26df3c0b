// Chunks of `lz4`: independent raw LZ4 blocks of 64 KiB with a table of their sizes in front, so that a GPU can decode them side by side.
#include <lz4.h>

#include <algorithm>
#include <cstring>

#include "haagenti/base/checked.h"
#include "haagenti/base/error.h"
#include "bytecodec/chunk/chunk.h"

namespace haagenti {
namespace {

constexpr std::uint64_t kBlockBytes = 65536;          // the reach of an LZ4 offset
constexpr std::uint32_t kStoredFlag = 1u << 31;       // bit 31 of a table entry: the block is stored as it is
constexpr std::uint64_t kEntryBytes = sizeof(std::uint32_t);

std::uint64_t block_size(std::uint64_t n_bytes, std::uint64_t block) { return std::min(kBlockBytes, n_bytes - block * kBlockBytes); }

// A block never takes more than its own bytes: it is stored when LZ4 does not shrink it.
std::uint64_t bound(std::uint64_t n_bytes) { return n_bytes + kEntryBytes * ceil_div(n_bytes, kBlockBytes); }

std::uint64_t compress(ByteView src, std::uint8_t* dst, int level) {
  const std::uint64_t n_blocks = ceil_div(src.size(), kBlockBytes);
  std::uint64_t written = n_blocks * kEntryBytes;
  for (std::uint64_t block = 0; block < n_blocks; ++block) {
    const auto* from = src.data() + block * kBlockBytes;
    const auto size = static_cast<int>(block_size(src.size(), block));
    const int packed = LZ4_compress_fast(reinterpret_cast<const char*>(from), reinterpret_cast<char*>(dst + written), size, size - 1, level);
    std::uint32_t entry = static_cast<std::uint32_t>(packed);
    if (packed == 0) {
      std::memcpy(dst + written, from, static_cast<std::size_t>(size));
      entry = static_cast<std::uint32_t>(size) | kStoredFlag;
    }
    store_le(dst + block * kEntryBytes, entry);
    written += entry & ~kStoredFlag;
  }
  return written;
}

void decompress_block(const std::uint8_t* src, std::uint32_t entry, std::uint8_t* dst, std::uint64_t size, std::uint64_t block) {
  const auto stored = static_cast<int>(entry & ~kStoredFlag);
  if (entry & kStoredFlag) {
    if (static_cast<std::uint64_t>(stored) != size) fail(ErrorKind::kCorrupt, "lz4 block ", block, " is stored with ", stored, " bytes, expected ", size);
    std::memcpy(dst, src, size);
    return;
  }
  const int got = LZ4_decompress_safe(reinterpret_cast<const char*>(src), reinterpret_cast<char*>(dst), stored, static_cast<int>(size));
  if (got < 0 || static_cast<std::uint64_t>(got) != size) fail(ErrorKind::kCorrupt, "lz4 block ", block, " does not decode to ", size, " bytes");
}

void decompress_into(ByteView src, MutableByteView dst) {
  const std::uint64_t n_blocks = ceil_div(dst.size(), kBlockBytes);
  if (src.size() < n_blocks * kEntryBytes) fail(ErrorKind::kTruncated, "lz4 chunk of ", src.size(), " bytes is too short for its table of ", n_blocks, " blocks");
  std::uint64_t at = n_blocks * kEntryBytes;
  for (std::uint64_t block = 0; block < n_blocks; ++block) {
    const auto entry = load_le<std::uint32_t>(src.data() + block * kEntryBytes);
    const std::uint64_t stored = entry & ~kStoredFlag;
    if (stored > src.size() - at) fail(ErrorKind::kTruncated, "lz4 block ", block, " of ", stored, " bytes ends after its chunk");
    decompress_block(src.data() + at, entry, dst.data() + block * kBlockBytes, block_size(dst.size(), block), block);
    at += stored;
  }
  if (at != src.size()) fail(ErrorKind::kCorrupt, "lz4 chunk has ", src.size() - at, " bytes after its last block");
}

}  // namespace

ChunkFunctions lz4_chunk() { return {bound, compress, decompress_into}; }

}  // namespace haagenti
