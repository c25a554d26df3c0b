#include "bytecodec/zstd/frame.h"

#include <algorithm>
#include <bit>

#include <zstd.h>

namespace haagenti::zstd {
namespace {

constexpr std::uint8_t kSingleSegment = 0x20;  // RFC 8878, 3.1.1.1.1: no window descriptor, the window is the content

bool agrees(ByteView src, std::uint32_t magic, std::uint32_t mask) {
  std::uint8_t wanted[kMagicSize];
  std::uint8_t compared[kMagicSize];
  store_le(wanted, magic);
  store_le(compared, mask);
  for (std::size_t i = 0; i < std::min(src.size(), kMagicSize); ++i) {
    if ((src[i] & compared[i]) != wanted[i]) return false;
  }
  return true;
}

}  // namespace

NextFrame begins_frame(ByteView src) {
  if (!agrees(src, kFrameMagic, ~0u) && !agrees(src, kSkippableMagic, kSkippableMask)) return NextFrame::kNo;
  return src.size() < kMagicSize ? NextFrame::kNeedMore : NextFrame::kYes;
}

unsigned window_log(ByteView header) {
  if (header.size() < kMagicSize + 2) return 0;
  if (header[kMagicSize] & kSingleSegment) {
    const unsigned long long content = ZSTD_getFrameContentSize(header.data(), header.size());
    return content >= ZSTD_CONTENTSIZE_ERROR || content == 0 ? 0 : static_cast<unsigned>(std::bit_width(content - 1));
  }
  // RFC 8878, 3.1.1.1.2: five bits of exponent, three of mantissa.
  const unsigned descriptor = header[kMagicSize + 1];
  return 10 + (descriptor >> 3) + ((descriptor & 7) != 0);
}

}  // namespace haagenti::zstd
