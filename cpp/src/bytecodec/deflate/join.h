// Compresses pieces to stretches of one raw Deflate stream that may follow each other: no block is the last one, and each ends on a byte.
// Not responsible for what ends the stream.
#pragma once

#include <cstdint>

#include "bytecodec/deflate/libdeflate_handles.h"
#include "haagenti/base/bytes.h"

namespace haagenti::deflate {

// A piece is compressed in parts of this size, which do not refer to each other. On text this costs 0.9 % of size against one stream.
inline constexpr std::uint64_t kPartSize = 512 * 1024;
// The parts that are walked side by side (block_walk.h).
inline constexpr std::uint64_t kJoinedPieceSize = 4 * kPartSize;

std::uint64_t joined_bound(std::uint64_t n_bytes);

// Returns the bytes written to dst, which holds joined_bound(src.size()); src is one piece and not empty.
std::uint64_t compress_joined(libdeflate_compressor* context, ByteView src, std::uint8_t* dst);

// Makes the stream that fills dst[0, size) one that another may follow; last_begin and last_end are of its last block, in bits. Returns its
// new size, kJoint bytes more at most.
inline constexpr std::uint64_t kJoint = 5;
std::uint64_t open_end(std::uint8_t* dst, std::uint64_t size, std::uint64_t last_begin, std::uint64_t last_end);

// src as stored blocks, none of them the last.
std::uint64_t store_open(ByteView src, std::uint8_t* dst);

}  // namespace haagenti::deflate
