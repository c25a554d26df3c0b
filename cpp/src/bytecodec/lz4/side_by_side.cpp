#include "bytecodec/lz4/side_by_side.h"

#include <algorithm>
#include <mutex>

#include "haagenti/base/executor.h"

namespace haagenti::lz4 {
namespace {

constexpr std::uint64_t kWorthThreads = 256 * 1024;  // bytes of output; starting a thread takes as long as decoding some tens of KiB

struct Unusual {};

// A checksum of parts that are ready in any order: the thread that finds the next part ready goes on with it.
class OrderedChecksum {
 public:
  OrderedChecksum(Xxh32& checksum, std::size_t n_parts) : checksum_(checksum), parts_(n_parts) {}

  void add(std::size_t index, ByteView part) {
    std::unique_lock lock(mutex_);
    parts_[index] = part;
    if (busy_) return;
    busy_ = true;
    while (next_ < parts_.size() && parts_[next_].data() != nullptr) {
      const ByteView ready = parts_[next_++];
      lock.unlock();
      checksum_.update(ready);
      lock.lock();
    }
    busy_ = false;
  }

 private:
  Xxh32& checksum_;
  std::mutex mutex_;
  std::vector<ByteView> parts_;
  std::size_t next_ = 0;
  bool busy_ = false;
};

}  // namespace

bool can_go_side_by_side(const FrameHeader& header, const std::vector<Block>& blocks, std::size_t n_dst) {
  if (!header.independent || blocks.size() < 2 || n_dst < kWorthThreads) return false;
  // All but the last are full, and the last is not known to be empty.
  return blocks.size() - 1 <= (n_dst - 1) / header.block_max;
}

std::optional<std::uint64_t> unpack_side_by_side(const FrameHeader& header, const std::vector<Block>& blocks, ByteView window,
                                                 MutableByteView dst, std::uint32_t threads, Xxh32* checksum) {
  const std::size_t last = blocks.size() - 1;
  std::size_t last_size = 0;
  std::optional<OrderedChecksum> ordered;
  if (checksum != nullptr) ordered.emplace(*checksum, blocks.size());
  try {
    parallel_for_on(threads, blocks.size(), [&](std::size_t index, std::size_t) {
      const std::size_t begin = index * header.block_max;
      const MutableByteView place = dst.subspan(begin, std::min<std::size_t>(header.block_max, dst.size() - begin));
      if (!block_checksum_matches(blocks[index])) throw Unusual();
      const Unpacked unpacked = unpack(blocks[index], window, place);
      if (!unpacked.ok || (index < last && unpacked.size != header.block_max)) throw Unusual();
      if (index == last) last_size = unpacked.size;
      if (ordered) ordered->add(index, place.first(unpacked.size));
    });
  } catch (const Unusual&) {
    return std::nullopt;
  }
  return last * header.block_max + last_size;
}

}  // namespace haagenti::lz4
