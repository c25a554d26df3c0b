// Writes one frame as a stream. What the frame is like is decided when its first block is: a stream flushed before it has filled a block is
// one of short messages, which are linked to make each other smaller; any other has large independent blocks.
#include <algorithm>
#include <cstring>
#include <vector>

#include "bytecodec/lz4/frame_header.h"
#include "bytecodec/lz4/frame_writer.h"
#include "bytecodec/lz4/lz4.h"
#include "bytecodec/lz4/pieces.h"
#include "haagenti/base/buffer.h"

namespace haagenti {
namespace lz4 {
namespace {

constexpr std::uint64_t kLinkedBlock = 65536;

class FrameEncoder final : public Encoder {
 public:
  explicit FrameEncoder(const CompressOptions& options) : writer_(options) {}

  EncodeStep step(ByteView src, MutableByteView dst, Directive directive) override {
    EncodeStep step;
    for (;;) {
      step.produced += drain(dst.subspan(step.produced));
      if (given_ < staged_size_) return step;
      const ByteView rest = src.subspan(step.consumed);
      if (!rest.empty()) {
        step.consumed += take(rest, dst, step.produced);
      } else if (directive == Directive::kContinue || settled_ == directive) {
        settled_ = Directive::kContinue;
        step.done = true;
        return step;
      } else {
        settle(directive, dst, step.produced);
      }
    }
  }

 private:
  std::size_t drain(MutableByteView dst) {
    const std::size_t n = std::min(dst.size(), staged_size_ - given_);
    if (n > 0) std::memcpy(dst.data(), staged_.data() + given_, n);
    given_ += n;
    return n;
  }

  // Takes input up to the end of a block, and compresses the block when it is full: from where it lies if all of it is there.
  std::size_t take(ByteView src, MutableByteView dst, std::size_t& produced) {
    const std::size_t n = std::min<std::size_t>(src.size(), block_ - gathered_.size());
    settled_ = Directive::kContinue;
    if (n == block_) {
      write(src.first(n), dst, produced, false);
    } else {
      gathered_.insert(gathered_.end(), src.begin(), src.begin() + static_cast<std::ptrdiff_t>(n));
      if (gathered_.size() == block_) write_gathered(dst, produced, false);
    }
    return n;
  }

  void settle(Directive directive, MutableByteView dst, std::size_t& produced) {
    const bool finish = directive == Directive::kFinish;
    if (finish || !gathered_.empty()) {
      if (!begun_ && !finish) begin_linked();
      write_gathered(dst, produced, finish);
    }
    settled_ = directive;
  }

  void write_gathered(MutableByteView dst, std::size_t& produced, bool finish) {
    write(gathered_, dst, produced, finish);
    gathered_.clear();
  }

  void begin_linked() {
    preferences_ = writer_.preferences(std::nullopt);
    preferences_.frameInfo.blockMode = LZ4F_blockLinked;
    preferences_.frameInfo.blockSizeID = LZ4F_max64KB;
    block_ = kLinkedBlock;
    begun_ = true;
  }

  // Compresses blocks, with the frame's header in front if none was written and its end behind if it is finished: into the caller's memory
  // where there is room for the worst case, else to be drained.
  void write(ByteView src, MutableByteView dst, std::size_t& produced, bool finish) {
    if (!begun_) preferences_ = finish ? writer_.preferences(src.size()) : writer_.preferences(std::nullopt);
    begun_ = true;
    const std::size_t most = kMaxHeaderBytes + LZ4F_compressBound(src.size(), &preferences_);
    staged_size_ = given_ = 0;
    if (dst.size() - produced >= most) {
      produced += write_to(src, dst.subspan(produced), finish);
    } else {
      if (staged_.size() < most) staged_ = Buffer(most);
      staged_size_ = write_to(src, staged_.mutable_view(), finish);
    }
    if (!finish) return;
    begun_ = header_written_ = false;
    block_ = kLargestBlock;
  }

  std::size_t write_to(ByteView src, MutableByteView dst, bool finish) {
    std::size_t n = 0;
    if (!header_written_) n = checked(LZ4F_compressBegin_usingCDict(writer_.context(), dst.data(), dst.size(), writer_.dictionary(),
                                                                    &preferences_));
    header_written_ = true;
    if (!src.empty()) n += checked(LZ4F_compressUpdate(writer_.context(), dst.data() + n, dst.size() - n, src.data(), src.size(), nullptr));
    if (finish) n += checked(LZ4F_compressEnd(writer_.context(), dst.data() + n, dst.size() - n, nullptr));
    return n;
  }

  FrameWriter writer_;
  LZ4F_preferences_t preferences_{};  // of the frame begun
  bool begun_ = false;                // it is decided what the frame is like
  bool header_written_ = false;
  std::size_t block_ = kLargestBlock;
  std::vector<std::uint8_t> gathered_;  // input of less than a block
  Buffer staged_;                       // output
  std::size_t staged_size_ = 0;
  std::size_t given_ = 0;                     // of staged_
  Directive settled_ = Directive::kContinue;  // the directive whose output is staged already
};

}  // namespace
}  // namespace lz4

std::unique_ptr<Encoder> lz4_frame_encoder(const CompressOptions& options) {
  if (options.threads > 1) return piece_encoder(lz4::frame_pieces(options), options.threads);
  return std::make_unique<lz4::FrameEncoder>(options);
}

}  // namespace haagenti
