// The table of byte codecs and its look-ups.
#include "bytecodec/chunk/chunk.h"
#include "haagenti/base/error.h"
#include "haagenti/bytecodec/byte_codec.h"

namespace haagenti {

#define HGT_CODEC(symbol, name, wire, version) ByteCodecFunctions name##_codec();
#include "haagenti/bytecodec/codecs.def"
#undef HGT_CODEC

ByteCodecFunctions none_codec() { return {.chunk = none_chunk(), .stream = {}, .library = "", .library_version = ""}; }

std::span<const ByteCodec> byte_codec_table() {
  static const ByteCodec table[] = {
#define HGT_CODEC(symbol, name, wire, version) {CodecId::symbol, #name, version, name##_codec()},
#include "haagenti/bytecodec/codecs.def"
#undef HGT_CODEC
  };
  return table;
}

const ByteCodec& byte_codec_from_wire(std::uint16_t id, std::uint16_t version) {
  for (const ByteCodec& codec : byte_codec_table()) {
    const bool of_records = codec.functions.chunk.compress != nullptr;
    if (of_records && static_cast<std::uint16_t>(codec.id) == id && codec.version == version) return codec;
  }
  fail(ErrorKind::kUnsupported, "byte codec id ", id, " version ", version, " is not known to this build");
}

const ByteCodec& byte_codec(CodecId id) {
  for (const ByteCodec& codec : byte_codec_table()) {
    if (codec.id == id) return codec;
  }
  fail(ErrorKind::kUnsupported, "byte codec id ", static_cast<int>(id), " is not in the table");
}

const ByteCodec* find_byte_codec(std::string_view name) {
  for (const ByteCodec& codec : byte_codec_table()) {
    if (codec.name == name) return &codec;
  }
  return nullptr;
}

}  // namespace haagenti
