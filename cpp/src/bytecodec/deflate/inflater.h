// Decodes one raw Deflate stream in parts. Not responsible for headers, trailers and checksums (stream_decoder.h).
#pragma once

#include <memory>

#include "haagenti/base/bytes.h"

namespace haagenti::deflate {

struct InflateStep {
  std::size_t consumed = 0;
  std::size_t produced = 0;
  bool ended = false;           // consumed says exactly where
  const char* error = nullptr;  // what is wrong with the stream, `consumed` bytes into src or a little before
};

class Inflater {
 public:
  virtual ~Inflater() = default;
  // Begins a stream. dictionary: what lies before its first byte; may be empty.
  virtual void begin(ByteView dictionary) = 0;
  // With both src and room in dst, consumes or produces something, or ends, or gives an error.
  virtual InflateStep step(ByteView src, MutableByteView dst) = 0;
};

std::unique_ptr<Inflater> make_zlib_inflater();
// Null in builds without ISA-L. Takes no dictionary.
std::unique_ptr<Inflater> make_isal_inflater();
// The faster of them that this build has.
std::unique_ptr<Inflater> make_fast_inflater();

}  // namespace haagenti::deflate
