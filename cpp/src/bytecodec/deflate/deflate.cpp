// The rows of deflate, zlib and gzip.
#include <libdeflate.h>
#include <zlib.h>

#ifdef HAAGENTI_HAVE_ISAL
#include <isa-l.h>
#endif

#include "bytecodec/deflate/compressor.h"
#include "bytecodec/deflate/decompressor.h"
#include "bytecodec/deflate/stream_decoder.h"
#include "bytecodec/deflate/zlib_deflater.h"
#include "haagenti/base/error.h"
#include "haagenti/bytecodec/byte_codec.h"

namespace haagenti {
namespace {

using deflate::Wrapper;

std::unique_ptr<PieceFormat> piece_format(Wrapper wrapper, int level) {
  return wrapper == Wrapper::kGzip ? deflate::make_member_format(level) : deflate::make_joined_format(wrapper, level);
}

// A dictionary is for the beginning of one stream: no pieces then.
bool in_pieces(const CompressOptions& options) { return options.threads > 1 && !options.dictionary; }

template <Wrapper kWrapper>
std::unique_ptr<Compressor> compressor(const CompressOptions& options) {
  if (options.dictionary) return deflate::make_dictionary_compressor(kWrapper, options);
  if (in_pieces(options)) return piece_compressor(piece_format(kWrapper, options.level), options.threads);
  return deflate::make_whole_compressor(kWrapper, options.level);
}

template <Wrapper kWrapper>
std::unique_ptr<Encoder> encoder(const CompressOptions& options) {
  if (in_pieces(options)) return piece_encoder(piece_format(kWrapper, options.level), options.threads);
  return deflate::make_encoder(kWrapper, options);
}

template <Wrapper kWrapper>
std::unique_ptr<Decompressor> decompressor(const DecompressOptions& options) {
  return deflate::make_decompressor(kWrapper, options);
}

template <Wrapper kWrapper>
std::unique_ptr<Decoder> decoder(const DecompressOptions& options) {
  return deflate::make_stream_decoder(kWrapper, options.dictionary);
}

std::string_view libraries() {
#ifdef HAAGENTI_HAVE_ISAL
  return "libdeflate, zlib, isa-l";
#else
  return "libdeflate, zlib";
#endif
}

// libdeflate and ISA-L tell the version they were compiled against only.
std::string_view versions() {
  static const std::string text = [] {
    std::string versions = concat(LIBDEFLATE_VERSION_STRING, ", ", zlibVersion());
#ifdef HAAGENTI_HAVE_ISAL
    versions += concat(", ", ISAL_MAJOR_VERSION, ".", ISAL_MINOR_VERSION, ".", ISAL_PATCH_VERSION);
#endif
    return versions;
  }();
  return text;
}

template <Wrapper kWrapper>
ByteCodecFunctions functions(std::string_view suffix) {
  constexpr bool kIsGzip = kWrapper == Wrapper::kGzip;
  return {.chunk = {},
          .stream = {.compressor = compressor<kWrapper>,
                     .decompressor = decompressor<kWrapper>,
                     .encoder = encoder<kWrapper>,
                     .decoder = decoder<kWrapper>,
                     .levels = {.lowest = 0, .highest = 12, .highest_streaming = 9, .fast = 1, .standard = 6, .best = 12},
                     .checksum = kWrapper == Wrapper::kNone ? ChecksumChoice::kNever : ChecksumChoice::kAlways,
                     .dictionary = !kIsGzip,
                     .threads = true,
                     .parallel_decode = kIsGzip,
                     .needs_size = false,
                     .suffix = suffix},
          .library = libraries(),
          .library_version = versions()};
}

}  // namespace

ByteCodecFunctions deflate_codec() { return functions<Wrapper::kNone>(""); }
ByteCodecFunctions zlib_codec() { return functions<Wrapper::kZlib>(""); }
ByteCodecFunctions gzip_codec() { return functions<Wrapper::kGzip>(".gz"); }

}  // namespace haagenti
