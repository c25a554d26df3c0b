// LZ4F contexts and the options that our frames are written with.
#pragma once

#include <memory>
#include <optional>

#define LZ4F_STATIC_LINKING_ONLY  // dictionaries: the symbols are in the shared library, too
#include <lz4frame.h>

#include "haagenti/base/error.h"
#include "haagenti/bytecodec/compressor.h"

namespace haagenti::lz4 {

class FrameWriter {
 public:
  explicit FrameWriter(const CompressOptions& options);

  LZ4F_cctx* context() const { return context_.get(); }
  const LZ4F_CDict* dictionary() const { return dictionary_.get(); }

  // As FramePieces writes: independent blocks, as large as the size, where it is known, makes useful.
  LZ4F_preferences_t preferences(std::optional<std::uint64_t> content_size) const;

  std::uint64_t n_bytes_held() const;

 private:
  struct Release {
    void operator()(LZ4F_cctx* context) const { LZ4F_freeCompressionContext(context); }
    void operator()(LZ4F_CDict* dictionary) const { LZ4F_freeCDict(dictionary); }
  };

  const CompressOptions options_;
  std::unique_ptr<LZ4F_cctx, Release> context_;
  std::unique_ptr<LZ4F_CDict, Release> dictionary_;
};

// Throws InvalidArgument for an error of LZ4F.
inline std::size_t checked(std::size_t result) {
  if (LZ4F_isError(result)) fail(ErrorKind::kInvalidArgument, "lz4: ", LZ4F_getErrorName(result));
  return result;
}

}  // namespace haagenti::lz4
