// A record: one compressed tensor as a self-describing run of bytes. Here it is read; encode.h makes one.
// Not responsible for files. Format: cpp/src/encoding/spec.md.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "haagenti/base/bytes.h"
#include "haagenti/base/dtype.h"
#include "haagenti/bytecodec/byte_codec.h"
#include "haagenti/encoding/chunk_grid.h"
#include "haagenti/encoding/encoding_spec.h"
#include "haagenti/quantize/quantizer.h"

namespace haagenti {

inline constexpr std::size_t kRecordAlignment = 64;
inline constexpr std::size_t kRecordFixedSize = 128;
inline constexpr std::size_t kMaxRank = 64;

struct StoredChunk {
  std::uint64_t offset;  // from the first byte of the record
  std::uint64_t size;
  std::uint64_t checksum;
};

struct Segment {
  SegmentKind kind;
  const ByteCodec* codec;
  std::uint64_t offset;
  std::uint64_t size;  // without the padding after it
  std::vector<StoredChunk> chunks;
};

// Everything a header says, checked.
struct RecordHeader {
  DType dtype;
  std::vector<std::uint64_t> dims;
  std::vector<std::uint8_t> perm;
  std::uint64_t n_elements;
  ChunkGrid grid;
  TransformId transform;
  TransformParams transform_params;
  const Quantizer* quantizer;
  std::vector<std::uint8_t> params;
  bool measured;
  ErrorSums error;
  std::uint64_t header_size;
  std::uint64_t record_size;
  std::uint64_t header_checksum;
  std::vector<Segment> segments;

  // The record's stages, for its canonical name.
  Stages stages() const;
  // What is added to every element after the inverse transform; 0 where the quantiser keeps no mean.
  float mean() const { return quantizer->functions.mean == nullptr ? 0 : quantizer->functions.mean(params); }
  bool is_transformed() const { return transform != TransformId::kIdentity || quantizer->functions.mean != nullptr; }
};

// Reads and checks the header of the record that `bytes` starts with. Throws Truncated, Corrupt or Unsupported; messages begin with the tensor's name.
RecordHeader parse_record_header(ByteView bytes, const std::string& name);

// A record in memory that the caller keeps alive. A chunk is checked against its checksum when it is first decoded; verify() checks all.
class RecordView {
 public:
  // allow_more: bytes after the record are not an error.
  RecordView(ByteView bytes, std::string name, bool allow_more = false);

  const RecordHeader& header() const { return header_; }
  const std::string& name() const { return name_; }
  ByteView bytes() const { return bytes_; }

  // Every chunk against its checksum, and the padding against zero.
  void verify() const;

  // All elements in the order of the matrix, as `out_dtype`; out holds exactly them.
  void decode(MutableByteView out, DType out_dtype) const;
  void decode_rows(std::uint64_t begin, std::uint64_t end, MutableByteView out, DType out_dtype) const;
  // As decode_rows, but what the quantiser holds: without the inverse transform, and without the mean that was taken off before it.
  void decode_coefficients(std::uint64_t begin, std::uint64_t end, MutableByteView out, DType out_dtype) const;
  // Elements of the matrix counted along its rows.
  void decode_elements(std::uint64_t begin, std::uint64_t end, MutableByteView out, DType out_dtype) const;

 private:
  struct Destination;
  void decode_rows_to(std::uint64_t begin, std::uint64_t end, MutableByteView out, DType out_dtype, bool coefficients) const;
  void decode_chunk(std::uint64_t chunk, std::uint64_t row_begin, std::uint64_t row_end, const Destination& to) const;
  void restore(const DequantizeArgs& args, std::uint64_t chunk, bool coefficients) const;
  // The stored bytes of a chunk of a segment, checked against their checksum; by checked_chunk only the first time.
  ByteView check_chunk(std::size_t segment, std::uint64_t chunk) const;
  ByteView checked_chunk(std::size_t segment, std::uint64_t chunk) const;
  void check_padding(std::uint64_t begin, std::uint64_t end) const;
  void decode_row_part(std::uint64_t row, std::uint64_t begin, std::uint64_t end, std::uint8_t* dst, DType out_dtype) const;
  void check_output(std::uint64_t n_elements, MutableByteView out, DType out_dtype) const;

  ByteView bytes_;
  std::string name_;
  RecordHeader header_;
  std::unique_ptr<std::atomic<bool>[]> checked_;  // one a chunk of a segment
};

}  // namespace haagenti
