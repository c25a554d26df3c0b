// What codec.cpp puts into the rows of the table: the frame's and the block's objects, one source file each.
#pragma once

#include <memory>

#include "haagenti/bytecodec/byte_codec.h"

namespace haagenti {

std::unique_ptr<Compressor> lz4_frame_compressor(const CompressOptions& options);
std::unique_ptr<Encoder> lz4_frame_encoder(const CompressOptions& options);
std::unique_ptr<Decompressor> lz4_frame_decompressor(const DecompressOptions& options);
std::unique_ptr<Decoder> lz4_frame_decoder(const DecompressOptions& options);

std::unique_ptr<Compressor> lz4_block_compressor(const CompressOptions& options);
std::unique_ptr<Decompressor> lz4_block_decompressor(const DecompressOptions& options);

}  // namespace haagenti
