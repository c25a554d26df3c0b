#include "bytecodec/deflate/header.h"

#include <libdeflate.h>

#include <algorithm>
#include <cstring>

#include "haagenti/base/error.h"

namespace haagenti::deflate {
namespace {

// RFC 1952, 2.3.1.
constexpr unsigned kHasCrc = 2;
constexpr unsigned kHasExtra = 4;
constexpr unsigned kHasName = 8;
constexpr unsigned kHasComment = 16;
constexpr unsigned kReserved = 0xe0;
constexpr std::size_t kGzipFixedSize = 10;

constexpr std::size_t kZlibFixedSize = 2;
constexpr unsigned kHasDictionary = 32;  // RFC 1950, 2.2

constexpr std::uint32_t subfield_id(char first, char second) {
  return static_cast<std::uint32_t>(static_cast<unsigned char>(first)) | static_cast<std::uint32_t>(static_cast<unsigned char>(second)) << 8;
}

}  // namespace

void HeaderParser::reset() {
  enter(wrapper_ == Wrapper::kNone ? State::kDone : State::kFixed);
  begun_ = has_crc_ = false;
  flags_ = 0;
  subfield_at_ = 0;
  member_size_ = 0;
  dictionary_id_.reset();
}

std::size_t HeaderParser::feed(ByteView src, std::uint64_t offset) {
  if (!begun_ && !src.empty()) {
    begin_ = offset;
    begun_ = true;
  }
  ByteView rest = src;
  while (!done() && run_state(rest)) continue;
  return src.size() - rest.size();
}

// False when the field needs more input.
bool HeaderParser::run_state(ByteView& rest) {
  switch (state_) {
    case State::kFixed:
      if (!gather(rest, wrapper_ == Wrapper::kGzip ? kGzipFixedSize : kZlibFixedSize)) {
        check_magic();
        return false;
      }
      wrapper_ == Wrapper::kGzip ? read_gzip_fixed() : read_zlib_fixed();
      return true;
    case State::kExtraSize:
      if (!gather(rest, 2)) return false;
      extra_left_ = load_le<std::uint16_t>(field_.data());
      enter(State::kExtra);
      return true;
    case State::kExtra: return skip_extra(rest);
    case State::kName:
    case State::kComment: return skip_text(rest);
    case State::kCrc:
      if (!gather(rest, 2)) return false;
      check_crc();
      enter(State::kDone);
      return true;
    case State::kDictionary:
      if (!gather(rest, 4)) return false;
      dictionary_id_ = __builtin_bswap32(load_le<std::uint32_t>(field_.data()));
      enter(State::kDone);
      return true;
    case State::kDone: break;
  }
  return true;
}

void HeaderParser::take(ByteView& rest, std::size_t n) {
  if (has_crc_ && state_ != State::kCrc) crc_ = libdeflate_crc32(crc_, rest.data(), n);
  rest = rest.subspan(n);
}

bool HeaderParser::gather(ByteView& rest, std::size_t n) {
  const std::size_t more = std::min(n - n_gathered_, rest.size());
  if (more > 0) {
    std::memcpy(field_.data() + n_gathered_, rest.data(), more);
    take(rest, more);
    n_gathered_ += more;
  }
  return n_gathered_ == n;
}

// Name and comment end with a zero byte.
bool HeaderParser::skip_text(ByteView& rest) {
  if (rest.empty()) return false;
  const void* end = std::memchr(rest.data(), 0, rest.size());
  if (end == nullptr) {
    take(rest, rest.size());
    return false;
  }
  take(rest, static_cast<std::size_t>(static_cast<const std::uint8_t*>(end) - rest.data()) + 1);
  enter_next_field();
  return true;
}

bool HeaderParser::skip_extra(ByteView& rest) {
  const std::size_t n = std::min(extra_left_, rest.size());
  for (std::size_t i = 0; i < n; ++i) read_extra_byte(rest[i]);
  if (n > 0) take(rest, n);
  extra_left_ -= n;
  if (extra_left_ > 0) return false;
  enter_next_field();
  return true;
}

// Subfields: two bytes of id, u16 size, contents (RFC 1952, 2.3.1.1).
void HeaderParser::read_extra_byte(std::uint8_t byte) {
  const std::size_t at = subfield_at_++;
  if (at == 0) subfield_id_ = subfield_size_ = subfield_value_ = 0;
  if (at < 2) {
    subfield_id_ |= static_cast<std::uint32_t>(byte) << (8 * at);
  } else if (at < 4) {
    subfield_size_ |= static_cast<std::uint32_t>(byte) << (8 * (at - 2));
  } else if (at < 8) {
    subfield_value_ |= static_cast<std::uint32_t>(byte) << (8 * (at - 4));
  }
  if (subfield_at_ < 4 || subfield_at_ < 4 + subfield_size_) return;
  if (subfield_id_ == subfield_id('H', 'G') && subfield_size_ == 4) member_size_ = subfield_value_;
  if (subfield_id_ == subfield_id('B', 'C') && subfield_size_ == 2) member_size_ = std::uint64_t{subfield_value_} + 1;
  subfield_at_ = 0;
}

// As far as the bytes have come: text is no gzip that ends too early.
void HeaderParser::check_magic() const {
  if (wrapper_ != Wrapper::kGzip) return;
  if ((n_gathered_ > 0 && field_[0] != 0x1f) || (n_gathered_ > 1 && field_[1] != 0x8b)) {
    fail(ErrorKind::kCorrupt, "gzip: a member begins with the bytes 1f 8b, these do not, at input offset ", begin_);
  }
}

void HeaderParser::read_gzip_fixed() {
  check_magic();
  if (field_[2] != 8) fail(ErrorKind::kCorrupt, "gzip: compression method ", int{field_[2]}, " is not 8 (deflate), at input offset ", begin_ + 2);
  flags_ = field_[3];
  if (flags_ & kReserved) fail(ErrorKind::kCorrupt, "gzip: reserved flags are set in the header, at input offset ", begin_ + 3);
  has_crc_ = (flags_ & kHasCrc) != 0;
  if (has_crc_) crc_ = libdeflate_crc32(0, field_.data(), kGzipFixedSize);
  enter_next_field();
}

void HeaderParser::read_zlib_fixed() {
  const bool is_deflate = (field_[0] & 0x0f) == 8 && (field_[0] >> 4) <= 7;
  if (!is_deflate || (field_[0] * 256 + field_[1]) % 31 != 0) fail(ErrorKind::kCorrupt, "zlib: incorrect header, at input offset ", begin_);
  enter(field_[1] & kHasDictionary ? State::kDictionary : State::kDone);
}

void HeaderParser::check_crc() const {
  if (load_le<std::uint16_t>(field_.data()) == (crc_ & 0xffff)) return;
  fail(ErrorKind::kCorrupt, "gzip: header checksum mismatch, in the member at input offset ", begin_);
}

void HeaderParser::enter(State state) {
  state_ = state;
  n_gathered_ = 0;
}

// The fields come in this order, each if its flag is set.
void HeaderParser::enter_next_field() {
  static constexpr std::pair<unsigned, State> kFields[] = {
      {kHasExtra, State::kExtraSize}, {kHasName, State::kName}, {kHasComment, State::kComment}, {kHasCrc, State::kCrc}};
  for (const auto& [flag, state] : kFields) {
    if ((flags_ & flag) == 0) continue;
    flags_ &= ~flag;
    return enter(state);
  }
  enter(State::kDone);
}

}  // namespace haagenti::deflate
