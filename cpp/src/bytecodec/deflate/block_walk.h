// Finds the last block of a raw Deflate stream by walking its blocks, without producing output, so that the block can be marked as not the
// last one and another stream joined behind it. Not responsible for writing (join.h) nor for checking distances.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "haagenti/base/bytes.h"

namespace haagenti::deflate {

// Readable bytes, of any value, that must follow a stream that is walked: reads are eight bytes wide.
inline constexpr std::size_t kWalkPadding = 32;

struct LastBlock {
  std::uint64_t begin_bit = 0;  // its BFINAL bit
  std::uint64_t end_bit = 0;    // behind its last code
};

// Empty when the bytes are no Deflate stream, end before it does, or go on for a byte or more behind it.
std::optional<LastBlock> find_last_block(ByteView stream);

// The same for several streams side by side: one walk mostly waits for its last look-up, several share the waiting.
inline constexpr std::size_t kWalksAtOnce = 4;
std::array<std::optional<LastBlock>, kWalksAtOnce> find_last_blocks(const std::array<ByteView, kWalksAtOnce>& streams);

}  // namespace haagenti::deflate
