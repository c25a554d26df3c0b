// What decompresses: a whole buffer (Decompressor) or a stream (Decoder). Both keep their library's context and may be used again and
// again, by one thread at a time. Errors are Corrupt, Truncated or Decompression and say at which offset of the input, where that is known.
#pragma once

#include <cstdint>
#include <memory>

#include "haagenti/base/bytes.h"
#include "haagenti/bytecodec/dictionary.h"
#include "haagenti/bytecodec/output.h"

namespace haagenti {

struct DecompressOptions {
  std::uint32_t threads = 1;     // more than 1: independent parts are decoded side by side
  bool allow_trailing = false;   // bytes after the last frame are left alone instead of being an error
  std::shared_ptr<const Dictionary> dictionary{};  // null: none
};

class Decompressor {
 public:
  virtual ~Decompressor() = default;

  // Appends to out what all frames or members of src hold. Returns the bytes of src that were read: all of them, unless allow_trailing.
  virtual std::uint64_t decompress(ByteView src, Output& out) = 0;
};

struct DecodeStep {
  std::size_t consumed = 0;
  std::size_t produced = 0;
  bool frame_ended = false;  // exactly here, with all its bytes given out and its checksum right
};

enum class NextFrame { kYes, kNo, kNeedMore };

class Decoder {
 public:
  virtual ~Decoder() = default;

  // Reads from src, writes to dst, as far as both go. Incomplete headers are kept inside: with room in dst, a step that neither consumes,
  // produces nor ends means that src is empty. After frame_ended, the next call begins another frame.
  virtual DecodeStep step(ByteView src, MutableByteView dst) = 0;

  // Between frames: does rest (not empty) begin another one? kNeedMore only when rest is shorter than it takes to tell.
  // Formats whose streams do not follow each other say kNo. Where the standard tool skips padding (gzip: zeros), `skip` says how much.
  virtual NextFrame next_frame(ByteView rest, std::size_t& skip) const = 0;

  // Forgets the frame begun: the next step begins another.
  virtual void reset() = 0;
};

// One step into out's room, which is made larger when it is full. At the limit the end of a frame may still come; bytes are out.fail_full().
DecodeStep step_into(Decoder& decoder, ByteView src, Output& out);

// Decodes all frames of src with a Decoder, from a position between frames, growing out as bytes come. Returns the bytes read.
// The way of every format whose size is not known in advance. `offset` is that of src[0] in the whole input, for messages.
std::uint64_t decode_frames(Decoder& decoder, ByteView src, Output& out, bool allow_trailing, std::uint64_t offset = 0);

// Throws the error for bytes after the last frame: Corrupt, naming their number and offset.
[[noreturn]] void fail_trailing(std::uint64_t n_bytes, std::uint64_t offset);

}  // namespace haagenti
