// The Decompressor of the three formats.
#pragma once

#include "bytecodec/deflate/wrapper.h"
#include "haagenti/bytecodec/decompressor.h"

namespace haagenti::deflate {

std::unique_ptr<Decompressor> make_decompressor(Wrapper wrapper, const DecompressOptions& options);

}  // namespace haagenti::deflate
