// Decompresses the frames of a whole buffer, straight into the output.
#include <algorithm>
#include <vector>

#include "bytecodec/lz4/frame_blocks.h"
#include "bytecodec/lz4/lz4.h"
#include "bytecodec/lz4/side_by_side.h"
#include "haagenti/base/error.h"
#include "haagenti/base/xxh32.h"

namespace haagenti {
namespace lz4 {
namespace {

class FrameDecompressor final : public Decompressor {
 public:
  explicit FrameDecompressor(const DecompressOptions& options) : options_(options) {}

  std::uint64_t decompress(ByteView src, Output& out) override {
    if (src.empty()) fail(ErrorKind::kTruncated, "lz4: the input is empty");
    std::uint64_t at = decode_any(src, 0, out);
    while (at < src.size()) {
      if (src.size() - at < kMagicBytes || !begins_frame(src.subspan(at))) {
        if (options_.allow_trailing) break;
        fail_trailing(src.size() - at, at);
      }
      at = decode_any(src, at, out);
    }
    return at;
  }

 private:
  // Decodes the frame at `at`, of any kind. Returns the offset behind it.
  std::uint64_t decode_any(ByteView src, std::uint64_t at, Output& out) {
    const std::size_t n_header = header_bytes(src.subspan(at));
    if (n_header > src.size() - at) fail(ErrorKind::kTruncated, "lz4: truncated at input offset ", src.size(), ", in the frame header");
    const FrameHeader header = read_header(src.subspan(at, n_header), at);
    check_dictionary(header, options_.dictionary.get(), at);
    at += n_header;
    if (header.kind != FrameKind::kSkippable) return decode_frame(header, src, at, out);
    if (header.skipped_bytes > src.size() - at) {
      fail(ErrorKind::kTruncated, "lz4: truncated at input offset ", src.size(), ", in a skippable frame of ", header.skipped_bytes,
           " bytes");
    }
    return at + header.skipped_bytes;
  }

  std::uint64_t decode_frame(const FrameHeader& header, ByteView src, std::uint64_t at, Output& out) {
    const std::size_t begin = out.size();
    if (header.content_checksum) checksum_.reset();
    BlockReader reader(header, src, at);
    if (!decode_side_by_side(header, reader, out)) decode_blocks(header, reader, out);
    check_content_size(header, out.size() - begin, reader.at());
    if (header.content_checksum) check_content_checksum(reader.word("content checksum"), checksum_.digest(), reader.at() - kWordBytes);
    return reader.at();
  }

  // Legacy frames know no dictionary.
  ByteView dictionary_of(const FrameHeader& header) const {
    return header.kind == FrameKind::kLegacy ? ByteView() : dictionary_window(options_.dictionary.get());
  }

  // What walking over the blocks of a frame tells.
  struct Extent {
    std::uint64_t most = 0;     // bytes that they can at most decode to
    std::vector<Block> blocks;  // where asked for, and all but the last are full as far as their headers tell
  };

  // Empty when there are damaged blocks, which are left to the serial way to report. reader ends behind the last.
  static Extent walk_blocks(const FrameHeader& header, BlockReader& reader, bool keep) {
    Extent extent;
    try {
      while (const auto block = reader.next()) {
        // Blocks of no bytes cost no memory.
        keep = keep && (extent.blocks.empty() || most_unpacked(header, extent.blocks.back()) == header.block_max);
        if (keep) extent.blocks.push_back(*block);
        extent.most += most_unpacked(header, *block);
      }
    } catch (const Error&) {
      return {};
    }
    if (!keep) extent.blocks.clear();
    return extent;
  }

  // Makes room for the whole frame, as far as its content size, or else its blocks, say what it takes.
  static void reserve_frame(const FrameHeader& header, const BlockReader& reader, const Extent& extent, Output& out) {
    if (!header.content_size) return make_room(out, extent.most);
    const std::uint64_t earned = extent.most > 0 ? extent.most : reader.n_left() * kMaxExpansion;
    if (*header.content_size > earned) return;
    if (*header.content_size > out.limit() - out.size()) out.fail_full();
    make_room(out, *header.content_size);
  }

  // False when it cannot be done so: nothing has happened but that there may be more room. Otherwise reader is behind the last block.
  bool decode_side_by_side(const FrameHeader& header, BlockReader& reader, Output& out) {
    BlockReader ahead = reader;
    const bool wanted = options_.threads > 1 && header.independent;
    const Extent extent = wanted || !header.content_size ? walk_blocks(header, ahead, wanted) : Extent{};
    reserve_frame(header, reader, extent, out);
    const std::vector<Block>& blocks = extent.blocks;
    if (blocks.empty()) return false;
    const MutableByteView room = out.room().first(std::min<std::uint64_t>(out.room().size(), header.content_size.value_or(UINT64_MAX)));
    if (!can_go_side_by_side(header, blocks, room.size())) return false;
    const auto decoded = unpack_side_by_side(header, blocks, dictionary_of(header), room, options_.threads,
                                             header.content_checksum ? &checksum_ : nullptr);
    if (decoded) {
      out.advance(*decoded);
      reader.skip_to(ahead);
      return true;
    }
    checksum_.reset();
    return false;
  }

  void decode_blocks(const FrameHeader& header, BlockReader& reader, Output& out) {
    const std::size_t begin = out.size();
    // Beside the output only a dictionary makes it necessary, and only until 64 KiB are decoded.
    const ByteView dictionary = dictionary_of(header);
    const bool keeps_window = !header.independent && !dictionary.empty();
    if (keeps_window) window_.reset(dictionary);
    while (const auto block = reader.next()) {
      check_block_checksum(*block);
      const std::size_t n_before = out.size() - begin;
      const std::uint64_t most = most_unpacked(header, *block);
      const std::uint64_t left = header.content_size ? *header.content_size - n_before : UINT64_MAX;
      make_room(out, std::min(most, left));
      ByteView window = dictionary;
      if (!header.independent) window = ByteView(out.data() + begin, n_before).last(std::min(n_before, kWindowBytes));
      if (keeps_window && n_before < kWindowBytes) window = window_.view();
      decode_block(header, *block, window, left, out);
      if (keeps_window && n_before < kWindowBytes) window_.append({out.data() + begin + n_before, out.size() - begin - n_before});
    }
  }

  void decode_block(const FrameHeader& header, const Block& block, ByteView window, std::uint64_t left, Output& out) {
    const std::uint64_t allowed = std::min({most_unpacked(header, block), left, std::uint64_t{out.room().size()}});
    const MutableByteView dst = out.room().first(allowed);
    const Unpacked unpacked = unpack(block, window, dst);
    if (!unpacked.ok) {
      fail_block(header, block, window, dst, allowed == left);
      out.fail_full();
    }
    if (header.content_checksum) checksum_.update(dst.first(unpacked.size));
    out.advance(unpacked.size);
  }

  const DecompressOptions options_;
  Xxh32 checksum_;
  Window window_;
};

}  // namespace
}  // namespace lz4

std::unique_ptr<Decompressor> lz4_frame_decompressor(const DecompressOptions& options) {
  return std::make_unique<lz4::FrameDecompressor>(options);
}

}  // namespace haagenti
