// zlib's compressor: for streams, and for whole buffers with a dictionary.
#pragma once

#include "bytecodec/deflate/wrapper.h"
#include "haagenti/bytecodec/compressor.h"

namespace haagenti::deflate {

// Levels 0 to 9.
std::unique_ptr<Encoder> make_encoder(Wrapper wrapper, const CompressOptions& options);
std::unique_ptr<Compressor> make_dictionary_compressor(Wrapper wrapper, const CompressOptions& options);

}  // namespace haagenti::deflate
