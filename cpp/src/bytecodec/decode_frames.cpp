// All frames of a buffer through a Decoder.
#include "haagenti/base/error.h"
#include "haagenti/bytecodec/decompressor.h"

namespace haagenti {
namespace {

// A step whose room is behind the output's limit: bytes that land here are bytes too many.
DecodeStep step_beyond_limit(Decoder& decoder, ByteView src, const Output& out) {
  std::uint8_t spill[32];
  const DecodeStep step = decoder.step(src, spill);
  if (step.produced > 0) out.fail_full();
  return step;
}

// Decodes one frame; returns the bytes of src that it takes.
std::size_t decode_frame(Decoder& decoder, ByteView src, Output& out, std::uint64_t offset) {
  std::size_t at = 0;
  for (;;) {
    const DecodeStep step = step_into(decoder, src.subspan(at), out);
    at += step.consumed;
    if (step.frame_ended) return at;
    if (step.consumed > 0 || step.produced > 0) continue;
    if (at == src.size()) fail(ErrorKind::kTruncated, "the compressed data ends too early, at input offset ", offset + at);
    fail(ErrorKind::kCorrupt, "the compressed data cannot be read on, at input offset ", offset + at);
  }
}

}  // namespace

DecodeStep step_into(Decoder& decoder, ByteView src, Output& out) {
  if (out.room().empty() && out.capacity() == out.limit()) return step_beyond_limit(decoder, src, out);
  if (out.room().empty()) out.grow();
  const DecodeStep step = decoder.step(src, out.room());
  out.advance(step.produced);
  return step;
}

void fail_trailing(std::uint64_t n_bytes, std::uint64_t offset) {
  fail(ErrorKind::kCorrupt, n_bytes, " bytes after the end of the compressed data, at input offset ", offset, ", are not another frame");
}

std::uint64_t decode_frames(Decoder& decoder, ByteView src, Output& out, bool allow_trailing, std::uint64_t offset) {
  decoder.reset();
  std::size_t at = decode_frame(decoder, src, out, offset);
  while (at < src.size()) {
    std::size_t skip = 0;
    const NextFrame next = decoder.next_frame(src.subspan(at), skip);
    at += skip;
    if (at == src.size()) break;
    if (next == NextFrame::kYes) {
      at += decode_frame(decoder, src.subspan(at), out, offset + at);
    } else if (allow_trailing) {
      break;
    } else {
      fail_trailing(src.size() - at, offset + at);
    }
  }
  return at;
}

}  // namespace haagenti
