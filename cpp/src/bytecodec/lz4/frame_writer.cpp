#include "bytecodec/lz4/frame_writer.h"

#include <new>

#include <lz4hc.h>

#include "bytecodec/lz4/frame_header.h"

namespace haagenti::lz4 {

FrameWriter::FrameWriter(const CompressOptions& options) : options_(options) {
  LZ4F_cctx* context = nullptr;
  if (LZ4F_isError(LZ4F_createCompressionContext(&context, LZ4F_VERSION))) throw std::bad_alloc();
  context_.reset(context);
  const ByteView window = dictionary_window(options.dictionary.get());
  if (window.empty()) return;
  dictionary_.reset(LZ4F_createCDict(window.data(), window.size()));
  if (!dictionary_) throw std::bad_alloc();
}

LZ4F_preferences_t FrameWriter::preferences(std::optional<std::uint64_t> content_size) const {
  LZ4F_preferences_t preferences = LZ4F_INIT_PREFERENCES;
  const std::uint64_t block_max = content_size ? block_max_for(*content_size) : kLargestBlock;
  preferences.frameInfo.blockSizeID = static_cast<LZ4F_blockSizeID_t>(block_size_id(block_max));
  preferences.frameInfo.blockMode = LZ4F_blockIndependent;
  preferences.frameInfo.contentChecksumFlag = options_.checksum ? LZ4F_contentChecksumEnabled : LZ4F_noContentChecksum;
  preferences.frameInfo.contentSize = content_size.value_or(0);
  preferences.compressionLevel = options_.level;
  preferences.autoFlush = 1;  // blocks are handed over whole
  return preferences;
}

std::uint64_t FrameWriter::n_bytes_held() const {
  const auto state = static_cast<std::uint64_t>(options_.level >= LZ4HC_CLEVEL_MIN ? LZ4_sizeofStateHC() : LZ4_sizeofState());
  // A digested dictionary is a copy of it with a state for each mode.
  return dictionary_ ? state + kWindowBytes + static_cast<std::uint64_t>(LZ4_sizeofStateHC() + LZ4_sizeofState()) : state;
}

}  // namespace haagenti::lz4
