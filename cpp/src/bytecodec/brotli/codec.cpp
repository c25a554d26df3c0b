// The row of brotli (RFC 7932) in the table of byte codecs.
#include "bytecodec/brotli/codec.h"

#include <brotli/decode.h>
#include <brotli/encode.h>

#include <string>

#include "haagenti/base/error.h"
#include "haagenti/bytecodec/byte_codec.h"

namespace haagenti {
namespace {

// brotli/decode.h: 8 bits of major version, 12 of minor, 12 of patch.
std::string version_text(std::uint32_t version) { return concat(version >> 24, ".", version >> 12 & 0xfff, ".", version & 0xfff); }

}  // namespace

ByteCodecFunctions brotli_codec() {
  static const std::string version = version_text(BrotliEncoderVersion());
  StreamFunctions stream;
  stream.compressor = brotli::make_compressor;
  stream.decompressor = brotli::make_decompressor;
  stream.encoder = brotli::make_encoder;
  stream.decoder = brotli::make_decoder;
  stream.levels = {.lowest = BROTLI_MIN_QUALITY,
                   .highest = BROTLI_MAX_QUALITY,
                   .highest_streaming = BROTLI_MAX_QUALITY,
                   .fast = 1,
                   .standard = BROTLI_DEFAULT_QUALITY,
                   .best = BROTLI_MAX_QUALITY};
  stream.suffix = ".br";
  return {.chunk = {}, .stream = stream, .library = "brotli", .library_version = version};
}

}  // namespace haagenti
