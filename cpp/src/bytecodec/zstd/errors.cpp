// The library's errors in words, and as kinds.
#include <zstd_errors.h>

#include <new>

#include "bytecodec/zstd/stream_decoder.h"

namespace haagenti::zstd {
namespace {

[[noreturn]] void fail_dictionary(std::uint32_t wanted, const Dictionary* given, const std::string& where) {
  const std::string have = given == nullptr ? "no dictionary was given" : concat("the one given has id ", given->id());
  fail(ErrorKind::kDecompression, "zstd: dictionary with id ", wanted, " is needed, ", have, ", ", where);
}

[[noreturn]] void fail_window(unsigned log, const std::string& where) {
  fail(ErrorKind::kDecompression, "zstd: the frame needs a window log of ", log, ", ", kWindowLogMax,
       " is allowed where the size is not known, ", where);
}

// A raw dictionary has no id that a frame could name: a missing one shows as corruption.
std::string reason_of(ZSTD_ErrorCode code) {
  switch (code) {
    case ZSTD_error_checksum_wrong: return "checksum mismatch";
    case ZSTD_error_prefix_unknown: return "no magic number of a frame";
    case ZSTD_error_corruption_detected: return "corrupt block (or a dictionary without id is missing)";
    case ZSTD_error_literals_headerWrong: return "corrupt literals";
    case ZSTD_error_frameParameter_unsupported: return "corrupt frame header (a reserved bit is set)";
    case ZSTD_error_srcSize_wrong: return "corrupt block size";
    case ZSTD_error_dstSize_tooSmall: return "corrupt frame: holds more than it states";
    default: return concat("corrupt data: ", ZSTD_getErrorString(code));
  }
}

}  // namespace

std::string frame_name(std::uint64_t frame, std::uint64_t offset) {
  return concat("in frame ", frame, ", which begins at input offset ", offset);
}

void fail_frame(std::size_t result, ByteView frame_header, const Dictionary* dictionary, const std::string& where) {
  const ZSTD_ErrorCode code = ZSTD_getErrorCode(result);
  if (code == ZSTD_error_memory_allocation) throw std::bad_alloc();
  if (code == ZSTD_error_dictionary_wrong) {
    fail_dictionary(ZSTD_getDictID_fromFrame(frame_header.data(), frame_header.size()), dictionary, where);
  }
  if (code == ZSTD_error_frameParameter_windowTooLarge) fail_window(window_log(frame_header), where);
  fail(ErrorKind::kCorrupt, "zstd: ", reason_of(code), ", ", where);
}

}  // namespace haagenti::zstd
