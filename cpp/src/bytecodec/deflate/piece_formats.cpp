// Pieces: stretches of one Deflate stream for deflate and zlib, members for gzip. spec.md says what the bytes are.
#include <zlib.h>

#include <cstring>

#include "bytecodec/deflate/compressor.h"
#include "bytecodec/deflate/join.h"
#include "haagenti/base/error.h"

namespace haagenti::deflate {
namespace {

class JoinedPieceCompressor final : public PieceCompressor {
 public:
  JoinedPieceCompressor(Wrapper wrapper, int level) : wrapper_(wrapper), context_(make_libdeflate_compressor(level)) {}

  Piece compress(ByteView src, std::uint8_t* dst) override {
    return {compress_joined(context_.get(), src, dst), update_checksum(wrapper_, initial_checksum(wrapper_), src)};
  }

 private:
  const Wrapper wrapper_;
  LibdeflateCompressor context_;
};

class JoinedFormat final : public PieceFormat {
 public:
  JoinedFormat(Wrapper wrapper, int level) : wrapper_(wrapper), level_(level) {}

  std::uint64_t piece_size() const override { return kJoinedPieceSize; }
  std::uint64_t piece_bound(std::uint64_t n_bytes) const override { return joined_bound(n_bytes); }
  std::uint64_t frame_bound() const override { return 8; }  // zlib: 2 of header, 2 of last block, 4 of checksum
  std::unique_ptr<PieceCompressor> make_compressor() const override { return std::make_unique<JoinedPieceCompressor>(wrapper_, level_); }

  void begin(std::vector<std::uint8_t>& dst, std::optional<std::uint64_t>) override {
    checksum_ = initial_checksum(wrapper_);
    if (wrapper_ != Wrapper::kZlib) return;
    // RFC 1950, 2.2: deflate with a 32 KiB window; the level in two bits; the whole a multiple of 31.
    const unsigned level = level_ < 2 ? 0 : level_ < 6 ? 1 : level_ < 8 ? 2 : 3;
    const unsigned header = 0x7800 | level << 6;
    const unsigned checked = header + 31 - header % 31;
    dst.push_back(static_cast<std::uint8_t>(checked >> 8));
    dst.push_back(static_cast<std::uint8_t>(checked & 0xff));
  }

  void absorb(ByteView src, const Piece& piece) override {
    if (wrapper_ != Wrapper::kZlib) return;
    checksum_ = static_cast<std::uint32_t>(adler32_combine(checksum_, piece.checksum, static_cast<z_off_t>(src.size())));
  }

  void end(std::vector<std::uint8_t>& dst) override {
    dst.insert(dst.end(), {0x03, 0x00});  // the last block, with fixed codes and nothing in it
    if (wrapper_ != Wrapper::kZlib) return;
    for (int shift = 24; shift >= 0; shift -= 8) dst.push_back(static_cast<std::uint8_t>(checksum_ >> shift & 0xff));
  }

 private:
  const Wrapper wrapper_;
  const int level_;
  std::uint32_t checksum_ = 0;
};

constexpr std::uint64_t kMemberPieceSize = 1024 * 1024;
constexpr std::uint64_t kMemberHeader = 20;
constexpr std::uint64_t kMemberTrailer = 8;
constexpr std::uint8_t kHeaderBegin[16] = {
    0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255,  // deflate, an extra field, no time, operating system unknown
    8, 0, 'H', 'G', 4, 0,                  // the extra field: one subfield of four bytes
};

// Writes what is around a member whose body lies at dst + kMemberHeader. Returns its size.
std::uint64_t wrap_member(std::uint8_t* dst, std::uint64_t body_size, std::uint32_t crc, std::uint64_t n_bytes) {
  const std::uint64_t size = kMemberHeader + body_size + kMemberTrailer;
  std::memcpy(dst, kHeaderBegin, sizeof kHeaderBegin);
  store_le(dst + sizeof kHeaderBegin, static_cast<std::uint32_t>(size));
  store_le(dst + kMemberHeader + body_size, crc);
  store_le(dst + kMemberHeader + body_size + 4, static_cast<std::uint32_t>(n_bytes));
  return size;
}

std::uint64_t body_bound(std::uint64_t n_bytes) { return libdeflate_deflate_compress_bound(nullptr, n_bytes); }

class MemberCompressor final : public PieceCompressor {
 public:
  explicit MemberCompressor(int level) : context_(make_libdeflate_compressor(level)) {}

  Piece compress(ByteView src, std::uint8_t* dst) override {
    const std::size_t body = libdeflate_deflate_compress(context_.get(), src.data(), src.size(), dst + kMemberHeader, body_bound(src.size()));
    if (body == 0) fail(ErrorKind::kUnsupported, "gzip: libdeflate wrote more than its bound");
    return {wrap_member(dst, body, libdeflate_crc32(0, src.data(), src.size()), src.size()), 0};
  }

 private:
  LibdeflateCompressor context_;
};

class MemberFormat final : public PieceFormat {
 public:
  explicit MemberFormat(int level) : level_(level) {}

  std::uint64_t piece_size() const override { return kMemberPieceSize; }
  std::uint64_t piece_bound(std::uint64_t n_bytes) const override { return kMemberHeader + body_bound(n_bytes) + kMemberTrailer; }
  std::uint64_t frame_bound() const override { return kMemberHeader + 2 + kMemberTrailer; }  // of an empty member
  std::unique_ptr<PieceCompressor> make_compressor() const override { return std::make_unique<MemberCompressor>(level_); }

  void begin(std::vector<std::uint8_t>&, std::optional<std::uint64_t>) override { empty_ = true; }
  void absorb(ByteView, const Piece&) override { empty_ = false; }
  void end(std::vector<std::uint8_t>& dst) override {
    if (!empty_) return;
    std::uint8_t member[kMemberHeader + 2 + kMemberTrailer];
    member[kMemberHeader] = 0x03;
    member[kMemberHeader + 1] = 0x00;
    dst.insert(dst.end(), member, member + wrap_member(member, 2, 0, 0));
  }

 private:
  const int level_;
  bool empty_ = true;
};

}  // namespace

std::unique_ptr<PieceFormat> make_joined_format(Wrapper wrapper, int level) { return std::make_unique<JoinedFormat>(wrapper, level); }
std::unique_ptr<PieceFormat> make_member_format(int level) { return std::make_unique<MemberFormat>(level); }

}  // namespace haagenti::deflate
