// Checks what users ask of a codec against its row of the table, with messages that list what is allowed.
#pragma once

#include <optional>
#include <string_view>

#include "haagenti/bytecodec/byte_codec.h"

namespace haagenti {

// The row of a name. Throws InvalidArgument listing the names; "none" is no algorithm.
const ByteCodec& algorithm_named(std::string_view name);

// The level of a word (fast, default, best). Throws InvalidArgument listing words and range.
int level_of_word(const ByteCodec& codec, std::string_view word, bool streaming);
// Returns level. Throws InvalidArgument, as above, when it is out of range.
int checked_level(const ByteCodec& codec, long long level, bool streaming);

// checksum: nullopt is the format's default. threads = 0 stands for the processors there are. Throws InvalidArgument or Unsupported.
CompressOptions compress_options(const ByteCodec& codec, int level, std::optional<bool> checksum, long long threads,
                                 std::shared_ptr<const Dictionary> dictionary);
DecompressOptions decompress_options(const ByteCodec& codec, long long threads, bool allow_trailing, std::shared_ptr<const Dictionary> dictionary);

}  // namespace haagenti
