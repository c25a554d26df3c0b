#include <algorithm>
#include <cstring>

#include "bytecodec/zstd/codec.h"
#include "bytecodec/zstd/dictionary.h"
#include "bytecodec/zstd/stream_decoder.h"

namespace haagenti::zstd {

StreamDecoder::StreamDecoder(const DecompressOptions& options) : dictionary_(options.dictionary) {
  ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, static_cast<int>(kWindowLogMax));
  if (dictionary_) ZSTD_DCtx_refDDict(context_.get(), decompression_dictionary(dictionary_));
}

void StreamDecoder::reset() {
  ZSTD_DCtx_reset(context_.get(), ZSTD_reset_session_only);
  end_frame();
}

void StreamDecoder::start_at(std::uint64_t offset, std::uint64_t frame) {
  offset_ = frame_offset_ = offset;
  frame_ = frame;
}

void StreamDecoder::end_frame() {
  n_header_ = wanted_ = 0;
  n_given_ = 0;
  starved_ = blocked_ = false;
  frame_offset_ = offset_;
}

NextFrame StreamDecoder::next_frame(ByteView rest, std::size_t&) const { return begins_frame(rest); }

void StreamDecoder::remember(ByteView src) {
  const std::size_t n = std::min(src.size(), kHeaderMax - n_header_);
  if (n > 0) std::memcpy(header_ + n_header_, src.data(), n);
  n_header_ += n;
}

// Before the magic number is complete and known, the library gets nothing: it might take a draft's frame for its own. Returns the bytes
// taken; the library has the number when it is complete.
std::size_t StreamDecoder::take_magic(ByteView src) {
  if (n_header_ >= kMagicSize) return 0;
  const std::size_t n = std::min(src.size(), kMagicSize - n_header_);
  const std::size_t before = n_header_;
  remember(src.first(n));
  if (n_header_ == 0) return 0;
  if (begins_frame({header_, n_header_}) == NextFrame::kNo) {
    n_header_ = before;
    fail(ErrorKind::kCorrupt, "zstd: no magic number of a frame, at input offset ", frame_offset_);
  }
  if (n_header_ == kMagicSize) {
    DecodeStep given;
    wanted_ = 0;
    feed({header_, kMagicSize}, {}, given);
  }
  return n;
}

// The library takes a call that moves nothing for an error when it has seen a few.
bool StreamDecoder::is_idle(ByteView src, MutableByteView dst) const {
  return dst.empty() ? src.empty() || blocked_ : src.empty() && starved_;
}

// One call of the library, up to the end of a block at most. True when the frame has ended or nothing moves any more.
bool StreamDecoder::feed(ByteView src, MutableByteView dst, DecodeStep& step) {
  const std::size_t given = wanted_ == 0 ? src.size() : std::min(src.size(), wanted_);
  ZSTD_inBuffer in{src.data(), given, 0};
  ZSTD_outBuffer out{dst.data(), dst.size(), 0};
  const std::size_t result = ZSTD_decompressStream(context_.get(), &out, &in);
  if (ZSTD_isError(result)) {
    remember(src.first(given));
    fail_step(result);
  }
  if (src.data() != header_) remember(src.first(in.pos));
  offset_ += in.pos;
  wanted_ = result;
  step.consumed += in.pos;
  step.produced += out.pos;
  step.frame_ended = result == 0;
  return step.frame_ended || (in.pos == 0 && out.pos == 0);
}

DecodeStep StreamDecoder::step(ByteView src, MutableByteView dst) {
  DecodeStep step;
  if (is_idle(src, dst)) return step;
  step.consumed = take_magic(src);
  if (n_header_ < kMagicSize) return step;
  while (step.consumed < src.size() || step.produced < dst.size()) {
    if (feed(src.subspan(step.consumed), dst.subspan(step.produced), step)) break;
  }
  n_given_ += step.produced;
  const bool moved = step.consumed > 0 || step.produced > 0;
  starved_ = !moved && src.empty();
  blocked_ = !moved && dst.empty();
  if (step.frame_ended) {
    check_content_size();
    ++frame_;
    end_frame();
  }
  return step;
}

// The library's streams do not compare the sizes of a frame whose last block is empty.
void StreamDecoder::check_content_size() const {
  if (!begins_zstd_frame({header_, n_header_})) return;
  const unsigned long long stated = ZSTD_getFrameContentSize(header_, n_header_);
  // The header is whole: 2^64 - 2, the library's mark for a broken one, is a size like any other.
  if (stated == ZSTD_CONTENTSIZE_UNKNOWN || stated == n_given_) return;
  fail(ErrorKind::kCorrupt, "zstd: the frame holds ", n_given_, " bytes, its header states ", stated, ", ", frame_name(frame_, frame_offset_),
       ", at input offset ", offset_);
}

void StreamDecoder::fail_step(std::size_t result) const {
  fail_frame(result, {header_, n_header_}, dictionary_.get(), concat(frame_name(frame_, frame_offset_), ", at input offset ", offset_));
}

std::unique_ptr<Decoder> make_decoder(const DecompressOptions& options) { return std::make_unique<StreamDecoder>(options); }

}  // namespace haagenti::zstd
