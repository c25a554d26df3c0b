// The rows of lz4, lz4hc and lz4_block.
#include <lz4.h>

#include "bytecodec/chunk/chunk.h"
#include "bytecodec/lz4/lz4.h"

namespace haagenti {
namespace {

// As LZ4F numbers them: below 0 acceleration, 0 to 2 the fast mode, from 3 on the high-compression one.
constexpr Levels kAllLevels{.lowest = -65536, .highest = 12, .highest_streaming = 12, .fast = -7, .standard = 0, .best = 12};
constexpr Levels kHighLevels{.lowest = 3, .highest = 12, .highest_streaming = 12, .fast = 3, .standard = 9, .best = 12};

StreamFunctions frame_functions(const Levels& levels) {
  return {.compressor = lz4_frame_compressor,
          .decompressor = lz4_frame_decompressor,
          .encoder = lz4_frame_encoder,
          .decoder = lz4_frame_decoder,
          .levels = levels,
          .checksum = ChecksumChoice::kOptional,
          .dictionary = true,
          .threads = true,
          .parallel_decode = true,
          .needs_size = false,
          .suffix = ".lz4"};
}

StreamFunctions block_functions() {
  StreamFunctions functions;
  functions.compressor = lz4_block_compressor;
  functions.decompressor = lz4_block_decompressor;
  functions.levels = kAllLevels;
  functions.dictionary = true;
  functions.needs_size = true;
  return functions;
}

ByteCodecFunctions of_library(const ChunkFunctions& chunk, const StreamFunctions& stream) {
  return {.chunk = chunk, .stream = stream, .library = "lz4", .library_version = LZ4_versionString()};
}

}  // namespace

ByteCodecFunctions lz4_codec() { return of_library(lz4_chunk(), frame_functions(kAllLevels)); }
ByteCodecFunctions lz4hc_codec() { return of_library({}, frame_functions(kHighLevels)); }
ByteCodecFunctions lz4_block_codec() { return of_library({}, block_functions()); }

}  // namespace haagenti
