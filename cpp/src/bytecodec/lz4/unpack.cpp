#include "bytecodec/lz4/unpack.h"

#include <algorithm>
#include <climits>
#include <cstring>

#include <lz4.h>

#include "bytecodec/lz4/frame_header.h"

namespace haagenti::lz4 {
namespace {

const char* chars(const std::uint8_t* bytes) { return reinterpret_cast<const char*>(bytes); }

// liblz4 refuses an address of null even where no byte is written.
std::uint8_t nowhere = 0;

char* chars_of(MutableByteView dst) { return reinterpret_cast<char*>(dst.empty() ? &nowhere : dst.data()); }
int int_size(std::size_t size) { return static_cast<int>(std::min<std::size_t>(size, INT_MAX)); }

}  // namespace

Unpacked unpack(ByteView packed, ByteView window, MutableByteView dst) {
  if (packed.empty()) return {false, 0};
  const int result = LZ4_decompress_safe_usingDict(chars(packed.data()), chars_of(dst), int_size(packed.size()), int_size(dst.size()),
                                                   chars(window.data()), static_cast<int>(window.size()));
  if (result >= 0) return {true, static_cast<std::size_t>(result)};
  // lz4.c: the result is -1 - position.
  return {false, static_cast<std::size_t>(-(result + 1))};
}

bool is_larger(ByteView packed, ByteView window, MutableByteView dst) {
  if (packed.empty()) return false;
  if (dst.empty()) return packed.size() > 1;  // a byte of 0 is an empty block
  const int n_dst = int_size(dst.size());
  const int result = LZ4_decompress_safe_partial_usingDict(chars(packed.data()), chars_of(dst), int_size(packed.size()), n_dst, n_dst,
                                                           chars(window.data()), static_cast<int>(window.size()));
  return result == n_dst;
}

void make_room(Output& out, std::uint64_t n) {
  n = std::min<std::uint64_t>(n, out.limit() - out.size());
  if (n <= out.room().size()) return;
  if (n < out.capacity() && out.size() + n < 2 * out.capacity()) {
    out.grow();
  } else {
    out.reserve(n);
  }
}

void Window::reset(ByteView dictionary) {
  begin_ = size_ = 0;
  append(dictionary);
}

void Window::append(ByteView decoded) {
  if (decoded.empty()) return;
  if (memory_.size() == 0) memory_ = Buffer(2 * kWindowBytes);
  if (decoded.size() >= kWindowBytes) {
    decoded = decoded.last(kWindowBytes);
    size_ = 0;
  } else if (decoded.size() > memory_.size() - size_) {
    const std::size_t kept = std::min(size_, kWindowBytes);
    std::memmove(memory_.data(), memory_.data() + size_ - kept, kept);
    size_ = kept;
  }
  std::memcpy(memory_.data() + size_, decoded.data(), decoded.size());
  size_ += decoded.size();
  begin_ = size_ - std::min(size_, kWindowBytes);
}

}  // namespace haagenti::lz4
