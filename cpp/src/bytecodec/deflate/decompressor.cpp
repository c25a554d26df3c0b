// Whole buffers through libdeflate; where it lacks room or refuses, through the streaming decoder, which grows and says what is wrong.
#include "bytecodec/deflate/decompressor.h"

#include <algorithm>

#include "bytecodec/deflate/header.h"
#include "bytecodec/deflate/libdeflate_handles.h"
#include "bytecodec/deflate/members.h"
#include "bytecodec/deflate/stream_decoder.h"
#include "haagenti/base/error.h"

namespace haagenti::deflate {
namespace {

// Room for the first attempt where nothing tells the size.
constexpr std::uint64_t kGuessedExpansion = 5;
constexpr std::uint64_t kGuessedSlack = 64 * 1024;

bool has_extra_field(ByteView src) { return src.size() > 3 && (src[3] & 4) != 0; }

class WholeDecompressor final : public Decompressor {
 public:
  WholeDecompressor(Wrapper wrapper, const DecompressOptions& options)
      : wrapper_(wrapper), options_(options), header_(wrapper), context_(make_libdeflate_decompressor()) {}

  std::uint64_t decompress(ByteView src, Output& out) override {
    if (src.empty()) fail(ErrorKind::kTruncated, name_of(wrapper_), ": the input is empty");
    const bool sized = wrapper_ == Wrapper::kGzip && has_extra_field(src);
    std::uint64_t at = sized ? decode_sized(src, out) : 0;
    if (at == 0) at = decode_frame(src, 0, out);
    while (at < src.size() && find_next(src, at)) at = decode_frame(src, at, out);
    return at;
  }

 private:
  // Members that say their sizes. Returns where they end; 0 when they, or some of them, are for the other way.
  std::uint64_t decode_sized(ByteView src, Output& out) {
    const MemberIndex index = index_members(src);
    if (index.members.empty()) return 0;
    if (options_.threads > 1 && index.members.size() > 1 && decode_members(index, src, out, options_.threads)) return index.members.back().end;
    if (index.size <= out.limit() - out.size()) out.reserve_claimed(index.size, index.members.back().end * kMaxExpansion);
    return 0;
  }

  // Moves `at` to the next member; false where the input ends, or is left alone.
  bool find_next(ByteView src, std::uint64_t& at) const {
    NextFrame next = NextFrame::kNo;
    if (wrapper_ == Wrapper::kGzip) {
      std::size_t skip = 0;
      next = next_member(src.subspan(at), skip);
      at += skip;
    }
    if (next == NextFrame::kYes) return true;
    if (at < src.size() && !options_.allow_trailing) fail_trailing(src.size() - at, at);
    return false;
  }

  // The frame at `at`; returns where it ends.
  std::uint64_t decode_frame(ByteView src, std::uint64_t at, Output& out) {
    const std::size_t begin = out.size();
    header_.reset();
    const std::uint64_t body = at + header_.feed(src.subspan(at), at);
    if (!header_.done()) fail_truncated(wrapper_, src.size());
    if (header_.dictionary_id() || (wrapper_ == Wrapper::kNone && options_.dictionary)) return decode_slowly(precise_, src, at, out);
    if (out.room().size() < (src.size() - at) * kGuessedExpansion) make_room(src, at, out);
    Attempt attempt = inflate(src.subspan(body), out.room());
    if (attempt.result == LIBDEFLATE_INSUFFICIENT_SPACE && make_room(src, at, out)) attempt = inflate(src.subspan(body), out.room());
    if (attempt.result == LIBDEFLATE_SUCCESS) {
      out.advance(attempt.n_written);
      return finish_frame(src, body + attempt.n_read, {out.data() + begin, attempt.n_written});
    }
    return decode_slowly(attempt.result == LIBDEFLATE_INSUFFICIENT_SPACE ? fast_ : precise_, src, at, out);
  }

  struct Attempt {
    libdeflate_result result;
    std::size_t n_read = 0;
    std::size_t n_written = 0;
  };

  Attempt inflate(ByteView body, MutableByteView room) const {
    Attempt attempt{};
    std::uint8_t none = 0;
    attempt.result = libdeflate_deflate_decompress_ex(context_.get(), body.data(), body.size(), room.empty() ? &none : room.data(), room.size(),
                                                      &attempt.n_read, &attempt.n_written);
    return attempt;
  }

  std::uint64_t finish_frame(ByteView src, std::uint64_t trailer, ByteView decoded) const {
    const std::uint64_t end = trailer + trailer_size(wrapper_);
    if (end > src.size()) fail_truncated(wrapper_, src.size());
    if (wrapper_ != Wrapper::kNone) {
      check_trailer(wrapper_, src.data() + trailer, update_checksum(wrapper_, initial_checksum(wrapper_), decoded), decoded.size(), trailer);
    }
    return end;
  }

  // Makes room for as much as a trailer claims, or for a guess; never for more than the input can decode to. False when that is no more
  // than there is, and where out is the caller's buffer or of a known size.
  bool make_room(ByteView src, std::uint64_t at, Output& out) const {
    const std::uint64_t left = src.size() - at;
    std::uint64_t size = left * kGuessedExpansion + kGuessedSlack;
    if (wrapper_ == Wrapper::kGzip) {
      size = left >= 4 ? load_le<std::uint32_t>(src.data() + src.size() - 4) : 0;
      // The trailer of another member, or what a size beyond 4 GiB leaves: not worth an attempt.
      if (size < left / 2) return false;
    }
    size = std::min<std::uint64_t>({size, left * kMaxExpansion, out.limit() - out.size()});
    if (size <= out.room().size()) return false;
    out.reserve(size);
    return true;
  }

  std::uint64_t decode_slowly(std::unique_ptr<StreamDecoder>& decoder, ByteView src, std::uint64_t at, Output& out) {
    if (!decoder) {
      decoder = std::make_unique<StreamDecoder>(wrapper_, &decoder == &fast_ ? make_fast_inflater() : make_zlib_inflater(), options_.dictionary);
    }
    decoder->begin_at(at);
    for (;;) {
      const DecodeStep step = step_into(*decoder, src.subspan(at), out);
      at += step.consumed;
      if (step.frame_ended) return at;
      if (step.consumed == 0 && step.produced == 0) fail_truncated(wrapper_, at);
    }
  }

  const Wrapper wrapper_;
  const DecompressOptions options_;
  HeaderParser header_;
  LibdeflateDecompressor context_;
  std::unique_ptr<StreamDecoder> fast_;     // without a dictionary: the output outgrew its room
  std::unique_ptr<StreamDecoder> precise_;  // zlib: takes a dictionary, and says what is wrong and where
};

}  // namespace

std::unique_ptr<Decompressor> make_decompressor(Wrapper wrapper, const DecompressOptions& options) {
  return std::make_unique<WholeDecompressor>(wrapper, options);
}

}  // namespace haagenti::deflate
