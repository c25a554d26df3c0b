// Compresses a stream with brotli. An instance of the library serves one stream.
#include <brotli/encode.h>

#include <algorithm>
#include <new>
#include <vector>

#include "bytecodec/brotli/codec.h"
#include "haagenti/base/error.h"

namespace haagenti::brotli {
namespace {

struct Destroy {
  void operator()(BrotliEncoderState* state) const { BrotliEncoderDestroyInstance(state); }
};

BrotliEncoderOperation operation_for(Directive directive) {
  switch (directive) {
    case Directive::kContinue: return BROTLI_OPERATION_PROCESS;
    case Directive::kFlush: return BROTLI_OPERATION_FLUSH;
    case Directive::kFinish: break;
  }
  return BROTLI_OPERATION_FINISH;
}

// At qualities 0 and 1 the library makes a block of whatever it is given at a time: chunks are gathered to blocks of its own size.
constexpr int kHighestImmediate = 1;
constexpr std::size_t kGathered = 1 << 17;

class StreamEncoder final : public Encoder {
 public:
  explicit StreamEncoder(int quality) : quality_(quality) {}

  EncodeStep step(ByteView src, MutableByteView dst, Directive directive) override {
    const bool as_it_comes = gathered_.empty() && (quality_ > kHighestImmediate || src.size() >= kGathered);
    return as_it_comes ? feed(src, dst, directive) : gather(src, dst, directive);
  }

 private:
  EncodeStep gather(ByteView src, MutableByteView dst, Directive directive) {
    EncodeStep step;
    if (n_fed_ == 0) {
      step.consumed = std::min(src.size(), kGathered - gathered_.size());
      gathered_.insert(gathered_.end(), src.begin(), src.begin() + static_cast<std::ptrdiff_t>(step.consumed));
      if (directive == Directive::kContinue && gathered_.size() < kGathered) {
        step.done = true;
        return step;
      }
    }
    const bool all = step.consumed == src.size();
    const EncodeStep fed = feed(ByteView(gathered_).subspan(n_fed_), dst, all ? directive : Directive::kContinue);
    n_fed_ += fed.consumed;
    step.produced = fed.produced;
    if (!fed.done) return step;
    gathered_.clear();
    n_fed_ = 0;
    step.done = all;
    return step;
  }

  EncodeStep feed(ByteView src, MutableByteView dst, Directive directive) {
    if (!state_) begin();
    std::size_t n_in = src.size();
    std::size_t n_out = dst.size();
    const std::uint8_t* in = src.data();
    std::uint8_t* out = dst.data();
    if (!BrotliEncoderCompressStream(state_.get(), operation_for(directive), &n_in, &in, &n_out, &out, nullptr)) {
      state_.reset();
      fail(ErrorKind::kInvalidArgument, "brotli: the stream cannot go on: input came before a flush was done, or memory is short");
    }
    const bool done = n_in == 0 && is_carried_out(directive);
    if (done && directive == Directive::kFinish) state_.reset();
    return {src.size() - n_in, dst.size() - n_out, done};
  }

  void begin() {
    state_.reset(BrotliEncoderCreateInstance(nullptr, nullptr, nullptr));
    if (!state_) throw std::bad_alloc();
    BrotliEncoderSetParameter(state_.get(), BROTLI_PARAM_QUALITY, static_cast<std::uint32_t>(quality_));
    BrotliEncoderSetParameter(state_.get(), BROTLI_PARAM_LGWIN, kWindowBits);
  }

  bool is_carried_out(Directive directive) const {
    switch (directive) {
      case Directive::kContinue: return true;
      case Directive::kFlush: return !BrotliEncoderHasMoreOutput(state_.get());
      case Directive::kFinish: break;
    }
    return BrotliEncoderIsFinished(state_.get());
  }

  const int quality_;
  std::vector<std::uint8_t> gathered_;
  std::size_t n_fed_ = 0;  // of gathered_
  std::unique_ptr<BrotliEncoderState, Destroy> state_;  // null between streams
};

}  // namespace

std::unique_ptr<Encoder> make_encoder(const CompressOptions& options) { return std::make_unique<StreamEncoder>(options.level); }

}  // namespace haagenti::brotli
