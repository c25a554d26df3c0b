// Compresses a whole buffer to one frame: with LZ4F, or in pieces on several threads, to the same bytes.
#include "bytecodec/lz4/frame_header.h"
#include "bytecodec/lz4/frame_writer.h"
#include "bytecodec/lz4/lz4.h"
#include "bytecodec/lz4/pieces.h"
#include "haagenti/base/checked.h"

namespace haagenti {
namespace lz4 {
namespace {

class FrameCompressor final : public Compressor {
 public:
  explicit FrameCompressor(const CompressOptions& options) : options_(options), writer_(options) {}

  // As LZ4F_compressFrameBound, which counts blocks in 32 bits: header, a word a block, one block to spare, end mark and checksum.
  std::uint64_t bound(std::uint64_t n_bytes) const override {
    return kMaxHeaderBytes + n_bytes + kWordBytes * (ceil_div(n_bytes, block_max_for(n_bytes)) + 3);
  }

  std::uint64_t compress(ByteView src, MutableByteView dst) override {
    const LZ4F_preferences_t preferences = writer_.preferences(src.size());
    // With a checksum even one thread is faster so: xxhash sums up a block while it is in the cache, LZ4F everything at the end.
    const bool in_pieces = src.size() > block_max_for(src.size()) && (options_.threads > 1 || options_.checksum);
    // LZ4F wants room for the worst case even when it is not needed.
    if (in_pieces || dst.size() < LZ4F_compressFrameBound(src.size(), &preferences)) return compress_pieces(src, dst);
    return checked(LZ4F_compressFrame_usingCDict(writer_.context(), dst.data(), dst.size(), src.data(), src.size(), writer_.dictionary(),
                                                 &preferences));
  }

  std::uint64_t n_bytes_held() const override { return writer_.n_bytes_held() + (pieces_ ? pieces_->n_bytes_held() : 0); }

 private:
  std::uint64_t compress_pieces(ByteView src, MutableByteView dst) {
    if (!pieces_) pieces_ = piece_compressor(frame_pieces(options_), options_.threads);
    return pieces_->compress(src, dst);
  }

  const CompressOptions options_;
  FrameWriter writer_;
  std::unique_ptr<Compressor> pieces_;
};

}  // namespace
}  // namespace lz4

std::unique_ptr<Compressor> lz4_frame_compressor(const CompressOptions& options) { return std::make_unique<lz4::FrameCompressor>(options); }

}  // namespace haagenti
