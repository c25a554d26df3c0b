// Which format compressed bytes begin with.
#include "haagenti/bytecodec/byte_codec.h"

namespace haagenti {
namespace {

constexpr std::uint32_t kZstdMagic = 0xfd2fb528;       // RFC 8878, 3.1.1
constexpr std::uint32_t kLz4Magic = 0x184d2204;        // LZ4 frame format 1.6
constexpr std::uint32_t kLz4LegacyMagic = 0x184c2102;  // the same, legacy frame
constexpr std::uint32_t kSkippableMagic = 0x184d2a50;  // both: a family of 16, the last four bits are free
constexpr std::uint32_t kSkippableMask = 0xfffffff0;
constexpr std::size_t kSkippableHeader = 8;            // magic, size of what follows

// RFC 1950, 2.2: deflate with a window of at most 32 KiB; the two bytes are a multiple of 31.
bool is_zlib(ByteView src) { return (src[0] & 0x0f) == 8 && (src[0] >> 4) <= 7 && (src[0] * 256 + src[1]) % 31 == 0; }

// What follows the skippable frames in front. They belong to zstd and lz4 alike.
ByteView after_skippable(ByteView src) {
  while (src.size() >= kSkippableHeader && (load_le<std::uint32_t>(src.data()) & kSkippableMask) == kSkippableMagic) {
    const std::uint64_t extent = kSkippableHeader + std::uint64_t{load_le<std::uint32_t>(src.data() + 4)};
    if (extent > src.size()) break;
    src = src.subspan(extent);
  }
  return src;
}

}  // namespace

const ByteCodec* detect_byte_codec(ByteView src) {
  const ByteView frame = after_skippable(src);
  if (frame.empty()) return src.empty() ? nullptr : &byte_codec(CodecId::kZstd);
  if (frame.size() >= 4) {
    const auto magic = load_le<std::uint32_t>(frame.data());
    if (magic == kZstdMagic || (magic & kSkippableMask) == kSkippableMagic) return &byte_codec(CodecId::kZstd);
    if (magic == kLz4Magic || magic == kLz4LegacyMagic) return &byte_codec(CodecId::kLz4);
  }
  if (frame.size() != src.size() || frame.size() < 2) return nullptr;
  if (frame[0] == 0x1f && frame[1] == 0x8b) return &byte_codec(CodecId::kGzip);
  return is_zlib(frame) ? &byte_codec(CodecId::kZlib) : nullptr;
}

}  // namespace haagenti
