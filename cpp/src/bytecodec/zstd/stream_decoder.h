// Decodes zstd frames step by step, block by block, so that an error has an offset.
// Not responsible for finding frames: each step belongs to the frame that the last one did not end.
#pragma once

#include "bytecodec/zstd/context.h"
#include "bytecodec/zstd/frame.h"

namespace haagenti::zstd {

class StreamDecoder final : public Decoder {
 public:
  explicit StreamDecoder(const DecompressOptions& options);

  DecodeStep step(ByteView src, MutableByteView dst) override;
  NextFrame next_frame(ByteView rest, std::size_t& skip) const override;
  void reset() override;

  // The next byte given is that of this offset, of this frame; for messages. reset() keeps both.
  void start_at(std::uint64_t offset, std::uint64_t frame);
  std::uint64_t n_bytes_held() const { return ZSTD_sizeof_DCtx(context_.get()); }

 private:
  void remember(ByteView src);
  std::size_t take_magic(ByteView src);
  bool feed(ByteView src, MutableByteView dst, DecodeStep& step);
  bool is_idle(ByteView src, MutableByteView dst) const;
  void check_content_size() const;
  void end_frame();
  [[noreturn]] void fail_step(std::size_t result) const;

  DecompressionContext context_;
  const std::shared_ptr<const Dictionary> dictionary_;
  std::uint8_t header_[kHeaderMax] = {};  // the frame's first bytes
  std::size_t n_header_ = 0;
  std::uint64_t offset_ = 0;              // of the next byte that the library reads
  std::uint64_t frame_ = 0;
  std::uint64_t frame_offset_ = 0;
  std::uint64_t n_given_ = 0;             // bytes of output in this frame
  std::size_t wanted_ = 0;                // bytes to the end of the block; 0: no hint yet
  bool starved_ = false;                  // the last step moved nothing for want of input
  bool blocked_ = false;                  // ... of room
};

// What one-shot and streaming decoding say of a refusal by the library. frame_header: what there is of it.
[[noreturn]] void fail_frame(std::size_t result, ByteView frame_header, const Dictionary* dictionary, const std::string& where);
// "in frame 2, which begins at input offset 70".
std::string frame_name(std::uint64_t frame, std::uint64_t offset);

}  // namespace haagenti::zstd
