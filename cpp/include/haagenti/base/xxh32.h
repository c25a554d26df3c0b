// XXH32 with seed 0, the checksum inside LZ4 frames.
// Not responsible for how a checksum is placed in a frame.
#pragma once

#include <cstdint>
#include <memory>

#include "haagenti/base/bytes.h"

namespace haagenti {

std::uint32_t xxh32(ByteView bytes);

// Of bytes that come in parts.
class Xxh32 {
 public:
  Xxh32();
  ~Xxh32();
  Xxh32(const Xxh32&) = delete;
  Xxh32& operator=(const Xxh32&) = delete;

  void reset();
  void update(ByteView bytes);
  // Of all bytes since the last reset.
  std::uint32_t digest() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace haagenti
