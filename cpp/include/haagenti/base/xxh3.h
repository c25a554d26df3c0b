// XXH3-64 with seed 0, the checksum of every format of ours.
// Not responsible for how a checksum is placed in a header.
#pragma once

#include <cstdint>
#include <string>

#include "haagenti/base/bytes.h"

namespace haagenti {

std::uint64_t xxh3_64(ByteView bytes);

// Of the two views one after the other.
std::uint64_t xxh3_64(ByteView first, ByteView second);

std::string xxh3_library_version();

}  // namespace haagenti
