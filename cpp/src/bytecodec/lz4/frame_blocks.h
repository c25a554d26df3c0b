// The blocks of a frame that lies in memory as a whole: found one after the other, and the errors of one.
// Not responsible for where they are decoded to.
#pragma once

#include <optional>

#include "bytecodec/lz4/frame_header.h"
#include "bytecodec/lz4/unpack.h"

namespace haagenti::lz4 {

struct Block {
  ByteView bytes;  // as in the frame
  bool stored = false;
  std::optional<std::uint32_t> checksum;
  std::uint64_t index = 0;
  std::uint64_t offset = 0;  // of bytes in the input
};

// A block's size, as the word in front of it says.
struct BlockWord {
  std::uint32_t word = 0;
  bool is_end(const FrameHeader& header) const { return header.kind == FrameKind::kLegacy ? word > kLegacyMostPacked : word == 0; }
  bool is_stored() const { return (word & kStoredFlag) != 0; }
  std::uint32_t size() const { return word & ~kStoredFlag; }
};

// Throws Corrupt when the block would be larger than the header allows; offset is that of the word.
void check_block_size(const FrameHeader& header, BlockWord word, std::uint64_t index, std::uint64_t offset);

// Throws Corrupt when the block's checksum is another one.
void check_block_checksum(const Block& block);
bool block_checksum_matches(const Block& block);

// Most bytes that the block can decode to.
std::uint64_t most_unpacked(const FrameHeader& header, const Block& block);

// Decodes to dst, or copies.
Unpacked unpack(const Block& block, ByteView window, MutableByteView dst);

// Throws the error of a block that unpack could not decode to dst, which held `allowed` bytes: all that the content size leaves
// (limited_by_content_size), or all that a block may have. Returns when dst was merely smaller than the block.
void fail_block(const FrameHeader& header, const Block& block, ByteView window, MutableByteView dst, bool limited_by_content_size);

// Throws Corrupt when the sizes differ; end is the offset behind the last block.
void check_content_size(const FrameHeader& header, std::uint64_t n_decoded, std::uint64_t end);
void check_content_checksum(std::uint32_t stated, std::uint32_t computed, std::uint64_t offset);

// Goes through the blocks of a frame.
class BlockReader {
 public:
  // at: where the blocks begin in input.
  BlockReader(const FrameHeader& header, ByteView input, std::uint64_t at) : header_(header), input_(input), at_(at) {}

  // The next block; nullopt behind the last one, whose end mark has been read. Throws Corrupt and Truncated.
  std::optional<Block> next();
  // Reads a word of the frame called `name`. Throws Truncated.
  std::uint32_t word(const char* name);
  // Offset of what comes next.
  std::uint64_t at() const { return at_; }
  std::uint64_t n_left() const { return input_.size() - at_; }
  // Goes where `other`, a copy of this one, has gone.
  void skip_to(const BlockReader& other) {
    at_ = other.at_;
    index_ = other.index_;
  }

 private:
  const FrameHeader& header_;
  const ByteView input_;
  std::uint64_t at_;
  std::uint64_t index_ = 0;
};

}  // namespace haagenti::lz4
