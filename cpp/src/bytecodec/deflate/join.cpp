#include "bytecodec/deflate/join.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "bytecodec/deflate/block_walk.h"
#include "haagenti/base/checked.h"
#include "haagenti/base/error.h"

namespace haagenti::deflate {
namespace {

constexpr std::uint64_t kStoredMost = 65535;  // bytes of one stored block
constexpr std::uint64_t kStoredHeader = 5;

std::uint64_t stored_bound(std::uint64_t n_bytes) { return n_bytes + ceil_div(n_bytes, kStoredMost) * kStoredHeader; }

// Of one part, with what follows it while it is walked.
std::uint64_t part_bound(std::uint64_t n_bytes) {
  return std::max<std::uint64_t>(libdeflate_deflate_compress_bound(nullptr, n_bytes), stored_bound(n_bytes)) + kJoint + kWalkPadding;
}

struct Part {
  ByteView src;
  std::uint8_t* dst = nullptr;
  std::uint64_t size = 0;
};

}  // namespace

std::uint64_t joined_bound(std::uint64_t n_bytes) {
  const std::uint64_t rest = n_bytes % kPartSize;
  return n_bytes / kPartSize * part_bound(kPartSize) + (rest > 0 ? part_bound(rest) : 0);
}

std::uint64_t open_end(std::uint8_t* dst, std::uint64_t size, std::uint64_t last_begin, std::uint64_t last_end) {
  dst[last_begin / 8] = static_cast<std::uint8_t>(dst[last_begin / 8] & ~(1u << (last_begin % 8)));
  // An empty stored block aligns the end: its three header bits are zeros, and so are the bits up to the byte.
  if (last_end % 8 != 0) dst[size - 1] = static_cast<std::uint8_t>(dst[size - 1] & ((1u << (last_end % 8)) - 1));
  const bool fits = last_end + 3 <= size * 8;
  if (!fits) dst[size++] = 0;
  static constexpr std::uint8_t kLengthOfNone[] = {0x00, 0x00, 0xff, 0xff};
  std::memcpy(dst + size, kLengthOfNone, sizeof kLengthOfNone);
  return size + sizeof kLengthOfNone;
}

std::uint64_t store_open(ByteView src, std::uint8_t* dst) {
  std::uint64_t written = 0;
  for (std::uint64_t at = 0; at < src.size();) {
    const auto n = std::min<std::uint64_t>(kStoredMost, src.size() - at);
    dst[written] = 0;
    store_le(dst + written + 1, static_cast<std::uint16_t>(n));
    store_le(dst + written + 3, static_cast<std::uint16_t>(~n));
    std::memcpy(dst + written + kStoredHeader, src.data() + at, n);
    written += kStoredHeader + n;
    at += n;
  }
  return written;
}

std::uint64_t compress_joined(libdeflate_compressor* context, ByteView src, std::uint8_t* dst) {
  static_assert(kJoinedPieceSize == kWalksAtOnce * kPartSize);
  std::array<Part, kWalksAtOnce> parts;
  std::array<ByteView, kWalksAtOnce> streams;
  std::uint8_t* next = dst;
  for (std::size_t i = 0; i < kWalksAtOnce && i * kPartSize < src.size(); ++i) {
    Part& part = parts[i];
    part.src = src.subspan(i * kPartSize, std::min<std::uint64_t>(kPartSize, src.size() - i * kPartSize));
    part.dst = next;
    next += part_bound(part.src.size());
    part.size = libdeflate_deflate_compress(context, part.src.data(), part.src.size(), part.dst, part_bound(part.src.size()) - kJoint - kWalkPadding);
    std::memset(part.dst + part.size, 0, kWalkPadding);
    streams[i] = {part.dst, part.size};
  }
  const auto last_blocks = find_last_blocks(streams);
  std::uint64_t written = 0;
  for (std::size_t i = 0; i < kWalksAtOnce && !parts[i].src.empty(); ++i) {
    const Part& part = parts[i];
    // What cannot be walked is stored: never joined on trust.
    const std::uint64_t size = last_blocks[i] ? open_end(part.dst, part.size, last_blocks[i]->begin_bit, last_blocks[i]->end_bit)
                                              : store_open(part.src, part.dst);
    std::memmove(dst + written, part.dst, size);
    written += size;
  }
  return written;
}

}  // namespace haagenti::deflate
