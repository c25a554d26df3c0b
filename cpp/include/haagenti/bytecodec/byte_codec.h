// The byte codecs as one table: what a chunk of a record is stored with, whole buffers, and streams.
// Not responsible for files, nor for what C libraries do. Formats: cpp/src/bytecodec/spec.md.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "haagenti/base/bytes.h"
#include "haagenti/bytecodec/compressor.h"
#include "haagenti/bytecodec/decompressor.h"

namespace haagenti {

enum class CodecId : std::uint16_t {
#define HGT_CODEC(symbol, name, wire, version) symbol = wire,
#include "haagenti/bytecodec/codecs.def"
#undef HGT_CODEC
};

// How a chunk of a record is stored; null functions where records do not use the codec.
struct ChunkFunctions {
  // Most bytes that `compress` may write for n_bytes of input.
  std::uint64_t (*bound)(std::uint64_t n_bytes) = nullptr;
  // Returns the bytes written to dst, which holds bound(src.size()).
  std::uint64_t (*compress)(ByteView src, std::uint8_t* dst, int level) = nullptr;
  // Fills dst exactly, or throws Corrupt / Truncated.
  void (*decompress_into)(ByteView src, MutableByteView dst) = nullptr;
};

// Levels as the library numbers them, and the ones the words stand for. `highest_streaming` is for
// an Encoder, and where there is a dictionary.
struct Levels {
  int lowest = 0;
  int highest = 0;
  int highest_streaming = 0;
  int fast = 0;
  int standard = 0;
  int best = 0;
};

enum class ChecksumChoice {
  kNever,     // the format has none
  kOptional,  // off unless asked for
  kAlways,    // part of the format
};

// What a codec can do for users who name it; `levels` and the rest mean nothing where `compressor` is null.
struct StreamFunctions {
  std::unique_ptr<Compressor> (*compressor)(const CompressOptions& options) = nullptr;
  std::unique_ptr<Decompressor> (*decompressor)(const DecompressOptions& options) = nullptr;
  std::unique_ptr<Encoder> (*encoder)(const CompressOptions& options) = nullptr;    // null: no streaming
  std::unique_ptr<Decoder> (*decoder)(const DecompressOptions& options) = nullptr;  // null with `encoder`
  Levels levels;
  ChecksumChoice checksum = ChecksumChoice::kNever;
  bool dictionary = false;
  bool threads = false;         // compresses with several threads
  bool parallel_decode = false;
  bool needs_size = false;      // decompress wants the size, or a bound of it, from the caller
  std::string_view suffix;      // of files, with the dot; empty: no convention
};

// What the codec itself knows; id, name and version are the table's.
struct ByteCodecFunctions {
  ChunkFunctions chunk;
  StreamFunctions stream;
  std::string_view library;          // names of the C libraries, such as "libdeflate, zlib"; empty without one
  std::string_view library_version;  // as `library`, in the same order
};

struct ByteCodec {
  CodecId id;
  std::string_view name;
  std::uint16_t version;
  ByteCodecFunctions functions;
};

std::span<const ByteCodec> byte_codec_table();

// The codec of a record's chunks. Throws Unsupported naming id and version.
const ByteCodec& byte_codec_from_wire(std::uint16_t id, std::uint16_t version);
const ByteCodec& byte_codec(CodecId id);

// Null when no codec has the name.
const ByteCodec* find_byte_codec(std::string_view name);

// The codec whose frame, member or stream begins with src: zstd, lz4, gzip or zlib, skippable frames skipped. Null when none is recognised.
const ByteCodec* detect_byte_codec(ByteView src);

}  // namespace haagenti
