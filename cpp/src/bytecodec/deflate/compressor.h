// Whole buffers through libdeflate in one go, and the piece formats for several threads.
#pragma once

#include "bytecodec/deflate/wrapper.h"
#include "haagenti/bytecodec/compressor.h"
#include "haagenti/bytecodec/pieces.h"

namespace haagenti::deflate {

std::unique_ptr<Compressor> make_whole_compressor(Wrapper wrapper, int level);

// deflate, zlib: stretches of one stream (join.h).
std::unique_ptr<PieceFormat> make_joined_format(Wrapper wrapper, int level);
// gzip: members that say their sizes (spec.md).
std::unique_ptr<PieceFormat> make_member_format(int level);

}  // namespace haagenti::deflate
