// One stream, fed in pieces by a caller who wants all that can be given out at once: what the streaming classes of Python are made of.
// Not responsible for formats, nor for threads: one call at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "haagenti/bytecodec/compressor.h"
#include "haagenti/bytecodec/decompressor.h"

namespace haagenti {

class EncodeSession {
 public:
  explicit EncodeSession(std::unique_ptr<Encoder> encoder) : encoder_(std::move(encoder)) {}

  // Each appends to out what there is to give out. Throws InvalidArgument after finish(), discard() or an error.
  void write(ByteView chunk, Output& out) { run(chunk, Directive::kContinue, out); }
  void flush(Output& out) { run({}, Directive::kFlush, out); }
  void finish(Output& out);
  // Gives the stream up.
  void discard() { encoder_.reset(); }

 private:
  void run(ByteView chunk, Directive directive, Output& out);

  std::unique_ptr<Encoder> encoder_;  // null once the stream is over
  bool finished_ = false;
};

struct DecodeSessionOptions {
  std::uint64_t max_size = UINT64_MAX;  // of all output together
  bool allow_trailing = false;          // what follows the last frame is only kept, in unused_data
  bool single_frame = false;            // everything behind the first frame is unused_data
};

class DecodeSession {
 public:
  DecodeSession(std::unique_ptr<Decoder> decoder, const DecodeSessionOptions& options) : decoder_(std::move(decoder)), options_(options) {}

  // Appends at most max_length bytes to out; input that had to wait is kept and read by the next call.
  void write(ByteView chunk, std::uint64_t max_length, Output& out);
  // Appends what is left. Throws Truncated inside a frame, Corrupt for unused data unless allow_trailing.
  void finish(Output& out);
  void discard() { decoder_.reset(); }

  // A frame has ended and nothing of another has come.
  bool eof() const { return state_ == State::kOver || (state_ == State::kBetween && pending().empty() && n_frames_ > 0); }
  // Nothing more can be given out without more input.
  bool needs_input() const { return !more_ && state_ != State::kOver; }
  ByteView unused_data() const { return unused_; }

 private:
  enum class State { kBetween, kInside, kOver };

  // Returns the bytes of src that are done with.
  std::size_t run(ByteView src, std::uint64_t max_length, Output& out);
  bool enter_frame(ByteView src, std::size_t& at);
  DecodeStep step(ByteView src, std::uint64_t max_length, Output& out);
  void check_usable() const;
  ByteView pending() const { return ByteView(pending_).subspan(n_pending_read_); }

  std::unique_ptr<Decoder> decoder_;  // null once the session is over
  DecodeSessionOptions options_;
  State state_ = State::kBetween;
  std::uint64_t n_frames_ = 0;
  std::uint64_t n_read_ = 0;   // bytes of input that are done with
  std::uint64_t n_given_ = 0;  // bytes of output
  bool more_ = false;          // the last call stopped at its max_length
  bool broken_ = false;
  bool finished_ = false;
  std::vector<std::uint8_t> pending_;  // input that had to wait
  std::size_t n_pending_read_ = 0;     // of pending_
  std::vector<std::uint8_t> unused_;
};

}  // namespace haagenti
