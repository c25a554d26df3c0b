// Decodes a stream of brotli step by step. An instance of the library serves one stream.
#include <brotli/decode.h>

#include <new>

#include "bytecodec/brotli/codec.h"
#include "haagenti/base/error.h"

namespace haagenti::brotli {
namespace {

struct Destroy {
  void operator()(BrotliDecoderState* state) const { BrotliDecoderDestroyInstance(state); }
};

class StreamDecoder final : public Decoder {
 public:
  DecodeStep step(ByteView src, MutableByteView dst) override {
    if (!state_) begin();
    std::size_t n_in = src.size();
    std::size_t n_out = dst.size();
    const std::uint8_t* in = src.data();
    std::uint8_t* out = dst.data();
    const BrotliDecoderResult result = BrotliDecoderDecompressStream(state_.get(), &n_in, &in, &n_out, &out, nullptr);
    const std::size_t consumed = src.size() - n_in;
    offset_ += consumed;
    if (result == BROTLI_DECODER_RESULT_ERROR) fail_step();
    const bool ended = result == BROTLI_DECODER_RESULT_SUCCESS;
    if (ended) state_.reset();
    return {consumed, dst.size() - n_out, ended};
  }

  NextFrame next_frame(ByteView, std::size_t&) const override { return NextFrame::kNo; }
  void reset() override {
    state_.reset();
    offset_ = 0;
  }

 private:
  void begin() {
    state_.reset(BrotliDecoderCreateInstance(nullptr, nullptr, nullptr));
    if (!state_) throw std::bad_alloc();
  }

  [[noreturn]] void fail_step() {
    const BrotliDecoderErrorCode code = BrotliDecoderGetErrorCode(state_.get());
    state_.reset();
    if (code <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES && code >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES) throw std::bad_alloc();
    fail(ErrorKind::kCorrupt, "brotli: corrupt data (", BrotliDecoderErrorString(code), "), at input offset ", offset_);
  }

  std::unique_ptr<BrotliDecoderState, Destroy> state_;  // null between streams
  std::uint64_t offset_ = 0;                            // bytes read since reset()
};

}  // namespace

std::unique_ptr<Decoder> make_decoder(const DecompressOptions&) { return std::make_unique<StreamDecoder>(); }

}  // namespace haagenti::brotli
