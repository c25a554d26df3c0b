// Decodes independent blocks on several threads, where the place of each in the output is known: every block but the last is full.
// Not responsible for errors: whatever is unusual is left to the serial way.
#pragma once

#include <vector>

#include "bytecodec/lz4/frame_blocks.h"
#include "haagenti/base/xxh32.h"

namespace haagenti::lz4 {

// Whether it is worth trying: two blocks, and enough bytes to pay for the threads.
bool can_go_side_by_side(const FrameHeader& header, const std::vector<Block>& blocks, std::size_t n_dst);

// Returns the bytes decoded to dst; nullopt when a block is not full or cannot be decoded, and dst is undefined.
// Sums them up in `checksum` where it is not null.
std::optional<std::uint64_t> unpack_side_by_side(const FrameHeader& header, const std::vector<Block>& blocks, ByteView window,
                                                 MutableByteView dst, std::uint32_t threads, Xxh32* checksum);

}  // namespace haagenti::lz4
