#include "bytecodec/lz4/pieces.h"

#include <algorithm>
#include <cstring>

#include "bytecodec/lz4/block_compressor.h"
#include "bytecodec/lz4/frame_header.h"
#include "haagenti/base/xxh32.h"

namespace haagenti::lz4 {
namespace {

void append_word(std::vector<std::uint8_t>& dst, std::uint32_t word) {
  dst.resize(dst.size() + kWordBytes);
  store_le(dst.data() + dst.size() - kWordBytes, word);
}

// A block with its size in front. A block that does not shrink is stored, as LZ4F does.
class FramePiece final : public PieceCompressor {
 public:
  explicit FramePiece(const CompressOptions& options) : compressor_(options.level, options.dictionary) {}

  Piece compress(ByteView src, std::uint8_t* dst) override {
    const std::size_t packed = compressor_.compress(src, {dst + kWordBytes, src.size() - 1});
    const bool stored = packed == 0;
    store_le(dst, stored ? static_cast<std::uint32_t>(src.size()) | kStoredFlag : static_cast<std::uint32_t>(packed));
    return {.size = kWordBytes + packed, .checksum = 0, .stored = stored};
  }

 private:
  BlockCompressor compressor_;
};

class FramePieces final : public PieceFormat {
 public:
  explicit FramePieces(const CompressOptions& options) : options_(options) {}

  std::uint64_t piece_size() const override { return block_; }
  std::uint64_t piece_bound(std::uint64_t n_bytes) const override { return kWordBytes + n_bytes; }
  std::uint64_t frame_bound() const override { return kMaxHeaderBytes + 2 * kWordBytes; }
  std::unique_ptr<PieceCompressor> make_compressor() const override { return std::make_unique<FramePiece>(options_); }

  void begin(std::vector<std::uint8_t>& dst, std::optional<std::uint64_t> content_size) override {
    FrameHeader header;
    header.content_checksum = options_.checksum;
    block_ = content_size ? block_max_for(*content_size) : kLargestBlock;
    header.block_max = block_;
    // LZ4F cannot state a size of 0, and does not read it as one.
    if (content_size && *content_size > 0) header.content_size = content_size;
    write_header(header, dst);
    checksum_.reset();
  }

  void absorb(ByteView src, const Piece&) override {
    if (options_.checksum) checksum_.update(src);
  }

  void end(std::vector<std::uint8_t>& dst) override {
    append_word(dst, 0);
    if (options_.checksum) append_word(dst, checksum_.digest());
  }

 private:
  const CompressOptions options_;
  std::uint64_t block_ = kLargestBlock;
  Xxh32 checksum_;
};

}  // namespace

std::unique_ptr<PieceFormat> frame_pieces(const CompressOptions& options) { return std::make_unique<FramePieces>(options); }

}  // namespace haagenti::lz4
