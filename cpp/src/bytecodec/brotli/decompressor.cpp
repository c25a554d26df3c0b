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
      const DecodeStep step = step_into(*decoder_, src.subspan(at), out);
      at += step.consumed;
      if (step.frame_ended) break;
      if (step.consumed == 0 && step.produced == 0) fail(ErrorKind::kTruncated, "brotli: the input ends too early, at input offset ", at);
    }
    if (at < src.size() && !allow_trailing_) fail_trailing(src.size() - at, at);
    return at;
  }

 private:
  const bool allow_trailing_;
  const std::unique_ptr<Decoder> decoder_;
};

}  // namespace

std::unique_ptr<Decompressor> make_decompressor(const DecompressOptions& options) { return std::make_unique<WholeDecompressor>(options); }

}  // namespace haagenti::brotli
