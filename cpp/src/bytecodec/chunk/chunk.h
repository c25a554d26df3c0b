// The forms of a record's chunk, one source file each.
#pragma once

#include "haagenti/bytecodec/byte_codec.h"

namespace haagenti {

ChunkFunctions none_chunk();
ChunkFunctions zstd_chunk();
ChunkFunctions lz4_chunk();

}  // namespace haagenti
