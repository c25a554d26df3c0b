// gzip members whose headers say how long they are: found without decoding, and decoded side by side.
// Not responsible for members that do not say it, nor for telling what is wrong with one.
#pragma once

#include <cstdint>
#include <vector>

#include "haagenti/base/bytes.h"
#include "haagenti/bytecodec/output.h"

namespace haagenti::deflate {

struct Member {
  std::uint64_t body = 0;  // offset of its Deflate stream in the input
  std::uint64_t end = 0;
  std::uint64_t size = 0;  // decoded, as its trailer claims
};

struct MemberIndex {
  std::vector<Member> members;  // from the first byte on, back to back
  std::uint64_t size = 0;       // decoded, all together; what the members' bytes can at most decode to is not less
};

// The members at the beginning of src that claim their sizes, until one does not or its claim cannot be true.
MemberIndex index_members(ByteView src);

// Appends what the members hold. False when a claim is wrong, data corrupt or the limit of out too small; out is as before then.
bool decode_members(const MemberIndex& index, ByteView src, Output& out, std::uint32_t threads);

}  // namespace haagenti::deflate
