// The row of zstd in the table of byte codecs.
#include "bytecodec/zstd/codec.h"

#include "bytecodec/chunk/chunk.h"
#include "bytecodec/zstd/context.h"
#include "haagenti/bytecodec/byte_codec.h"

namespace haagenti {

ByteCodecFunctions zstd_codec() {
  const int highest = ZSTD_maxCLevel();
  StreamFunctions stream;
  stream.compressor = zstd::make_compressor;
  stream.decompressor = zstd::make_decompressor;
  stream.encoder = zstd::make_encoder;
  stream.decoder = zstd::make_decoder;
  stream.levels = {
      .lowest = ZSTD_minCLevel(), .highest = highest, .highest_streaming = highest, .fast = 1, .standard = 3, .best = highest};
  stream.checksum = ChecksumChoice::kOptional;
  stream.dictionary = true;
  stream.threads = zstd::has_workers();
  stream.parallel_decode = true;
  stream.suffix = ".zst";
  return {.chunk = zstd_chunk(), .stream = stream, .library = "zstd", .library_version = ZSTD_versionString()};
}

}  // namespace haagenti
