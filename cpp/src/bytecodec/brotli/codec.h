// The parts of the brotli codec, one source file each.
#pragma once

#include <memory>

#include "haagenti/bytecodec/compressor.h"
#include "haagenti/bytecodec/decompressor.h"

namespace haagenti::brotli {

inline constexpr int kWindowBits = 22;  // the default of the library

std::unique_ptr<Compressor> make_compressor(const CompressOptions& options);
std::unique_ptr<Decompressor> make_decompressor(const DecompressOptions& options);
std::unique_ptr<Encoder> make_encoder(const CompressOptions& options);
std::unique_ptr<Decoder> make_decoder(const DecompressOptions& options);

}  // namespace haagenti::brotli
