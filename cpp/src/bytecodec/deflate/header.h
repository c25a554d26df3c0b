// Reads the header of a gzip member or a zlib stream, in parts of any size. Not responsible for input that ends within it.
#pragma once

#include <array>
#include <optional>

#include "bytecodec/deflate/wrapper.h"

namespace haagenti::deflate {

class HeaderParser {
 public:
  explicit HeaderParser(Wrapper wrapper) : wrapper_(wrapper) { reset(); }

  void reset();
  bool done() const { return state_ == State::kDone; }
  // Takes what of src belongs to the header; src[0] is at `offset` of the input. Throws Corrupt.
  std::size_t feed(ByteView src, std::uint64_t offset);

  // Of the whole gzip member, as a subfield HG or BC claims it; 0 without one.
  std::uint64_t member_size() const { return member_size_; }
  // Adler-32 of the dictionary that a zlib stream was compressed with.
  std::optional<std::uint32_t> dictionary_id() const { return dictionary_id_; }

 private:
  enum class State { kFixed, kExtraSize, kExtra, kName, kComment, kCrc, kDictionary, kDone };

  bool run_state(ByteView& rest);
  bool gather(ByteView& rest, std::size_t n);
  void take(ByteView& rest, std::size_t n);
  bool skip_text(ByteView& rest);
  bool skip_extra(ByteView& rest);
  void read_extra_byte(std::uint8_t byte);
  void check_magic() const;
  void read_gzip_fixed();
  void read_zlib_fixed();
  void check_crc() const;
  void enter(State state);
  void enter_next_field();

  const Wrapper wrapper_;
  State state_ = State::kDone;
  std::array<std::uint8_t, 10> field_{};  // the field being gathered
  std::size_t n_gathered_ = 0;
  std::uint64_t begin_ = 0;  // offset of the header
  bool begun_ = false;
  unsigned flags_ = 0;  // of the fields still to come
  bool has_crc_ = false;
  std::uint32_t crc_ = 0;
  std::size_t extra_left_ = 0;
  std::size_t subfield_at_ = 0;  // bytes of the subfield seen
  std::uint32_t subfield_id_ = 0;
  std::uint32_t subfield_size_ = 0;
  std::uint32_t subfield_value_ = 0;  // its first four bytes
  std::uint64_t member_size_ = 0;
  std::optional<std::uint32_t> dictionary_id_;
};

}  // namespace haagenti::deflate
