// Compresses a stream with zstd.
#include "bytecodec/zstd/codec.h"
#include "bytecodec/zstd/context.h"
#include "bytecodec/zstd/dictionary.h"

namespace haagenti::zstd {
namespace {

ZSTD_EndDirective end_directive(Directive directive) {
  switch (directive) {
    case Directive::kContinue: return ZSTD_e_continue;
    case Directive::kFlush: return ZSTD_e_flush;
    case Directive::kFinish: break;
  }
  return ZSTD_e_end;
}

class StreamEncoder final : public Encoder {
 public:
  explicit StreamEncoder(const CompressOptions& options) : context_(options) { context_.get(); }

  EncodeStep step(ByteView src, MutableByteView dst, Directive directive) override {
    if (!begun_) begin(src, directive);
    if (!context_.is_alive()) {
      fail(ErrorKind::kInvalidArgument, "zstd: a stream with threads that was begun before a fork cannot go on in the child");
    }
    ZSTD_inBuffer in{src.data(), src.size(), 0};
    ZSTD_outBuffer out{dst.data(), dst.size(), 0};
    const std::size_t left = ZSTD_compressStream2(context_.get(), &out, &in, end_directive(directive));
    if (ZSTD_isError(left)) fail_step(left);
    const bool done = in.pos == in.size && (left == 0 || directive == Directive::kContinue);
    if (done && directive == Directive::kFinish) begun_ = false;
    return {in.pos, out.pos, done};
  }

 private:
  // A stream that comes all in one step has a known size.
  void begin(ByteView src, Directive directive) {
    context_.get();
    context_.set_job_size(directive == Directive::kFinish ? src.size() : 0);
    begun_ = true;
  }

  [[noreturn]] void fail_step(std::size_t result) {
    context_.reset();
    begun_ = false;
    fail(ErrorKind::kInvalidArgument, "zstd: ", ZSTD_getErrorName(result));
  }

  CompressionContext context_;
  bool begun_ = false;
};

}  // namespace

std::unique_ptr<Encoder> make_encoder(const CompressOptions& options) { return std::make_unique<StreamEncoder>(options); }

}  // namespace haagenti::zstd
