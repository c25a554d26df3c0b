#include <algorithm>
#include <utility>

#include "haagenti/base/error.h"
#include "haagenti/bytecodec/sessions.h"

namespace haagenti {

void DecodeSession::check_usable() const {
  if (broken_) fail(ErrorKind::kInvalidArgument, "the stream had an error before");
  if (!decoder_) fail(ErrorKind::kInvalidArgument, finished_ ? "the stream is finished" : "the stream was given up");
}

// Decides between frames whether another one follows. False when the bytes at hand do not tell.
bool DecodeSession::enter_frame(ByteView src, std::size_t& at) {
  if (n_frames_ == 0) {
    state_ = State::kInside;
    return true;
  }
  std::size_t skip = 0;
  const NextFrame next = options_.single_frame ? NextFrame::kNo : decoder_->next_frame(src.subspan(at), skip);
  at += skip;
  if (next == NextFrame::kNeedMore) return false;
  state_ = next == NextFrame::kYes ? State::kInside : State::kOver;
  return true;
}

// One step with no more room than max_length and max_size leave. Where max_size leaves none, output is an error.
DecodeStep DecodeSession::step(ByteView src, std::uint64_t max_length, Output& out) {
  const std::uint64_t allowed = options_.max_size - n_given_;
  if (allowed == 0) {
    std::uint8_t spill[32];
    const DecodeStep step = decoder_->step(src, spill);
    if (step.produced > 0) fail(ErrorKind::kDecompression, "the decompressed data is larger than max_size of ", options_.max_size, " bytes");
    return step;
  }
  if (out.room().empty()) out.grow();
  const MutableByteView room = out.room();
  const DecodeStep step = decoder_->step(src, room.first(std::min<std::uint64_t>({room.size(), max_length, allowed})));
  out.advance(step.produced);
  n_given_ += step.produced;
  return step;
}

std::size_t DecodeSession::run(ByteView src, std::uint64_t max_length, Output& out) {
  const std::uint64_t end = max_length > UINT64_MAX - n_given_ ? UINT64_MAX : n_given_ + max_length;
  std::size_t at = 0;
  for (;;) {
    if (state_ == State::kOver) {
      unused_.insert(unused_.end(), src.begin() + static_cast<std::ptrdiff_t>(at), src.end());
      return src.size();
    }
    if (state_ == State::kBetween) {
      if (at == src.size() || !enter_frame(src, at)) return at;
      continue;
    }
    if (n_given_ == end) {
      more_ = true;
      return at;
    }
    const DecodeStep done = step(src.subspan(at), end - n_given_, out);
    at += done.consumed;
    if (done.frame_ended) {
      ++n_frames_;
      state_ = State::kBetween;
    } else if (done.consumed == 0 && done.produced == 0) {
      if (at < src.size()) fail(ErrorKind::kCorrupt, "the compressed data cannot be read on, at input offset ", n_read_ + at);
      return at;
    }
  }
}

void DecodeSession::write(ByteView chunk, std::uint64_t max_length, Output& out) {
  check_usable();
  broken_ = true;  // until this call has gone well
  more_ = false;
  const bool waited = !pending().empty();
  if (waited) {
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(chunk.empty() ? 0 : std::exchange(n_pending_read_, 0)));
    pending_.insert(pending_.end(), chunk.begin(), chunk.end());
  }
  const std::size_t read = run(waited ? pending() : chunk, max_length, out);
  n_read_ += read;
  if (waited) {
    n_pending_read_ += read;
  } else {
    pending_.assign(chunk.begin() + static_cast<std::ptrdiff_t>(read), chunk.end());
    n_pending_read_ = 0;
  }
  broken_ = false;
}

void DecodeSession::finish(Output& out) {
  write({}, UINT64_MAX, out);
  broken_ = true;
  if (state_ == State::kInside || n_frames_ == 0) {
    fail(ErrorKind::kTruncated, n_read_ == 0 ? "the input is empty" : concat("the compressed data ends too early, at input offset ", n_read_));
  }
  n_read_ += pending().size();
  unused_.insert(unused_.end(), pending().begin(), pending().end());  // too short to be a frame
  n_pending_read_ = pending_.size();
  if (!unused_.empty() && !options_.allow_trailing && !options_.single_frame) fail_trailing(unused_.size(), n_read_ - unused_.size());
  broken_ = false;
  finished_ = true;
  decoder_.reset();
}

}  // namespace haagenti
