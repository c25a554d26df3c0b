// An LZ4 frame as pieces: its independent blocks.
#pragma once

#include <memory>

#include "haagenti/bytecodec/pieces.h"

namespace haagenti::lz4 {

std::unique_ptr<PieceFormat> frame_pieces(const CompressOptions& options);

}  // namespace haagenti::lz4
