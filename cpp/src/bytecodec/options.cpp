#include "haagenti/bytecodec/options.h"

#include <algorithm>
#include <string>

#include "haagenti/base/error.h"
#include "haagenti/base/executor.h"

namespace haagenti {
namespace {

constexpr long long kMaxThreads = 256;  // more is a mistake: zstd takes no more either

int highest_level(const ByteCodec& codec, bool streaming) {
  const Levels& levels = codec.functions.stream.levels;
  return streaming ? levels.highest_streaming : levels.highest;
}

[[noreturn]] void fail_level(const ByteCodec& codec, std::string_view given, bool streaming) {
  fail(ErrorKind::kInvalidArgument, codec.name, ": level ", given, ", expected ", codec.functions.stream.levels.lowest, " to ",
       highest_level(codec, streaming), streaming ? " in a stream or with a dictionary" : "", ", or 'fast', 'default', 'best'");
}

std::uint32_t checked_threads(const ByteCodec& codec, long long threads) {
  if (threads < 0 || threads > kMaxThreads) {
    fail(ErrorKind::kInvalidArgument, codec.name, ": threads is ", threads, ", expected 1 to ", kMaxThreads, ", or 0 for the number of processors");
  }
  return static_cast<std::uint32_t>(threads == 0 ? available_processors() : static_cast<std::size_t>(threads));
}

void check_dictionary(const ByteCodec& codec, bool given) {
  if (given && !codec.functions.stream.dictionary) fail(ErrorKind::kInvalidArgument, codec.name, " takes no dictionary");
}

bool checked_checksum(const ByteCodec& codec, std::optional<bool> asked) {
  const ChecksumChoice choice = codec.functions.stream.checksum;
  if (!asked) return choice == ChecksumChoice::kAlways;
  if (*asked && choice == ChecksumChoice::kNever) fail(ErrorKind::kInvalidArgument, codec.name, " has no checksum");
  if (!*asked && choice == ChecksumChoice::kAlways) fail(ErrorKind::kInvalidArgument, codec.name, " always has a checksum");
  return *asked;
}

}  // namespace

const ByteCodec& algorithm_named(std::string_view name) {
  const ByteCodec* codec = find_byte_codec(name);
  if (codec != nullptr && codec->functions.stream.compressor != nullptr) return *codec;
  std::string names;
  for (const ByteCodec& row : byte_codec_table()) {
    if (row.functions.stream.compressor != nullptr) names += (names.empty() ? "" : ", ") + std::string(row.name);
  }
  // A message ends at the first zero byte.
  fail(ErrorKind::kInvalidArgument, "algorithm '", name.substr(0, name.find('\0')), "' is not known, expected one of: ", names);
}

int level_of_word(const ByteCodec& codec, std::string_view word, bool streaming) {
  const Levels& levels = codec.functions.stream.levels;
  if (word == "fast") return levels.fast;
  if (word == "default") return levels.standard;
  if (word == "best") return streaming ? std::min(levels.best, levels.highest_streaming) : levels.best;
  fail_level(codec, concat("'", word, "'"), streaming);
}

int checked_level(const ByteCodec& codec, long long level, bool streaming) {
  if (level < codec.functions.stream.levels.lowest || level > highest_level(codec, streaming)) fail_level(codec, concat(level), streaming);
  return static_cast<int>(level);
}

CompressOptions compress_options(const ByteCodec& codec, int level, std::optional<bool> checksum, long long threads,
                                 std::shared_ptr<const Dictionary> dictionary) {
  const std::uint32_t n_threads = checked_threads(codec, threads);
  if (threads > 1 && !codec.functions.stream.threads) {
    fail(ErrorKind::kUnsupported, codec.name, " (", codec.functions.library, " ", codec.functions.library_version, ") compresses with one thread only, threads is ", threads);
  }
  check_dictionary(codec, dictionary != nullptr);
  return {level, codec.functions.stream.threads ? n_threads : 1, checked_checksum(codec, checksum), std::move(dictionary)};
}

DecompressOptions decompress_options(const ByteCodec& codec, long long threads, bool allow_trailing, std::shared_ptr<const Dictionary> dictionary) {
  check_dictionary(codec, dictionary != nullptr);
  return {checked_threads(codec, threads), allow_trailing, std::move(dictionary)};
}

}  // namespace haagenti
