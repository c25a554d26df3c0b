// Decodes one LZ4 block, and keeps what the next one may refer to.
// Not responsible for finding blocks in a frame.
#pragma once

#include "haagenti/base/buffer.h"
#include "haagenti/base/bytes.h"
#include "haagenti/bytecodec/output.h"

namespace haagenti::lz4 {

struct Unpacked {
  bool ok;
  std::size_t size;  // bytes written; otherwise where in the block it cannot be read on
};

// Decodes a compressed block. window: up to 64 KiB that it may refer to, fastest where they end at dst.
Unpacked unpack(ByteView packed, ByteView window, MutableByteView dst);

// After unpack failed: whether dst was merely too small, and it is filled with a right beginning.
bool is_larger(ByteView packed, ByteView window, MutableByteView dst);

// Makes room for n more bytes as far as the limit allows. Never twice for the same bytes: at least doubles what is there.
void make_room(Output& out, std::uint64_t n);

// The last 64 KiB of a dictionary and what was decoded after it, for output that does not stay where it was written.
class Window {
 public:
  void reset(ByteView dictionary);
  void append(ByteView decoded);
  ByteView view() const { return {memory_.data() + begin_, size_ - begin_}; }

 private:
  Buffer memory_;  // twice 64 KiB, so that the last 64 KiB move only once in 64 KiB
  std::size_t begin_ = 0;
  std::size_t size_ = 0;
};

}  // namespace haagenti::lz4
