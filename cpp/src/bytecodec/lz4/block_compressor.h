// Compresses blocks that do not refer to each other, with a state of liblz4 that is used again and again.
// Not responsible for frames, nor for blocks that do not shrink.
#pragma once

#include <memory>

#include <lz4.h>
#include <lz4hc.h>

#include "haagenti/base/bytes.h"
#include "haagenti/bytecodec/dictionary.h"

namespace haagenti::lz4 {

class BlockCompressor {
 public:
  BlockCompressor(int level, std::shared_ptr<const Dictionary> dictionary);

  // Returns the bytes written, 0 when dst is too small for them. src has at most LZ4_MAX_INPUT_SIZE bytes. What is written depends neither
  // on
  // earlier blocks nor on the size of dst.
  std::size_t compress(ByteView src, MutableByteView dst);

  std::uint64_t n_bytes_held() const;

 private:
  struct Release {
    void operator()(LZ4_stream_t* stream) const { LZ4_freeStream(stream); }
    void operator()(LZ4_streamHC_t* stream) const { LZ4_freeStreamHC(stream); }
  };
  using FastState = std::unique_ptr<LZ4_stream_t, Release>;
  using HighState = std::unique_ptr<LZ4_streamHC_t, Release>;

  bool high() const { return high_ != nullptr; }
  int compress_fast(const char* src, char* dst, int n_src, int n_dst);
  int compress_high(const char* src, char* dst, int n_src, int n_dst);

  const int level_;
  const std::shared_ptr<const Dictionary> dictionary_;
  FastState fast_;
  HighState high_;
  // As left by loading the dictionary: copied before every block, which is faster than loading. Null without one.
  FastState fast_loaded_;
  HighState high_loaded_;
};

}  // namespace haagenti::lz4
