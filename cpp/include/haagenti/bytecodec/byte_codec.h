// Byte codecs that compress one chunk of a segment, as one constexpr table.
// Not responsible for streams, files or detecting formats. Format: cpp/src/bytecodec/spec.md.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "haagenti/base/bytes.h"

namespace haagenti {

enum class CodecId : std::uint16_t {
#define HGT_CODEC(symbol, name, wire, version) symbol = wire,
#include "haagenti/bytecodec/codecs.def"
#undef HGT_CODEC
};

// What the codec itself knows; id, name and version are the table's.
struct ByteCodecFunctions {
  // Most bytes that `compress` may write for n_bytes of input.
  std::uint64_t (*bound)(std::uint64_t n_bytes);
  // Returns the bytes written to dst, which holds bound(src.size()).
  std::uint64_t (*compress)(ByteView src, std::uint8_t* dst, int level);
  // Fills dst exactly, or throws Corrupt / Truncated.
  void (*decompress_into)(ByteView src, MutableByteView dst);
  // Version of the library behind it; empty without one.
  std::string_view library_version;
};

struct ByteCodec {
  CodecId id;
  std::string_view name;
  std::uint16_t version;
  ByteCodecFunctions functions;
};

std::span<const ByteCodec> byte_codec_table();

// Throws Unsupported naming id and version.
const ByteCodec& byte_codec_from_wire(std::uint16_t id, std::uint16_t version);
const ByteCodec& byte_codec(CodecId id);

}  // namespace haagenti
