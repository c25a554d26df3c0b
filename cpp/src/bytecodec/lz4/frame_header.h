// The header of an LZ4 frame, of a legacy frame and of a skippable frame (LZ4 frame format 1.6.3): read and written.
// Not responsible for blocks.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "haagenti/base/bytes.h"
#include "haagenti/bytecodec/dictionary.h"

namespace haagenti::lz4 {

inline constexpr std::size_t kMagicBytes = 4;
inline constexpr std::size_t kMaxHeaderBytes = 19;
inline constexpr std::size_t kWordBytes = 4;              // block size, block checksum, content checksum, end mark
inline constexpr std::uint32_t kStoredFlag = 1u << 31;    // of a block size: the block is not compressed
inline constexpr std::uint64_t kLargestBlock = 4u << 20;  // block size id 7
inline constexpr std::uint64_t kLegacyBlock = 8u << 20;
inline constexpr std::uint64_t kLegacyMostPacked = kLegacyBlock + kLegacyBlock / 255 + 16;  // LZ4_COMPRESSBOUND
inline constexpr std::uint64_t kMaxExpansion = 255;       // bytes that a byte of an LZ4 block stands for, at most
inline constexpr std::size_t kWindowBytes = 65536;        // the reach of an LZ4 offset

enum class FrameKind { kFrame, kLegacy, kSkippable };

struct FrameHeader {
  FrameKind kind = FrameKind::kFrame;
  bool independent = true;  // blocks do not refer to earlier ones
  bool block_checksums = false;
  bool content_checksum = false;
  std::uint64_t block_max = 0;
  std::optional<std::uint64_t> content_size;
  std::uint32_t dictionary_id = 0;  // 0: none
  std::uint32_t skipped_bytes = 0;  // of a skippable frame, after its header
};

// Whether the bytes, 4 at least, begin any of the three kinds.
bool begins_frame(ByteView bytes);

// Bytes of the header that begins with `bytes`, as far as these tell: more than there are as long as they do not tell.
std::size_t header_bytes(ByteView bytes);

// Reads the header_bytes(bytes) of a header. Throws Corrupt or Unsupported; offset is that of the header in the input.
FrameHeader read_header(ByteView bytes, std::uint64_t offset);

// Throws Decompression when the frame names a dictionary that is not the one given. dictionary may be null.
void check_dictionary(const FrameHeader& header, const Dictionary* dictionary, std::uint64_t offset);

// Appends the header of a frame with these options; block_max is the size of one of the ids.
void write_header(const FrameHeader& header, std::vector<std::uint8_t>& dst);

// The smallest block size that holds n_bytes; for more than a MiB 1 MiB, from 128 MiB on 4 MiB.
std::uint64_t block_max_for(std::uint64_t n_bytes);
// Its id (4 to 7) in the header.
std::uint32_t block_size_id(std::uint64_t block_max);

// What blocks may refer to of a dictionary: its last 64 KiB. dictionary may be null.
ByteView dictionary_window(const Dictionary* dictionary);

}  // namespace haagenti::lz4
