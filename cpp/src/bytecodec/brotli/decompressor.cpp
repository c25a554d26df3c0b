// Decompresses whole buffers with brotli: into the room there is, then into more and more of it (the format states no size).
#include "bytecodec/brotli/codec.h"
#include "haagenti/base/error.h"

namespace haagenti::brotli {
namespace {

class WholeDecompressor final : public Decompressor {
 public:
  explicit WholeDecompressor(const DecompressOptions& options) : allow_trailing_(options.allow_trailing), decoder_(make_decoder(options)) {}

  std::uint64_t decompress(ByteView src, Output& out) override {
    if (src.empty()) fail(ErrorKind::kTruncated, "brotli: the input is empty");
    decoder_->reset();
    std::size_t at = 0;
    for (;;) {
      const DecodeStep step = step_into(src.subspan(at), out);
      at += step.consumed;
      if (step.frame_ended) break;
      if (step.consumed == 0 && step.produced == 0) fail(ErrorKind::kTruncated, "brotli: the input ends too early, at input offset ", at);
    }
    if (at < src.size() && !allow_trailing_) fail_trailing(src.size() - at, at);
    return at;
  }

 private:
  // Where the output's limit leaves no room, the end of the stream may still come, but no byte.
  DecodeStep step_into(ByteView src, Output& out) {
    if (out.room().empty() && out.capacity() == out.limit()) {
      std::uint8_t spill;
      const DecodeStep step = decoder_->step(src, {&spill, 1});
      if (step.produced > 0) out.fail_full();
      return step;
    }
    if (out.room().empty()) out.grow();
    const DecodeStep step = decoder_->step(src, out.room());
    out.advance(step.produced);
    return step;
  }

  const bool allow_trailing_;
  const std::unique_ptr<Decoder> decoder_;
};

}  // namespace

std::unique_ptr<Decompressor> make_decompressor(const DecompressOptions& options) { return std::make_unique<WholeDecompressor>(options); }

}  // namespace haagenti::brotli
