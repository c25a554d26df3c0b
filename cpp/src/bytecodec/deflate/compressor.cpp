#include "bytecodec/deflate/compressor.h"

#include "bytecodec/deflate/libdeflate_handles.h"
#include "haagenti/base/error.h"

namespace haagenti::deflate {
namespace {

// Roughly, of version 1.14, by level.
std::uint64_t n_bytes_of_context(int level) {
  if (level == 0) return 16 * 1024;
  if (level == 1) return 400 * 1024;
  return level < 10 ? 700 * 1024 : 9 * 1024 * 1024;
}

class WholeCompressor final : public Compressor {
 public:
  WholeCompressor(Wrapper wrapper, int level) : wrapper_(wrapper), level_(level), context_(make_libdeflate_compressor(level)) {}

  std::uint64_t bound(std::uint64_t n_bytes) const override {
    switch (wrapper_) {
      case Wrapper::kNone: return libdeflate_deflate_compress_bound(context_.get(), n_bytes);
      case Wrapper::kZlib: return libdeflate_zlib_compress_bound(context_.get(), n_bytes);
      case Wrapper::kGzip: return libdeflate_gzip_compress_bound(context_.get(), n_bytes);
    }
    return 0;
  }

  std::uint64_t compress(ByteView src, MutableByteView dst) override {
    const std::size_t written = run(src, dst);
    if (written > 0) return written;
    fail(ErrorKind::kInvalidArgument, "out holds ", dst.size(), " bytes, compressing ", src.size(), " bytes with ", name_of(wrapper_),
         " may need up to ", bound(src.size()));
  }

  std::uint64_t n_bytes_held() const override { return n_bytes_of_context(level_); }

 private:
  std::size_t run(ByteView src, MutableByteView dst) {
    static constexpr std::uint8_t kNothing = 0;
    const std::uint8_t* data = src.empty() ? &kNothing : src.data();
    switch (wrapper_) {
      case Wrapper::kNone: return libdeflate_deflate_compress(context_.get(), data, src.size(), dst.data(), dst.size());
      case Wrapper::kZlib: return libdeflate_zlib_compress(context_.get(), data, src.size(), dst.data(), dst.size());
      case Wrapper::kGzip: return libdeflate_gzip_compress(context_.get(), data, src.size(), dst.data(), dst.size());
    }
    return 0;
  }

  const Wrapper wrapper_;
  const int level_;
  LibdeflateCompressor context_;
};

}  // namespace

std::unique_ptr<Compressor> make_whole_compressor(Wrapper wrapper, int level) { return std::make_unique<WholeCompressor>(wrapper, level); }

}  // namespace haagenti::deflate
