// Decompresses whole buffers with zstd: frames that state a believable size straight into the output, others step by step.
#include <algorithm>
#include <optional>

#include "bytecodec/zstd/codec.h"
#include "bytecodec/zstd/dictionary.h"
#include "bytecodec/zstd/frame_walk.h"
#include "bytecodec/zstd/stream_decoder.h"
#include "haagenti/base/executor.h"

namespace haagenti::zstd {
namespace {

// Less is decoded before other threads have begun.
constexpr std::uint64_t kParallelMin = 512 * 1024;
// A stream's context with a larger window is not kept.
constexpr std::uint64_t kMostKept = 16u << 20;

class WholeDecompressor final : public Decompressor {
 public:
  explicit WholeDecompressor(const DecompressOptions& options)
      : options_(options), digested_(decompression_dictionary(options.dictionary)) {
    contexts_.emplace_back();
  }

  std::uint64_t decompress(ByteView src, Output& out) override {
    if (src.empty()) fail(ErrorKind::kTruncated, "zstd: the input is empty");
    const Frame first = frame_at(src, 0);
    if (first.extent == src.size() && first.content) {
      decode(src, first, 0, out);
      return src.size();
    }
    return options_.threads > 1 ? decompress_side_by_side(src, out) : decompress_in_order(src, out);
  }

 private:
  std::uint64_t decompress_in_order(ByteView src, Output& out) {
    std::uint64_t at = 0;
    for (std::uint64_t index = 0; at < src.size(); ++index) {
      if (ends_before(src, at)) break;
      const Frame frame = frame_at(src, at);
      decode(src, frame, index, out);
      at += frame.extent;
    }
    return at;
  }

  // True where the bytes from `at` on are not for us.
  bool ends_before(ByteView src, std::uint64_t at) const {
    if (at == 0 || begins_frame(src.subspan(at)) == NextFrame::kYes) return false;
    if (!options_.allow_trailing) fail_trailing(src.size() - at, at);
    return true;
  }

  void decode(ByteView src, const Frame& frame, std::uint64_t index, Output& out) {
    const ByteView rest = src.subspan(frame.offset);
    if (frame.extent == 0) diagnose(rest, frame, index);
    if (frame.skippable) return;
    const ByteView bytes = rest.first(frame.extent);
    if (!make_room(frame, out)) {
      stream(bytes, frame, index, out);
      return;
    }
    const std::size_t size = decode_into(contexts_.front(), bytes, out.room());
    if (ZSTD_isError(size)) fail_whole(size, bytes, frame, index, out);
    out.advance(size);
  }

  // Whether the frame can be decoded in one go: it fits what there is, or what it says or can at most hold is not out of proportion.
  static bool make_room(const Frame& frame, Output& out) {
    if (frame.content) return make_claimed_room(*frame.content, earned_by(frame.extent), out);
    const std::uint64_t most = frame.most;
    if (most <= out.room().size()) return true;
    if (most > out.limit() - out.size() || most > believed_by(frame.extent)) return false;
    out.reserve(most);
    return true;
  }

  // Frame after frame doubles the room, as steps do: exactly what each needs would copy all of it every time.
  static bool make_claimed_room(std::uint64_t content, std::uint64_t earned, Output& out) {
    if (content <= out.room().size()) return true;
    if (out.size() > 0 && out.capacity() < out.limit() && content <= earned) out.grow();
    return content <= out.room().size() || out.reserve_claimed(content, earned);
  }

  std::size_t decode_into(const DecompressionContext& context, ByteView bytes, MutableByteView dst) const {
    return ZSTD_decompress_usingDDict(context.get(), dst.data(), dst.size(), bytes.data(), bytes.size(), digested_);
  }

  void stream(ByteView bytes, const Frame& frame, std::uint64_t index, Output& out) {
    StreamDecoder& decoder = decoder_at(frame, index);
    decode_frames(decoder, bytes, out, false, frame.offset);
    if (decoder.n_bytes_held() > kMostKept) decoder_.reset();
  }

  StreamDecoder& decoder_at(const Frame& frame, std::uint64_t index) {
    if (!decoder_) decoder_.emplace(options_);
    decoder_->start_at(frame.offset, index);
    decoder_->reset();
    return *decoder_;
  }

  // The library refused a frame without saying where. Step by step it would refuse a large window first.
  [[noreturn]] void fail_whole(std::size_t result, ByteView bytes, const Frame& frame, std::uint64_t index, Output& out) {
    const bool can_stream = window_log(bytes) <= kWindowLogMax;
    if (can_stream && diagnosed_size(bytes, frame, index) > out.room().size()) out.fail_full();
    fail_frame(result, bytes.first(std::min(bytes.size(), kHeaderMax)), options_.dictionary.get(), frame_name(index, frame.offset));
  }

  // Throws what is wrong with a frame, whose end is not known.
  [[noreturn]] void diagnose(ByteView rest, const Frame& frame, std::uint64_t index) {
    diagnosed_size(rest, frame, index);
    fail(ErrorKind::kCorrupt, "zstd: the end of the frame cannot be found, ", frame_name(index, frame.offset));
  }

  // Decodes a frame step by step, keeping nothing. Returns its size, or throws what is wrong and where.
  std::uint64_t diagnosed_size(ByteView bytes, const Frame& frame, std::uint64_t index) {
    decoder_.reset();  // what is said does not depend on what was decoded before
    StreamDecoder& decoder = decoder_at(frame, index);
    std::vector<std::uint8_t> scratch(kBlockMax);
    std::uint64_t at = 0;
    std::uint64_t size = 0;
    for (;;) {
      const DecodeStep step = decoder.step(bytes.subspan(at), scratch);
      at += step.consumed;
      size += step.produced;
      if (step.frame_ended) return size;
      if (step.consumed == 0 && step.produced == 0) break;
    }
    const std::string name = frame_name(index, frame.offset);
    fail(ErrorKind::kTruncated, "zstd: the input ends too early, ", name, ", at input offset ", frame.offset + at);
  }

  // All frames at once where each states its size, and there are several.
  std::uint64_t decompress_side_by_side(ByteView src, Output& out) {
    const Walk walk = walk_frames(src);
    const bool worth_it = walk.frames.size() > 1 && walk.content >= kParallelMin;
    if (!worth_it || walk.content > earned_by(walk.extent)) return decompress_in_order(src, out);
    if (walk.content > out.room().size()) out.reserve(walk.content);
    std::vector<std::size_t> results(walk.frames.size());
    while (contexts_.size() < std::min<std::size_t>(options_.threads, walk.frames.size())) contexts_.emplace_back();
    parallel_for_on(options_.threads, walk.frames.size(), [&](std::size_t i, std::size_t thread) {
      const Frame& frame = walk.frames[i];
      const auto dst = out.room().subspan(walk.positions[i], *frame.content);
      results[i] = decode_into(contexts_[thread], src.subspan(frame.offset, frame.extent), dst);
    });
    for (std::size_t i = 0; i < results.size(); ++i) {
      const Frame& frame = walk.frames[i];
      if (ZSTD_isError(results[i])) fail_whole(results[i], src.subspan(frame.offset, frame.extent), frame, walk.indices[i], out);
    }
    out.advance(walk.content);
    if (walk.extent < src.size()) ends_before(src, walk.extent);
    return walk.extent;
  }

  const DecompressOptions options_;
  const ZSTD_DDict* const digested_;  // of options_.dictionary; null: none
  std::vector<DecompressionContext> contexts_;  // one a thread, the first of them always
  std::optional<StreamDecoder> decoder_;
};

}  // namespace

std::unique_ptr<Decompressor> make_decompressor(const DecompressOptions& options) { return std::make_unique<WholeDecompressor>(options); }

}  // namespace haagenti::zstd
