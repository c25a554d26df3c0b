#include "bytecodec/deflate/wrapper.h"

#include <libdeflate.h>

#include <ios>

#include "haagenti/base/error.h"

namespace haagenti::deflate {

const char* name_of(Wrapper wrapper) {
  switch (wrapper) {
    case Wrapper::kNone: return "deflate";
    case Wrapper::kZlib: return "zlib";
    case Wrapper::kGzip: return "gzip";
  }
  return "";
}

std::size_t trailer_size(Wrapper wrapper) { return wrapper == Wrapper::kNone ? 0 : wrapper == Wrapper::kZlib ? 4 : 8; }

std::uint32_t initial_checksum(Wrapper wrapper) { return wrapper == Wrapper::kZlib ? 1 : 0; }

std::uint32_t update_checksum(Wrapper wrapper, std::uint32_t checksum, ByteView bytes) {
  if (wrapper == Wrapper::kNone || bytes.empty()) return checksum;
  if (wrapper == Wrapper::kZlib) return libdeflate_adler32(checksum, bytes.data(), bytes.size());
  return libdeflate_crc32(checksum, bytes.data(), bytes.size());
}

void check_trailer(Wrapper wrapper, const std::uint8_t* trailer, std::uint32_t checksum, std::uint64_t size, std::uint64_t offset) {
  if (wrapper == Wrapper::kNone) return;
  auto stored = load_le<std::uint32_t>(trailer);
  if (wrapper == Wrapper::kZlib) stored = __builtin_bswap32(stored);  // RFC 1950 is big-endian
  if (stored != checksum) {
    fail(ErrorKind::kCorrupt, name_of(wrapper), ": checksum mismatch, the data has 0x", std::hex, checksum, ", its trailer says 0x", stored, std::dec,
         ", at input offset ", offset);
  }
  if (wrapper == Wrapper::kZlib) return;
  const auto stored_size = load_le<std::uint32_t>(trailer + 4);
  if (stored_size == static_cast<std::uint32_t>(size)) return;
  fail(ErrorKind::kCorrupt, "gzip: the member has ", size, " bytes, its trailer says ", stored_size, " (modulo 2^32), at input offset ", offset + 4);
}

void fail_truncated(Wrapper wrapper, std::uint64_t offset) {
  fail(ErrorKind::kTruncated, name_of(wrapper), ": the compressed data is truncated, at input offset ", offset);
}

}  // namespace haagenti::deflate
