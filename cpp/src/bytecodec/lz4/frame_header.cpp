#include "bytecodec/lz4/frame_header.h"

#include <algorithm>
#include <ios>

#include "haagenti/base/error.h"
#include "haagenti/base/xxh32.h"

namespace haagenti::lz4 {
namespace {

constexpr std::uint32_t kFrameMagic = 0x184d2204;
constexpr std::uint32_t kLegacyMagic = 0x184c2102;
constexpr std::uint32_t kSkippableMagic = 0x184d2a50;
constexpr std::uint32_t kSkippableMask = 0xfffffff0;

// FLG, the first byte after the magic number.
constexpr unsigned kVersionMask = 0xc0;
constexpr unsigned kVersion1 = 0x40;
constexpr unsigned kIndependent = 0x20;
constexpr unsigned kBlockChecksums = 0x10;
constexpr unsigned kContentSize = 0x08;
constexpr unsigned kContentChecksum = 0x04;
constexpr unsigned kFlgReserved = 0x02;
constexpr unsigned kDictionaryId = 0x01;
// BD, the byte after it: bits 4 to 6 are the block size id, the others are reserved.
constexpr unsigned kBdReserved = 0x8f;
constexpr unsigned kSmallestId = 4;
constexpr unsigned kLargestId = 7;

constexpr std::size_t kSmallestHeader = 7;  // magic, FLG, BD, header checksum

std::uint32_t magic_of(ByteView bytes) { return load_le<std::uint32_t>(bytes.data()); }
bool is_skippable(std::uint32_t magic) { return (magic & kSkippableMask) == kSkippableMagic; }

// Ids 4 to 7 are 64 KiB, 256 KiB, 1 MiB and 4 MiB.
std::uint64_t size_of_id(unsigned id) { return std::uint64_t{1} << (8 + 2 * id); }

// The second byte of the XXH32 of what is between magic number and checksum.
std::uint8_t header_checksum(ByteView descriptor) { return static_cast<std::uint8_t>(xxh32(descriptor) >> 8); }

void check_flags(unsigned flg, unsigned bd, std::uint64_t offset) {
  if ((flg & kVersionMask) != kVersion1) {
    fail(ErrorKind::kUnsupported, "lz4: frame version ", flg >> 6, " at input offset ", offset + 4, ", this build reads version 1");
  }
  if ((flg & kFlgReserved) != 0) fail(ErrorKind::kCorrupt, "lz4: a reserved bit is set in the frame header at input offset ", offset + 4);
  if ((bd & kBdReserved) != 0) fail(ErrorKind::kCorrupt, "lz4: a reserved bit is set in the frame header at input offset ", offset + 5);
  if (bd >> 4 < kSmallestId) {
    fail(ErrorKind::kCorrupt, "lz4: block size id ", bd >> 4, " at input offset ", offset + 5, ", expected 4 to 7");
  }
}

FrameHeader read_frame_header(ByteView bytes, std::uint64_t offset) {
  const unsigned flg = bytes[4];
  const unsigned bd = bytes[5];
  const std::size_t at_checksum = bytes.size() - 1;
  if (bytes[at_checksum] != header_checksum(bytes.subspan(kMagicBytes, at_checksum - kMagicBytes))) {
    fail(ErrorKind::kCorrupt, "lz4: header checksum mismatch at input offset ", offset + at_checksum);
  }
  check_flags(flg, bd, offset);
  FrameHeader header;
  header.independent = (flg & kIndependent) != 0;
  header.block_checksums = (flg & kBlockChecksums) != 0;
  header.content_checksum = (flg & kContentChecksum) != 0;
  header.block_max = size_of_id(bd >> 4);
  std::size_t at = 6;
  if ((flg & kContentSize) != 0) {
    header.content_size = load_le<std::uint64_t>(bytes.data() + at);
    at += 8;
  }
  if ((flg & kDictionaryId) != 0) header.dictionary_id = load_le<std::uint32_t>(bytes.data() + at);
  return header;
}

}  // namespace

bool begins_frame(ByteView bytes) {
  const std::uint32_t magic = magic_of(bytes);
  return magic == kFrameMagic || magic == kLegacyMagic || is_skippable(magic);
}

std::size_t header_bytes(ByteView bytes) {
  if (bytes.size() < kMagicBytes) return kMagicBytes;
  if (is_skippable(magic_of(bytes))) return 8;
  if (magic_of(bytes) != kFrameMagic) return kMagicBytes;
  if (bytes.size() < 5) return kSmallestHeader;
  return kSmallestHeader + ((bytes[4] & kContentSize) != 0 ? 8 : 0) + ((bytes[4] & kDictionaryId) != 0 ? 4 : 0);
}

FrameHeader read_header(ByteView bytes, std::uint64_t offset) {
  const std::uint32_t magic = magic_of(bytes);
  if (magic == kFrameMagic) return read_frame_header(bytes, offset);
  FrameHeader header;
  if (magic == kLegacyMagic) {
    header.kind = FrameKind::kLegacy;
    header.block_max = kLegacyBlock;
    return header;
  }
  if (!is_skippable(magic)) {
    fail(ErrorKind::kCorrupt, "lz4: not an LZ4 frame, it begins with 0x", std::hex, magic, std::dec, " at input offset ", offset);
  }
  header.kind = FrameKind::kSkippable;
  header.skipped_bytes = load_le<std::uint32_t>(bytes.data() + kMagicBytes);
  return header;
}

void check_dictionary(const FrameHeader& header, const Dictionary* dictionary, std::uint64_t offset) {
  if (header.dictionary_id == 0) return;
  if (dictionary == nullptr) {
    fail(ErrorKind::kDecompression, "lz4: the frame at input offset ", offset, " needs the dictionary with id ", header.dictionary_id,
         ", none was given");
  }
  // Raw bytes have no id, and then nothing can be compared.
  if (dictionary->id() == 0 || dictionary->id() == header.dictionary_id) return;
  fail(ErrorKind::kDecompression, "lz4: the frame at input offset ", offset, " needs the dictionary with id ", header.dictionary_id,
       ", the one given has id ", dictionary->id());
}

void write_header(const FrameHeader& header, std::vector<std::uint8_t>& dst) {
  const std::size_t begin = dst.size();
  dst.resize(begin + kMagicBytes);
  store_le(dst.data() + begin, kFrameMagic);
  dst.push_back(static_cast<std::uint8_t>(kVersion1 | (header.independent ? kIndependent : 0) | (header.content_size ? kContentSize : 0) |
                                          (header.content_checksum ? kContentChecksum : 0)));
  dst.push_back(static_cast<std::uint8_t>(block_size_id(header.block_max) << 4));
  if (header.content_size) {
    dst.resize(dst.size() + 8);
    store_le(dst.data() + dst.size() - 8, *header.content_size);
  }
  dst.push_back(header_checksum(ByteView(dst).subspan(begin + kMagicBytes)));
}

std::uint64_t block_max_for(std::uint64_t n_bytes) {
  // Below this, blocks of 4 MiB are too few for threads to end together; blocks of 1 MiB cost 0.2 % (level 0) to 0.6 % (level 9) of size.
  constexpr std::uint64_t kLarge = 128u << 20;
  const unsigned largest = n_bytes < kLarge ? kLargestId - 1 : kLargestId;
  unsigned id = kSmallestId;
  while (id < largest && size_of_id(id) < n_bytes) ++id;
  return size_of_id(id);
}

std::uint32_t block_size_id(std::uint64_t block_max) {
  unsigned id = kSmallestId;
  while (size_of_id(id) < block_max) ++id;
  return id;
}

ByteView dictionary_window(const Dictionary* dictionary) {
  if (dictionary == nullptr) return {};
  const ByteView bytes = dictionary->bytes();
  return bytes.last(std::min(bytes.size(), kWindowBytes));
}

}  // namespace haagenti::lz4
