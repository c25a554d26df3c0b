#include "bytecodec/deflate/stream_decoder.h"

#include <libdeflate.h>

#include <algorithm>
#include <cstring>
#include <ios>

#include "haagenti/base/error.h"

namespace haagenti::deflate {

StreamDecoder::StreamDecoder(Wrapper wrapper, std::unique_ptr<Inflater> inflater, std::shared_ptr<const Dictionary> dictionary)
    : wrapper_(wrapper), inflater_(std::move(inflater)), dictionary_(std::move(dictionary)), header_(wrapper) {}

void StreamDecoder::begin_at(std::uint64_t offset) {
  state_ = State::kBegin;
  offset_ = offset;
}

DecodeStep StreamDecoder::step(ByteView src, MutableByteView dst) {
  DecodeStep step;
  while (run_state(src.subspan(step.consumed), dst.subspan(step.produced), step)) continue;
  offset_ += step.consumed;
  return step;
}

// False when the step is over: no more input or room, or the frame has ended.
bool StreamDecoder::run_state(ByteView src, MutableByteView dst, DecodeStep& step) {
  switch (state_) {
    case State::kBegin:
      if (src.empty()) return false;
      header_.reset();
      state_ = State::kHeader;
      return true;
    case State::kHeader:
      step.consumed += header_.feed(src, offset_ + step.consumed);
      if (!header_.done()) return false;
      begin_body();
      return true;
    case State::kBody: return run_body(src, dst, step);
    case State::kTrailer: return run_trailer(src, step);
  }
  return false;
}

void StreamDecoder::begin_body() {
  inflater_->begin(dictionary_wanted());
  checksum_ = initial_checksum(wrapper_);
  size_ = 0;
  n_trailer_ = 0;
  state_ = State::kBody;
}

ByteView StreamDecoder::dictionary_wanted() const {
  if (wrapper_ == Wrapper::kNone) return dictionary_ ? dictionary_->bytes() : ByteView();
  if (!header_.dictionary_id()) return {};
  const std::uint32_t wanted = *header_.dictionary_id();
  if (!dictionary_) {
    fail(ErrorKind::kDecompression, "zlib: the data was compressed with a dictionary whose Adler-32 is 0x", std::hex, wanted, ", none is given");
  }
  const std::uint32_t given = libdeflate_adler32(1, dictionary_->bytes().data(), dictionary_->bytes().size());
  if (given == wanted) return dictionary_->bytes();
  fail(ErrorKind::kDecompression, "zlib: the data was compressed with the dictionary whose Adler-32 is 0x", std::hex, wanted,
       ", the one given has 0x", given);
}

bool StreamDecoder::run_body(ByteView src, MutableByteView dst, DecodeStep& step) {
  const InflateStep inflated = inflater_->step(src, dst);
  step.consumed += inflated.consumed;
  if (inflated.error != nullptr) {
    fail(ErrorKind::kCorrupt, name_of(wrapper_), ": ", inflated.error, ", at input offset ", offset_ + step.consumed);
  }
  checksum_ = update_checksum(wrapper_, checksum_, dst.first(inflated.produced));
  size_ += inflated.produced;
  step.produced += inflated.produced;
  if (inflated.ended) state_ = State::kTrailer;
  return inflated.ended;
}

bool StreamDecoder::run_trailer(ByteView src, DecodeStep& step) {
  const std::size_t size = trailer_size(wrapper_);
  const std::size_t n = std::min(size - n_trailer_, src.size());
  if (n > 0) std::memcpy(trailer_.data() + n_trailer_, src.data(), n);
  n_trailer_ += n;
  step.consumed += n;
  if (n_trailer_ < size) return false;
  check_trailer(wrapper_, trailer_.data(), checksum_, size_, offset_ + step.consumed - size);
  step.frame_ended = true;
  state_ = State::kBegin;
  return false;
}

NextFrame StreamDecoder::next_frame(ByteView rest, std::size_t& skip) const {
  skip = 0;
  return wrapper_ == Wrapper::kGzip ? next_member(rest, skip) : NextFrame::kNo;
}

NextFrame next_member(ByteView rest, std::size_t& skip) {
  skip = static_cast<std::size_t>(std::find_if(rest.begin(), rest.end(), [](std::uint8_t byte) { return byte != 0; }) - rest.begin());
  const ByteView begin = rest.subspan(skip);
  if (begin.empty()) return NextFrame::kNeedMore;
  if (begin[0] != 0x1f) return NextFrame::kNo;
  if (begin.size() < 2) return NextFrame::kNeedMore;
  return begin[1] == 0x8b ? NextFrame::kYes : NextFrame::kNo;
}

std::unique_ptr<StreamDecoder> make_stream_decoder(Wrapper wrapper, const std::shared_ptr<const Dictionary>& dictionary) {
  return std::make_unique<StreamDecoder>(wrapper, dictionary ? make_zlib_inflater() : make_fast_inflater(), dictionary);
}

}  // namespace haagenti::deflate
