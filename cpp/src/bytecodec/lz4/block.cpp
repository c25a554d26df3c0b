// lz4_block: a raw LZ4 block, whose size before compression the caller knows.
#include <lz4.h>

#include <algorithm>

#include "bytecodec/lz4/block_compressor.h"
#include "bytecodec/lz4/frame_header.h"
#include "bytecodec/lz4/lz4.h"
#include "bytecodec/lz4/unpack.h"
#include "haagenti/base/error.h"

namespace haagenti {
namespace {

void check_size(std::uint64_t n_bytes) {
  if (n_bytes <= LZ4_MAX_INPUT_SIZE) return;
  fail(ErrorKind::kInvalidArgument, "lz4_block: ", n_bytes, " bytes are more than an LZ4 block takes (", LZ4_MAX_INPUT_SIZE,
       "); lz4 has no such limit");
}

class Lz4BlockCompressor final : public Compressor {
 public:
  explicit Lz4BlockCompressor(const CompressOptions& options) : compressor_(options.level, options.dictionary) {}

  std::uint64_t bound(std::uint64_t n_bytes) const override {
    check_size(n_bytes);
    return LZ4_COMPRESSBOUND(n_bytes);
  }

  std::uint64_t compress(ByteView src, MutableByteView dst) override {
    check_size(src.size());
    const std::size_t written = compressor_.compress(src, dst);
    if (written > 0) return written;
    fail(ErrorKind::kInvalidArgument, "out holds ", dst.size(), " bytes, compressing ", src.size(), " bytes with lz4_block may need up to ",
         bound(src.size()));
  }

  std::uint64_t n_bytes_held() const override { return compressor_.n_bytes_held(); }

 private:
  lz4::BlockCompressor compressor_;
};

class Lz4BlockDecompressor final : public Decompressor {
 public:
  explicit Lz4BlockDecompressor(const DecompressOptions& options) : dictionary_(options.dictionary) {}

  std::uint64_t decompress(ByteView src, Output& out) override {
    if (src.empty()) fail(ErrorKind::kTruncated, "lz4_block: the input is empty");
    if (src.size() > static_cast<std::uint64_t>(LZ4_COMPRESSBOUND(LZ4_MAX_INPUT_SIZE))) {
      fail(ErrorKind::kCorrupt, "lz4_block: ", src.size(), " bytes are more than an LZ4 block can have");
    }
    // Where the size is known there is room for exactly that already.
    if (out.capacity() < out.limit()) lz4::make_room(out, src.size() * lz4::kMaxExpansion);
    const ByteView window = lz4::dictionary_window(dictionary_.get());
    const lz4::Unpacked unpacked = lz4::unpack(src, window, out.room());
    if (!unpacked.ok && lz4::is_larger(src, window, out.room())) out.fail_full();
    if (!unpacked.ok) fail(ErrorKind::kCorrupt, "lz4_block: corrupt block at input offset ", unpacked.size);
    out.advance(unpacked.size);
    return src.size();
  }

 private:
  const std::shared_ptr<const Dictionary> dictionary_;
};

}  // namespace

std::unique_ptr<Compressor> lz4_block_compressor(const CompressOptions& options) { return std::make_unique<Lz4BlockCompressor>(options); }
std::unique_ptr<Decompressor> lz4_block_decompressor(const DecompressOptions& options) {
  return std::make_unique<Lz4BlockDecompressor>(options);
}

}  // namespace haagenti
