// What lies around a Deflate stream: nothing, the header and trailer of zlib (RFC 1950) or those of gzip (RFC 1952).
#pragma once

#include <cstdint>

#include "haagenti/base/bytes.h"

namespace haagenti::deflate {

enum class Wrapper { kNone, kZlib, kGzip };

// The most bytes that one byte of Deflate decodes to: 258 bytes from two bits.
inline constexpr std::uint64_t kMaxExpansion = 1032;

const char* name_of(Wrapper wrapper);
std::size_t trailer_size(Wrapper wrapper);

// The running checksum of the wrapper (none: 0) over more bytes.
std::uint32_t initial_checksum(Wrapper wrapper);
std::uint32_t update_checksum(Wrapper wrapper, std::uint32_t checksum, ByteView bytes);

// Throws Corrupt where the trailer (trailer_size bytes at the given offset of the input) contradicts what was decoded.
void check_trailer(Wrapper wrapper, const std::uint8_t* trailer, std::uint32_t checksum, std::uint64_t size, std::uint64_t offset);

[[noreturn]] void fail_truncated(Wrapper wrapper, std::uint64_t offset);

}  // namespace haagenti::deflate
