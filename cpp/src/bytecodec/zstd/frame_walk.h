// Where the frames of a buffer lie and what they say of their size, without decoding them.
// Not responsible for what is wrong with a frame that has no end: decoding it tells.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "haagenti/base/bytes.h"

namespace haagenti::zstd {

struct Frame {
  std::uint64_t offset = 0;
  std::uint64_t extent = 0;  // bytes, header and checksum included; 0: its end was not found
  std::optional<std::uint64_t> content;  // as its header states
  std::uint64_t most = 0;                // what its blocks can at most decode to
  bool skippable = false;
};

// The frame at src[offset]. Reads the headers of its blocks only.
Frame frame_at(ByteView src, std::uint64_t offset);

struct Walk {
  std::vector<Frame> frames;  // skippable ones left out
  std::vector<std::uint64_t> indices;    // of frames among all, skippable ones counted
  std::vector<std::uint64_t> positions;  // of what frames hold, in the output
  std::uint64_t extent = 0;   // of all frames
  std::uint64_t content = 0;  // of all frames
};

// No frames where one has no end or does not state a size that its extent could hold. What follows the last frame is left to the caller.
Walk walk_frames(ByteView src);

// The largest content believed of a frame that says how much it holds.
std::uint64_t earned_by(std::uint64_t n_bytes);
// The same for one whose blocks tell only the most that they could hold: memory is taken for all of it.
std::uint64_t believed_by(std::uint64_t n_bytes);

}  // namespace haagenti::zstd
