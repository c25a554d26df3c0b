// Compresses whole buffers with zstd: one frame each, whose header states the size.
#include <zstd_errors.h>

#include <limits>

#include "bytecodec/zstd/codec.h"
#include "bytecodec/zstd/context.h"
#include "bytecodec/zstd/dictionary.h"

namespace haagenti::zstd {
namespace {

std::uint64_t frame_bound(std::uint64_t n_bytes) {
  const std::size_t bound = ZSTD_compressBound(n_bytes);
  return ZSTD_isError(bound) ? std::numeric_limits<std::uint64_t>::max() : bound;
}

[[noreturn]] void fail_compressing(std::size_t result, ByteView src, MutableByteView dst) {
  const ZSTD_ErrorCode code = ZSTD_getErrorCode(result);
  if (code == ZSTD_error_memory_allocation) throw std::bad_alloc();
  if (code != ZSTD_error_dstSize_tooSmall) fail(ErrorKind::kInvalidArgument, "zstd: ", ZSTD_getErrorName(result));
  fail(ErrorKind::kInvalidArgument, "out holds ", dst.size(), " bytes, compressing ", src.size(), " bytes with zstd may need up to ",
       frame_bound(src.size()));
}

// One of the library's ways to write a frame.
enum class Way { kPlain, kDigested, kParameters };

Way way_for(const CompressOptions& options) {
  if (options.threads > 1 || options.checksum) return Way::kParameters;
  return options.dictionary ? Way::kDigested : Way::kPlain;
}

class WholeCompressor final : public Compressor {
 public:
  explicit WholeCompressor(const CompressOptions& options)
      : context_(options),
        way_(way_for(options)),
        digested_(options.dictionary ? compression_dictionary(*options.dictionary, options.level) : nullptr) {}

  std::uint64_t bound(std::uint64_t n_bytes) const override { return frame_bound(n_bytes); }

  std::uint64_t compress(ByteView src, MutableByteView dst) override {
    const std::size_t size = write_frame(src, dst);
    if (!ZSTD_isError(size)) return size;
    context_.reset();  // half a frame is not gone on with
    fail_compressing(size, src, dst);
  }

  std::uint64_t n_bytes_held() const override { return context_.n_bytes_held(); }

 private:
  // The plain functions skip the handling of parameters, which costs as much as tens of bytes of input.
  std::size_t write_frame(ByteView src, MutableByteView dst) {
    ZSTD_CCtx* context = context_.get();
    switch (way_) {
      case Way::kPlain: return ZSTD_compressCCtx(context, dst.data(), dst.size(), src.data(), src.size(), context_.options().level);
      case Way::kDigested: return ZSTD_compress_usingCDict(context, dst.data(), dst.size(), src.data(), src.size(), digested_);
      case Way::kParameters: break;
    }
    context_.set_job_size(src.size());
    return ZSTD_compress2(context, dst.data(), dst.size(), src.data(), src.size());
  }

  CompressionContext context_;
  const Way way_;
  const ZSTD_CDict* const digested_;  // of options().dictionary, which the context keeps
};

}  // namespace

std::unique_ptr<Compressor> make_compressor(const CompressOptions& options) { return std::make_unique<WholeCompressor>(options); }

}  // namespace haagenti::zstd
