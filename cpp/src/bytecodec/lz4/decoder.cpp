// Decodes a stream of LZ4 frames, legacy and skippable ones among them, block by block.
#include <algorithm>
#include <cstring>
#include <vector>

#include "bytecodec/lz4/frame_blocks.h"
#include "bytecodec/lz4/lz4.h"
#include "haagenti/base/error.h"
#include "haagenti/base/xxh32.h"

namespace haagenti {
namespace lz4 {
namespace {

class FrameDecoder final : public Decoder {
 public:
  explicit FrameDecoder(const DecompressOptions& options) : dictionary_(options.dictionary) {}

  DecodeStep step(ByteView src, MutableByteView dst) override {
    src_ = src;
    dst_ = dst;
    produced_ = 0;
    bool ended = false;
    while (!ended && advance(ended)) {
    }
    return {.consumed = src.size() - src_.size(), .produced = produced_, .frame_ended = ended};
  }

  // A legacy frame has no end mark: each of its blocks is given out as a frame, which the next block, too, is one of.
  NextFrame next_frame(ByteView rest, std::size_t& skip) const override {
    skip = 0;
    if (rest.size() < kMagicBytes) return NextFrame::kNeedMore;
    if (begins_frame(rest)) return NextFrame::kYes;
    return legacy_ && load_le<std::uint32_t>(rest.data()) <= kLegacyMostPacked ? NextFrame::kYes : NextFrame::kNo;
  }

  void reset() override {
    state_ = State::kHeader;
    held_.clear();
    given_ = unpacked_size_ = 0;
    offset_ = 0;
    legacy_ = false;
  }

 private:
  enum class State { kHeader, kSkip, kBlockWord, kBlock, kGive, kContentChecksum };

  // Goes on by one part of the frame. False when it takes more input or more room.
  bool advance(bool& ended) {
    switch (state_) {
      case State::kHeader:
        return read_frame_header(ended);
      case State::kSkip:
        return skip(ended);
      case State::kBlockWord:
        return read_block_word(ended);
      case State::kBlock:
        return read_block();
      case State::kGive:
        return give(ended);
      case State::kContentChecksum:
        return read_content_checksum(ended);
    }
    return false;
  }

  // The next n bytes, once they have come: where they lie in the input, or held back. Empty (n is not 0) until then. Held bytes are the
  // caller's to clear.
  ByteView gather(std::size_t n) {
    if (held_.empty() && src_.size() >= n) return take(n);
    const ByteView more = take(std::min(n - held_.size(), src_.size()));
    held_.insert(held_.end(), more.begin(), more.end());
    return held_.size() == n ? ByteView(held_) : ByteView();
  }

  ByteView take(std::size_t n) {
    const ByteView taken = src_.first(n);
    src_ = src_.subspan(n);
    offset_ += n;
    return taken;
  }

  bool read_frame_header(bool& ended) {
    // Each part tells how long the whole is.
    std::size_t n = header_bytes(held_);
    while (held_.size() < n && !src_.empty()) {
      const ByteView more = take(std::min(n - held_.size(), src_.size()));
      held_.insert(held_.end(), more.begin(), more.end());
      if (begins_legacy_block()) return begin_legacy_block();
      n = header_bytes(held_);
    }
    if (held_.size() < n) return false;
    const std::uint64_t begin = offset_ - n;
    header_ = read_header(held_, begin);
    check_dictionary(header_, dictionary_.get(), begin);
    held_.clear();
    begin_frame(ended);
    return true;
  }

  bool begins_legacy_block() const {
    return legacy_ && held_.size() == kWordBytes && load_le<std::uint32_t>(held_.data()) <= kLegacyMostPacked;
  }

  bool begin_legacy_block() {
    state_ = State::kBlockWord;  // the word is held
    return true;
  }

  void begin_frame(bool& ended) {
    legacy_ = ended = header_.kind == FrameKind::kLegacy;
    index_ = 0;
    decoded_ = 0;
    window_.reset(legacy_ ? ByteView() : dictionary_window(dictionary_.get()));
    if (legacy_) return;
    if (header_.kind == FrameKind::kSkippable) {
      left_ = header_.skipped_bytes;
      state_ = State::kSkip;
      return;
    }
    checksum_.reset();
    state_ = State::kBlockWord;
  }

  bool skip(bool& ended) {
    left_ -= static_cast<std::uint32_t>(take(std::min<std::size_t>(left_, src_.size())).size());
    if (left_ > 0) return false;
    end_frame(ended);
    return true;
  }

  void end_frame(bool& ended) {
    state_ = State::kHeader;
    ended = true;
  }

  bool read_block_word(bool& ended) {
    const ByteView bytes = gather(kWordBytes);
    if (bytes.empty()) return false;
    word_.word = load_le<std::uint32_t>(bytes.data());
    held_.clear();
    if (word_.is_end(header_)) {
      check_content_size(header_, decoded_, offset_);
      state_ = State::kContentChecksum;
      if (!header_.content_checksum) end_frame(ended);
      return true;
    }
    check_block_size(header_, word_, index_, offset_ - kWordBytes);
    state_ = State::kBlock;
    return true;
  }

  bool read_block() {
    const std::size_t n_checksum = header_.block_checksums ? kWordBytes : 0;
    const std::size_t n = word_.size() + n_checksum;
    const ByteView bytes = gather(n);
    if (bytes.size() < n) return false;
    Block block{.bytes = bytes.first(word_.size()), .stored = word_.is_stored(), .checksum = {}, .index = index_++, .offset = offset_ - n};
    if (n_checksum > 0) block.checksum = load_le<std::uint32_t>(bytes.data() + block.bytes.size());
    check_block_checksum(block);
    decode(block);
    held_.clear();
    state_ = State::kGive;
    return true;
  }

  // Straight into the caller's memory where the block fits for certain, else to be given out from memory of our own.
  void decode(const Block& block) {
    const std::uint64_t left = header_.content_size ? *header_.content_size - decoded_ : UINT64_MAX;
    const std::uint64_t most = std::min(most_unpacked(header_, block), left);
    const bool straight = dst_.size() >= most;
    if (!straight && unpacked_.size() < most) unpacked_ = Buffer(most);
    const MutableByteView place = straight ? dst_.first(most) : unpacked_.mutable_view().first(most);
    const Unpacked unpacked = unpack(block, window_.view(), place);
    if (!unpacked.ok) fail_block(header_, block, window_.view(), place, most == left);
    const ByteView decoded = place.first(unpacked.size);
    decoded_ += decoded.size();
    if (header_.content_checksum) checksum_.update(decoded);
    if (!header_.independent) window_.append(decoded);
    given_ = unpacked_size_ = 0;
    if (straight) {
      advance_dst(decoded.size());
    } else {
      unpacked_size_ = decoded.size();
    }
  }

  void advance_dst(std::size_t n) {
    dst_ = dst_.subspan(n);
    produced_ += n;
  }

  bool give(bool& ended) {
    const std::size_t n = std::min(dst_.size(), unpacked_size_ - given_);
    if (n > 0) std::memcpy(dst_.data(), unpacked_.data() + given_, n);
    given_ += n;
    advance_dst(n);
    if (given_ < unpacked_size_) return false;
    state_ = State::kBlockWord;
    if (legacy_) end_frame(ended);
    return true;
  }

  bool read_content_checksum(bool& ended) {
    const ByteView bytes = gather(kWordBytes);
    if (bytes.empty()) return false;
    check_content_checksum(load_le<std::uint32_t>(bytes.data()), checksum_.digest(), offset_ - kWordBytes);
    held_.clear();
    end_frame(ended);
    return true;
  }

  const std::shared_ptr<const Dictionary> dictionary_;
  // Of the step that runs.
  ByteView src_;
  MutableByteView dst_;
  std::size_t produced_ = 0;

  State state_ = State::kHeader;
  std::vector<std::uint8_t> held_;  // the part of a header, word or block that has come
  std::uint64_t offset_ = 0;        // of src_ in all input
  FrameHeader header_;
  std::uint32_t left_ = 0;  // to be skipped
  BlockWord word_;
  std::uint64_t index_ = 0;
  std::uint64_t decoded_ = 0;  // bytes of this frame
  bool legacy_ = false;        // the last header was a legacy frame's
  Xxh32 checksum_;
  Window window_;
  Buffer unpacked_;  // a block, where dst is too small for it
  std::size_t unpacked_size_ = 0;
  std::size_t given_ = 0;
};

}  // namespace
}  // namespace lz4

std::unique_ptr<Decoder> lz4_frame_decoder(const DecompressOptions& options) { return std::make_unique<lz4::FrameDecoder>(options); }

}  // namespace haagenti
