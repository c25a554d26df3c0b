// What compresses: a whole buffer (Compressor) or a stream (Encoder). Both keep their library's context and may be used again and again,
// by one thread at a time. Not responsible for levels in words or for checking options: their callers did (bytecodec/options.h).
#pragma once

#include <cstdint>
#include <memory>

#include "haagenti/base/bytes.h"
#include "haagenti/bytecodec/dictionary.h"

namespace haagenti {

struct CompressOptions {
  int level = 0;
  std::uint32_t threads = 1;  // more than 1: pieces compressed side by side; the bytes do not depend on how many
  bool checksum = false;
  std::shared_ptr<const Dictionary> dictionary{};  // null: none
};

class Compressor {
 public:
  virtual ~Compressor() = default;

  // Most bytes that `compress` may write for n_bytes of input.
  virtual std::uint64_t bound(std::uint64_t n_bytes) const = 0;

  // Returns the bytes written to dst. Where dst holds fewer than bound(src.size()) it may throw InvalidArgument, naming both sizes.
  virtual std::uint64_t compress(ByteView src, MutableByteView dst) = 0;

  // Bytes of memory that the context holds, roughly; decides whether an idle one is kept.
  virtual std::uint64_t n_bytes_held() const = 0;
};

enum class Directive {
  kContinue,  // take the input; output may wait
  kFlush,     // and give out all that a decoder needs to have read it
  kFinish,    // and end the stream
};

struct EncodeStep {
  std::size_t consumed = 0;
  std::size_t produced = 0;
  bool done = false;  // all of src is taken and the directive carried out; false: call again, with more room if there is little
};

class Encoder {
 public:
  virtual ~Encoder() = default;

  // Reads from src, writes to dst, as far as both go. The same directive is given again until done; after a done kFinish the next call
  // begins another stream.
  virtual EncodeStep step(ByteView src, MutableByteView dst, Directive directive) = 0;
};

}  // namespace haagenti
