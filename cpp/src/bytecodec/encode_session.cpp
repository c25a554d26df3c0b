#include <algorithm>

#include "haagenti/base/error.h"
#include "haagenti/bytecodec/sessions.h"

namespace haagenti {
namespace {

// Room made before anything is compressed: compressed bytes seldom outnumber the input, and much input comes out over several steps.
constexpr std::size_t kMostFirstRoom = 1 << 20;
constexpr std::size_t kHeaderRoom = 256;

}  // namespace

void EncodeSession::run(ByteView chunk, Directive directive, Output& out) {
  if (!encoder_) fail(ErrorKind::kInvalidArgument, finished_ ? "the stream is finished" : "the stream was given up");
  std::unique_ptr<Encoder> encoder = std::move(encoder_);  // an error ends the stream
  if (out.room().size() < chunk.size()) out.reserve(std::min(chunk.size() + kHeaderRoom, kMostFirstRoom));
  std::size_t at = 0;
  for (;;) {
    const EncodeStep step = encoder->step(chunk.subspan(at), out.room(), directive);
    at += step.consumed;
    out.advance(step.produced);
    if (step.done) break;
    // A step may end early with room left (zstd's workers).
    if (out.room().empty() || (step.consumed == 0 && step.produced == 0)) out.grow();
  }
  encoder_ = std::move(encoder);
}

void EncodeSession::finish(Output& out) {
  run({}, Directive::kFinish, out);
  encoder_.reset();
  finished_ = true;
}

}  // namespace haagenti
