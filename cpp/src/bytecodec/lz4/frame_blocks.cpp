#include "bytecodec/lz4/frame_blocks.h"

#include <algorithm>
#include <cstring>
#include <ios>

#include "haagenti/base/error.h"
#include "haagenti/base/xxh32.h"

namespace haagenti::lz4 {

void check_block_size(const FrameHeader& header, BlockWord word, std::uint64_t index, std::uint64_t offset) {
  // The size of a legacy block is checked by is_end.
  if (header.kind == FrameKind::kLegacy || word.size() <= header.block_max) return;
  fail(ErrorKind::kCorrupt, "lz4: block ", index, " of ", word.size(), " bytes at input offset ", offset,
       ", the frame's blocks have at most ",
       header.block_max);
}

bool block_checksum_matches(const Block& block) { return !block.checksum || xxh32(block.bytes) == *block.checksum; }

void check_block_checksum(const Block& block) {
  if (!block_checksum_matches(block)) fail(ErrorKind::kCorrupt, "lz4: checksum mismatch in block ", block.index, " at input offset ",
                                           block.offset);
}

std::uint64_t most_unpacked(const FrameHeader& header, const Block& block) {
  if (block.stored) return block.bytes.size();
  return std::min<std::uint64_t>(header.block_max, block.bytes.size() * kMaxExpansion);
}

Unpacked unpack(const Block& block, ByteView window, MutableByteView dst) {
  if (!block.stored) return unpack(block.bytes, window, dst);
  if (block.bytes.size() > dst.size()) return {false, 0};
  if (!block.bytes.empty()) std::memcpy(dst.data(), block.bytes.data(), block.bytes.size());
  return {true, block.bytes.size()};
}

void fail_block(const FrameHeader& header, const Block& block, ByteView window, MutableByteView dst, bool limited_by_content_size) {
  const bool larger = block.stored || is_larger(block.bytes, window, dst);
  if (larger && limited_by_content_size) {
    fail(ErrorKind::kCorrupt, "lz4: block ", block.index, " at input offset ", block.offset, " goes beyond the content size of ",
         *header.content_size,
         " bytes that the frame states");
  }
  if (larger && dst.size() < most_unpacked(header, block)) return;
  if (larger) {
    fail(ErrorKind::kCorrupt, "lz4: block ", block.index, " at input offset ", block.offset, " decodes to more than ", header.block_max,
         " bytes");
  }
  fail(ErrorKind::kCorrupt, "lz4: block ", block.index, " is corrupt at input offset ", block.offset + unpack(block.bytes, window,
      dst).size);
}

void check_content_size(const FrameHeader& header, std::uint64_t n_decoded, std::uint64_t end) {
  if (!header.content_size || *header.content_size == n_decoded) return;
  fail(ErrorKind::kCorrupt, "lz4: the frame that ends at input offset ", end, " holds ", n_decoded, " bytes, its header states ",
       *header.content_size);
}

void check_content_checksum(std::uint32_t stated, std::uint32_t computed, std::uint64_t offset) {
  if (stated == computed) return;
  fail(ErrorKind::kCorrupt, "lz4: content checksum mismatch, the frame states ", std::hex, stated, " and the decoded bytes have ",
       computed, std::dec,
       ", at input offset ", offset);
}

std::uint32_t BlockReader::word(const char* name) {
  if (input_.size() - at_ < kWordBytes) fail(ErrorKind::kTruncated, "lz4: truncated at input offset ", input_.size(), ", in the ", name);
  at_ += kWordBytes;
  return load_le<std::uint32_t>(input_.data() + at_ - kWordBytes);
}

std::optional<Block> BlockReader::next() {
  const bool legacy = header_.kind == FrameKind::kLegacy;
  if (legacy && at_ == input_.size()) return std::nullopt;
  const BlockWord size{word("size of a block")};
  if (size.is_end(header_)) {
    if (legacy) at_ -= kWordBytes;  // the word is the next frame's
    return std::nullopt;
  }
  check_block_size(header_, size, index_, at_ - kWordBytes);
  if (size.size() > input_.size() - at_) {
    fail(ErrorKind::kTruncated, "lz4: truncated at input offset ", input_.size(), ", in block ", index_, " of ", size.size(), " bytes");
  }
  Block block{.bytes = input_.subspan(at_, size.size()), .stored = size.is_stored(), .checksum = {}, .index = index_, .offset = at_};
  at_ += size.size();
  if (header_.block_checksums) block.checksum = word("checksum of a block");
  ++index_;
  return block;
}

}  // namespace haagenti::lz4
