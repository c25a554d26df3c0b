// What the first bytes of a frame say: which kind it is, and the fields of its header that messages name.
// Not responsible for blocks, nor for the frames of drafts older than RFC 8878: they are refused, whether the library knows them or not.
#pragma once

#include <cstdint>

#include "haagenti/base/bytes.h"
#include "haagenti/bytecodec/decompressor.h"

namespace haagenti::zstd {

inline constexpr std::uint32_t kFrameMagic = 0xfd2fb528;      // RFC 8878, 3.1.1
inline constexpr std::uint32_t kSkippableMagic = 0x184d2a50;  // RFC 8878, 3.1.2: a family of 16, the last four bits are free
inline constexpr std::uint32_t kSkippableMask = 0xfffffff0;
inline constexpr std::size_t kMagicSize = 4;
inline constexpr std::size_t kHeaderMax = 18;                 // RFC 8878, 3.1.1.1, with the magic number
inline constexpr std::uint64_t kBlockMax = 128 * 1024;        // RFC 8878, 3.1.1.2.4: most bytes that a block decodes to

// The log2 of the largest window that a stream may ask for: 128 MiB, the limit of the zstd command.
inline constexpr unsigned kWindowLogMax = 27;

inline bool begins_zstd_frame(ByteView src) { return src.size() >= kMagicSize && load_le<std::uint32_t>(src.data()) == kFrameMagic; }
inline bool begins_skippable_frame(ByteView src) {
  return src.size() >= kMagicSize && (load_le<std::uint32_t>(src.data()) & kSkippableMask) == kSkippableMagic;
}

// Whether a frame, skippable or not, begins with src (not empty); kNeedMore for a part of a magic number.
NextFrame begins_frame(ByteView src);

// The log2, rounded up, of the window that the header asks for; 0 where header ends before saying so.
unsigned window_log(ByteView header);

}  // namespace haagenti::zstd
