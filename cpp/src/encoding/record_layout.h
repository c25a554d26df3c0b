// Offsets of the fixed header and sizes of the tables behind it, shared by the reader and the writer of records. See spec.md.
#pragma once

#include <cstdint>

#include "haagenti/base/checked.h"
#include "haagenti/encoding/record.h"

namespace haagenti::layout {

inline constexpr char kMagic[] = {'H', 'G', 'T', 'R'};
inline constexpr std::uint16_t kVersion = 1;

inline constexpr std::size_t kVersionAt = 4;
inline constexpr std::size_t kDTypeAt = 6;
inline constexpr std::size_t kRankAt = 7;
inline constexpr std::size_t kHeaderSizeAt = 8;
inline constexpr std::size_t kSegmentsAt = 12;
inline constexpr std::size_t kParamsSizeAt = 14;
inline constexpr std::size_t kRecordSizeAt = 16;
inline constexpr std::size_t kRowsAt = 24;
inline constexpr std::size_t kRowLengthAt = 32;
inline constexpr std::size_t kChunkRowsAt = 40;
inline constexpr std::size_t kChunkColsAt = 48;
inline constexpr std::size_t kTransformAt = 56;
inline constexpr std::size_t kQuantizerAt = 60;
inline constexpr std::size_t kErrorAt = 64;
inline constexpr std::size_t kFlagsAt = 104;
inline constexpr std::size_t kTransformParamsAt = 112;
inline constexpr std::size_t kChecksumAt = 120;

inline constexpr std::uint64_t kMeasuredFlag = 1;
inline constexpr std::size_t kSegmentEntry = 16;
inline constexpr std::size_t kChunkEntry = 16;

// Of the product of dims, zeros left out: the bytes then fit a signed 64-bit size for every dtype, and so do the strides of an empty array.
inline constexpr std::uint64_t kMaxElements = std::uint64_t{1} << 58;

// A record may stand for at most this many bytes of elements for each of its own: zeros under zstd reach a quarter of it.
inline constexpr std::uint64_t kMaxExpansion = 65536;

inline std::uint64_t padded8(std::uint64_t size) { return round_up(size, 8); }

// Where the parts after the fixed header start.
struct Tables {
  std::uint64_t dims;
  std::uint64_t perm;
  std::uint64_t params;
  std::uint64_t segments;
  std::uint64_t chunks;

  Tables(std::uint64_t rank, std::uint64_t params_size, std::uint64_t n_segments)
      : dims(kRecordFixedSize),
        perm(dims + 8 * rank),
        params(perm + padded8(rank)),
        segments(params + padded8(params_size)),
        chunks(segments + kSegmentEntry * n_segments) {}
};

}  // namespace haagenti::layout
