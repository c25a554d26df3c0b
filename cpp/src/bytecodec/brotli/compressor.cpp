// Compresses whole buffers with brotli. The library keeps nothing between buffers.
#include <brotli/encode.h>

#include <limits>
#include <new>

#include "bytecodec/brotli/codec.h"
#include "haagenti/base/checked.h"
#include "haagenti/base/error.h"

namespace haagenti::brotli {
namespace {

// The library has no bound (0) for sizes near the largest; what does not compress is stored, a few bytes for every 16 MiB.
std::uint64_t stream_bound(std::uint64_t n_bytes) {
  const std::size_t bound = BrotliEncoderMaxCompressedSize(n_bytes);
  return bound != 0 ? bound : std::numeric_limits<std::uint64_t>::max();
}

class WholeCompressor final : public Compressor {
 public:
  explicit WholeCompressor(int quality) : quality_(quality) {}

  std::uint64_t bound(std::uint64_t n_bytes) const override { return stream_bound(n_bytes); }

  std::uint64_t compress(ByteView src, MutableByteView dst) override {
    std::size_t size = dst.size();
    if (!BrotliEncoderCompress(quality_, kWindowBits, BROTLI_MODE_GENERIC, src.size(), src.data(), &size, dst.data())) {
      fail_compressing(src, dst);
    }
    return size;
  }

  std::uint64_t n_bytes_held() const override { return 0; }

 private:
  // The library gives no reason.
  [[noreturn]] static void fail_compressing(ByteView src, MutableByteView dst) {
    const std::uint64_t bound = stream_bound(src.size());
    if (dst.size() >= bound) throw std::bad_alloc();
    fail(ErrorKind::kInvalidArgument, "out holds ", dst.size(), " bytes, compressing ", src.size(), " bytes with brotli may need up to ",
         bound);
  }

  const int quality_;
};

}  // namespace

std::unique_ptr<Compressor> make_compressor(const CompressOptions& options) { return std::make_unique<WholeCompressor>(options.level); }

}  // namespace haagenti::brotli
