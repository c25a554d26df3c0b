// A whole buffer in pieces, compressed side by side.
#include <cstring>

#include "bytecodec/piece_runner.h"
#include "haagenti/base/error.h"

namespace haagenti {
namespace {

class PieceWholeCompressor final : public Compressor {
 public:
  PieceWholeCompressor(std::unique_ptr<PieceFormat> format, std::uint32_t threads) : format_(std::move(format)), runner_(*format_, threads) {}

  std::uint64_t bound(std::uint64_t n_bytes) const override {
    const std::uint64_t piece = format_->piece_size();
    const std::uint64_t rest = n_bytes % piece;
    return format_->frame_bound() + n_bytes / piece * format_->piece_bound(piece) + (rest > 0 ? format_->piece_bound(rest) : 0);
  }

  std::uint64_t compress(ByteView src, MutableByteView dst) override {
    std::uint64_t written = 0;
    const auto append = [&](ByteView bytes) {
      if (bytes.size() > dst.size() - written) {
        fail(ErrorKind::kInvalidArgument, "out holds ", dst.size(), " bytes, compressing ", src.size(), " bytes may need up to ", bound(src.size()));
      }
      if (!bytes.empty()) std::memcpy(dst.data() + written, bytes.data(), bytes.size());
      written += bytes.size();
    };
    frame_.clear();
    format_->begin(frame_, src.size());
    append(frame_);
    runner_.run(src, [&](ByteView piece_src, const Piece& piece, ByteView packed) {
      format_->absorb(piece_src, piece);
      append(packed);
      if (piece.stored) append(piece_src);
    });
    frame_.clear();
    format_->end(frame_);
    append(frame_);
    return written;
  }

  std::uint64_t n_bytes_held() const override { return runner_.n_bytes_held(); }

 private:
  std::unique_ptr<PieceFormat> format_;
  PieceRunner runner_;
  std::vector<std::uint8_t> frame_;
};

}  // namespace

std::unique_ptr<Compressor> piece_compressor(std::unique_ptr<PieceFormat> format, std::uint32_t threads) {
  return std::make_unique<PieceWholeCompressor>(std::move(format), threads);
}

}  // namespace haagenti
