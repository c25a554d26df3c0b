#include "bytecodec/zstd/frame_walk.h"

#include <algorithm>
#include <limits>

#include "bytecodec/zstd/frame.h"
#include "haagenti/base/checked.h"

namespace haagenti::zstd {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;
constexpr std::uint64_t kBlockHeader = 3;
constexpr std::uint64_t kChecksum = 4;
constexpr std::uint64_t kSkippableHeader = 8;

std::uint64_t proportion(std::uint64_t n_bytes, std::uint64_t factor) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  const auto product = checked_mul(n_bytes, factor);
  return product ? checked_add(*product, kMiB).value_or(kMost) : kMost;
}

// RFC 8878, 3.1.1.1: sizes of the fields that the frame header descriptor announces.
constexpr std::size_t kContentSizes[] = {0, 2, 4, 8};
constexpr std::size_t kIdSizes[] = {0, 1, 2, 4};
constexpr std::uint8_t kChecksumFlag = 4;

// RFC 8878, 3.1.1.1.4.
std::uint64_t load_content(const std::uint8_t* field, std::size_t size) {
  switch (size) {
    case 1: return *field;
    case 2: return std::uint64_t{load_le<std::uint16_t>(field)} + 256;
    case 4: return load_le<std::uint32_t>(field);
    default: return load_le<std::uint64_t>(field);
  }
}

// RFC 8878, 3.1.1.1.2.
std::uint64_t load_window(std::uint8_t descriptor) {
  const std::uint64_t base = std::uint64_t{1} << (10 + (descriptor >> 3));
  return base + base / 8 * (descriptor & 7);
}

// Sets frame.content and, to the most that a block may hold (3.1.1.2.4), block_max. Returns the size of the header; 0 where src ends before
// it does.
std::size_t read_header(ByteView src, Frame& frame, std::uint64_t& block_max) {
  if (src.size() <= kMagicSize) return 0;
  const std::uint8_t descriptor = src[kMagicSize];
  const bool single_segment = (descriptor & 0x20) != 0;
  const unsigned content_flag = descriptor >> 6;
  const std::size_t content = content_flag == 0 && single_segment ? 1 : kContentSizes[content_flag];
  const std::size_t size = kMagicSize + 1 + (single_segment ? 0 : 1) + kIdSizes[descriptor & 3] + content;
  if (src.size() < size) return 0;
  if (content != 0) frame.content = load_content(src.data() + size - content, content);
  block_max = std::min(kBlockMax, single_segment ? *frame.content : load_window(src[kMagicSize + 1]));
  return size;
}

// RFC 8878, 3.1.1.2: from block header to block header. Leaves the extent 0 where src ends before the frame, no block is of such a type,
// or one is too large: whole buffers would read it, streams do not.
void read_blocks(ByteView src, std::size_t at, std::uint64_t block_max, Frame& frame) {
  for (bool last = false; !last;) {
    if (src.size() - at < kBlockHeader) return;
    const std::uint32_t header = src[at] | static_cast<std::uint32_t>(src[at + 1]) << 8 | static_cast<std::uint32_t>(src[at + 2]) << 16;
    const std::uint32_t type = header >> 1 & 3;  // 0 raw, 1 one byte repeated, 2 compressed
    const std::uint32_t size = header >> 3;
    const std::uint32_t stored = type == 1 ? 1 : size;
    if (type == 3 || size > block_max || src.size() - at - kBlockHeader < stored) return;
    frame.most += type == 2 ? kBlockMax : size;
    at += kBlockHeader + stored;
    last = (header & 1) != 0;
  }
  if (src[kMagicSize] & kChecksumFlag) at += kChecksum;
  if (at <= src.size()) frame.extent = at;
}

void read_skippable(ByteView src, Frame& frame) {
  frame.skippable = true;
  if (src.size() < kSkippableHeader) return;
  const std::uint64_t extent = kSkippableHeader + load_le<std::uint32_t>(src.data() + kMagicSize);
  if (extent <= src.size()) frame.extent = extent;
}

}  // namespace

std::uint64_t earned_by(std::uint64_t n_bytes) { return proportion(n_bytes, 1024); }
std::uint64_t believed_by(std::uint64_t n_bytes) { return proportion(n_bytes, 16); }

Frame frame_at(ByteView src, std::uint64_t offset) {
  const ByteView rest = src.subspan(offset);
  Frame frame;
  frame.offset = offset;
  if (begins_zstd_frame(rest)) {
    std::uint64_t block_max = 0;
    if (const std::size_t header = read_header(rest, frame, block_max); header != 0) read_blocks(rest, header, block_max, frame);
  } else if (begins_skippable_frame(rest)) {
    read_skippable(rest, frame);
  }
  return frame;
}

Walk walk_frames(ByteView src) {
  Walk walk;
  for (std::uint64_t index = 0; walk.extent < src.size(); ++index) {
    if (index > 0 && begins_frame(src.subspan(walk.extent)) != NextFrame::kYes) break;
    const Frame frame = frame_at(src, walk.extent);
    if (frame.extent == 0) return {};
    walk.extent += frame.extent;
    if (frame.skippable) continue;
    if (!frame.content || *frame.content > earned_by(frame.extent)) return {};
    const auto content = checked_add(walk.content, *frame.content);
    if (!content) return {};
    walk.frames.push_back(frame);
    walk.indices.push_back(index);
    walk.positions.push_back(walk.content);
    walk.content = *content;
  }
  return walk;
}

}  // namespace haagenti::zstd
