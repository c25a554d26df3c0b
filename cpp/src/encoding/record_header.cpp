// Reads the header of a record and checks every field against every other before anything is allocated for the tensor.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>

#include "encoding/record_layout.h"
#include "haagenti/base/error.h"
#include "haagenti/base/xxh3.h"
#include "haagenti/encoding/record.h"

namespace haagenti {
namespace {

// One pass over the bytes of one header; knows the tensor's name for its messages.
class HeaderReader {
 public:
  HeaderReader(ByteView bytes, const std::string& name) : bytes_(bytes), name_(name) {}

  RecordHeader read() {
    read_frame();
    RecordHeader header{};
    read_type_and_sizes(header);
    read_stages(header);
    const layout::Tables tables(header.dims.size(), header.params.size(), n_segments_);
    read_segments(header, tables);
    read_error(header);
    return header;
  }

 private:
  template <class T>
  T at(std::uint64_t offset) const {
    return load_le<T>(bytes_.data() + offset);
  }

  template <class... Parts>
  [[noreturn]] void refuse(ErrorKind kind, const Parts&... parts) const {
    fail(kind, "tensor '", name_, "': ", parts...);
  }

  // Runs a look-up of a stage and puts the tensor's name before its error.
  template <class LookUp>
  auto named(LookUp look_up) const {
    try {
      return look_up();
    } catch (const Error& error) {
      refuse(error.kind(), error.what());
    }
  }

  void require(bool ok, std::string_view field, std::uint64_t found, std::string_view expected) const {
    if (!ok) refuse(ErrorKind::kCorrupt, "record field ", field, " is ", found, ", expected ", expected);
  }

  void zeros(std::uint64_t begin, std::uint64_t end, std::string_view what) const {
    const auto* first = bytes_.data() + begin;
    if (!std::all_of(first, bytes_.data() + end, [](std::uint8_t byte) { return byte == 0; })) {
      refuse(ErrorKind::kCorrupt, what, " of the record header are not zero");
    }
  }

  // Magic, version, extent and checksum: after this the header is what its writer wrote, or a forgery.
  void read_frame() {
    if (bytes_.size() < kRecordFixedSize) {
      refuse(ErrorKind::kTruncated, "a record needs at least ", kRecordFixedSize, " bytes, found ", bytes_.size());
    }
    if (std::memcmp(bytes_.data(), layout::kMagic, sizeof layout::kMagic) != 0) {
      refuse(ErrorKind::kCorrupt, "not a record: it does not begin with HGTR");
    }
    const auto version = at<std::uint16_t>(layout::kVersionAt);
    if (version != layout::kVersion) refuse(ErrorKind::kUnsupported, "record layout version ", version, ", this build reads ", layout::kVersion);
    header_size_ = at<std::uint32_t>(layout::kHeaderSizeAt);
    require(header_size_ >= kRecordFixedSize && header_size_ % kRecordAlignment == 0, "header_size", header_size_, "a multiple of 64, at least 128");
    if (header_size_ > bytes_.size()) {
      refuse(ErrorKind::kTruncated, "record header of ", header_size_, " bytes, found ", bytes_.size());
    }
    const std::uint64_t stated = at<std::uint64_t>(layout::kChecksumAt);
    const std::uint64_t actual = xxh3_64(bytes_.subspan(0, layout::kChecksumAt), bytes_.subspan(kRecordFixedSize, header_size_ - kRecordFixedSize));
    if (stated != actual) refuse(ErrorKind::kCorrupt, "record header checksum is ", stated, ", its bytes give ", actual);
  }

  void read_type_and_sizes(RecordHeader& header) {
    const std::uint8_t wire = bytes_[layout::kDTypeAt];
    const auto dtype = dtype_from_wire(wire);
    if (!dtype) refuse(ErrorKind::kUnsupported, "dtype number ", static_cast<int>(wire), " is not known to this build");
    header.dtype = *dtype;
    const std::size_t rank = bytes_[layout::kRankAt];
    require(rank <= kMaxRank, "rank", rank, "at most 64");
    params_size_ = at<std::uint16_t>(layout::kParamsSizeAt);
    n_segments_ = at<std::uint16_t>(layout::kSegmentsAt);
    const layout::Tables tables(rank, params_size_, n_segments_);
    require(tables.chunks <= header_size_, "header_size", header_size_, "room for dims, parameters and segments");
    header.header_size = header_size_;
    header.record_size = at<std::uint64_t>(layout::kRecordSizeAt);
    header.header_checksum = at<std::uint64_t>(layout::kChecksumAt);
    require(header.record_size >= header_size_ && header.record_size % kRecordAlignment == 0, "record_size", header.record_size,
            "a multiple of 64, at least header_size");
    if (header.record_size > bytes_.size()) {
      refuse(ErrorKind::kTruncated, "record of ", header.record_size, " bytes, found ", bytes_.size());
    }
    read_dims(header, rank, tables);
    read_grid(header);
  }

  void read_dims(RecordHeader& header, std::size_t rank, const layout::Tables& tables) {
    std::optional<std::uint64_t> n = 1;
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < rank; ++i) {
      header.dims.push_back(at<std::uint64_t>(tables.dims + 8 * i));
      header.perm.push_back(bytes_[tables.perm + i]);
      require(header.perm[i] < rank && !(seen >> header.perm[i] & 1), "perm", header.perm[i], "a permutation of the axes");
      seen |= std::uint64_t{1} << header.perm[i];
    }
    zeros(tables.perm + rank, tables.params, "bytes after perm");
    // Axes of length 0 are left out of the product: even an empty array needs strides that fit.
    const bool empty = std::find(header.dims.begin(), header.dims.end(), 0u) != header.dims.end();
    for (const std::uint64_t dim : header.dims) {
      if (n && dim != 0) n = checked_mul(*n, dim);
    }
    if (!n || *n > layout::kMaxElements) refuse(ErrorKind::kCorrupt, "the product of dims is larger than 2^58");
    header.n_elements = empty ? 0 : *n;
  }

  void read_grid(RecordHeader& header) {
    ChunkGrid& grid = header.grid;
    grid = {at<std::uint64_t>(layout::kRowsAt), at<std::uint64_t>(layout::kRowLengthAt), at<std::uint64_t>(layout::kChunkRowsAt),
            at<std::uint64_t>(layout::kChunkColsAt)};
    const auto n = checked_mul(grid.n_rows, grid.row_length);
    if (!n || *n != header.n_elements) {
      refuse(ErrorKind::kCorrupt, "matrix of ", grid.n_rows, " x ", grid.row_length, " does not hold the ", header.n_elements, " elements of its shape");
    }
    require(grid.chunk_rows > 0 && (grid.chunk_rows % kChunkRowMultiple == 0 || grid.chunk_rows >= grid.n_rows), "chunk_rows", grid.chunk_rows,
            "a multiple of 16, or n_rows");
    require(grid.chunk_cols > 0 && (grid.chunk_cols % kChunkColMultiple == 0 || grid.chunk_cols >= grid.row_length), "chunk_cols", grid.chunk_cols,
            "a multiple of 65536, or row_length");
    const auto size = dtype_bytes(header.dtype, header.n_elements);
    const bool whole_bytes = dtype_bits(header.dtype) % 8 == 0 || grid.n_rows <= 1;
    if (!size || !whole_bytes) refuse(ErrorKind::kCorrupt, header.n_elements, " elements of ", dtype_name(header.dtype), " do not fill whole bytes");
    if (ceil_div(*size, layout::kMaxExpansion) > header.record_size) {
      refuse(ErrorKind::kCorrupt, "a record of ", header.record_size, " bytes cannot hold ", *size, " bytes of elements");
    }
  }

  void read_stages(RecordHeader& header) {
    header.transform = named([&] { return transform_from_wire(at<std::uint16_t>(layout::kTransformAt), at<std::uint16_t>(layout::kTransformAt + 2)).id; });
    header.quantizer = named([&] { return &quantizer_from_wire(at<std::uint16_t>(layout::kQuantizerAt), at<std::uint16_t>(layout::kQuantizerAt + 2)); });
    const QuantizerFunctions& functions = header.quantizer->functions;
    require(params_size_ == functions.params_size, "params_size", params_size_, std::to_string(functions.params_size));
    require(n_segments_ == functions.segments.size(), "n_segments", n_segments_, std::to_string(functions.segments.size()));
    if (!functions.accepts(header.dtype)) {
      refuse(ErrorKind::kCorrupt, "quantiser ", header.quantizer->name, " cannot hold dtype ", dtype_name(header.dtype));
    }
    const layout::Tables tables(header.dims.size(), params_size_, n_segments_);
    header.params.assign(bytes_.begin() + static_cast<std::ptrdiff_t>(tables.params), bytes_.begin() + static_cast<std::ptrdiff_t>(tables.params + params_size_));
    zeros(tables.params + params_size_, tables.segments, "bytes after the parameters");
    named([&] { functions.check_params(header.params); });
    read_transform(header);
  }

  // The transform's parameters, and what it asks of the grid.
  void read_transform(RecordHeader& header) {
    const ByteView stored = bytes_.subspan(layout::kTransformParamsAt, kTransformParamsSize);
    header.transform_params = named([&] { return TransformParams::load(stored.first<kTransformParamsSize>()); });
    const Transform& row = transform(header.transform);
    const TransformParams& params = header.transform_params;
    const bool is_identity = header.transform == TransformId::kIdentity;
    if (!is_identity && header.quantizer->functions.lossless) refuse(ErrorKind::kCorrupt, "quantiser ", header.quantizer->name, " under a transform");
    require(row.functions.has_block || params.block == 1, "transform block", params.block, "1");
    require(row.functions.has_seed || params.seed == 0, "transform seed", params.seed, "0");
    try {
      row.functions.check(params, header.grid.n_rows, header.grid.row_length);
    } catch (const Error& error) {
      refuse(ErrorKind::kCorrupt, error.what());
    }
    const ChunkGrid& grid = header.grid;
    const std::uint64_t unit = row.functions.row_unit(params, grid.n_rows);
    require(grid.chunk_rows % unit == 0 || grid.chunk_rows >= grid.n_rows, "chunk_rows", grid.chunk_rows, concat("a multiple of ", unit, " or n_rows"));
    require(!row.functions.whole_rows || grid.chunk_cols >= grid.row_length, "chunk_cols", grid.chunk_cols, "at least row_length");
  }

  void read_segments(RecordHeader& header, const layout::Tables& tables) {
    const std::uint64_t n_chunks = header.n_elements == 0 ? 0 : header.grid.n_chunks();
    const std::uint64_t room = (header_size_ - tables.chunks) / layout::kChunkEntry / n_segments_;
    require(n_chunks <= room, "chunk_rows", header.grid.chunk_rows, "a grid whose chunk table fits the header");
    const std::uint64_t tables_end = tables.chunks + layout::kChunkEntry * n_segments_ * n_chunks;
    require(round_up(tables_end, kRecordAlignment) == header_size_, "header_size", header_size_, "the end of the chunk table");
    zeros(tables_end, header_size_, "bytes after the chunk table");
    std::uint64_t offset = header_size_;
    for (std::size_t s = 0; s < n_segments_; ++s) {
      header.segments.push_back(read_segment(header, tables, s, n_chunks, offset));
      offset = round_up(header.segments.back().offset + header.segments.back().size, kRecordAlignment);
    }
    require(offset == header.record_size, "record_size", header.record_size, std::to_string(offset) + ", where its segments end");
  }

  Segment read_segment(const RecordHeader& header, const layout::Tables& tables, std::size_t s, std::uint64_t n_chunks, std::uint64_t offset) {
    const std::uint64_t entry = tables.segments + s * layout::kSegmentEntry;
    Segment segment{};
    segment.kind = static_cast<SegmentKind>(at<std::uint16_t>(entry));
    require(segment.kind == header.quantizer->functions.segments[s], "segment kind", at<std::uint16_t>(entry), "the quantiser's");
    segment.codec = named([&] { return &byte_codec_from_wire(at<std::uint16_t>(entry + 2), at<std::uint16_t>(entry + 4)); });
    if (header.quantizer->functions.variable_size) {
      require(segment.codec->id == CodecId::kNone, "segment codec", at<std::uint16_t>(entry + 2), "none for this quantiser");
    }
    require(at<std::uint16_t>(entry + 6) == 0, "segment reserved", at<std::uint16_t>(entry + 6), "0");
    require(at<std::uint64_t>(entry + 8) == n_chunks, "n_chunks", at<std::uint64_t>(entry + 8), std::to_string(n_chunks));
    segment.offset = offset;
    std::uint64_t chunk_entry = tables.chunks + s * n_chunks * layout::kChunkEntry;
    for (std::uint64_t c = 0; c < n_chunks; ++c, chunk_entry += layout::kChunkEntry) {
      const StoredChunk chunk{offset + segment.size, at<std::uint64_t>(chunk_entry), at<std::uint64_t>(chunk_entry + 8)};
      const std::uint64_t plain = header.quantizer->functions.segment_bytes(s, header.grid.shape(c), header.dtype, header.params);
      if (chunk.size > header.record_size - chunk.offset) {
        refuse(ErrorKind::kCorrupt, "chunk ", c, " of segment ", s, " ends after the record: ", chunk.size, " bytes at ", chunk.offset, " of ", header.record_size);
      }
      const bool variable = header.quantizer->functions.variable_size;
      if (segment.codec->id == CodecId::kNone && (variable ? chunk.size > plain : chunk.size != plain)) {
        refuse(ErrorKind::kCorrupt, "chunk ", c, " of segment ", s, " has ", chunk.size, " bytes, expected ", variable ? "at most " : "", plain);
      }
      segment.chunks.push_back(chunk);
      segment.size += chunk.size;
    }
    return segment;
  }

  void read_error(RecordHeader& header) {
    const auto flags = at<std::uint64_t>(layout::kFlagsAt);
    require((flags & ~layout::kMeasuredFlag) == 0, "flags", flags, "no reserved bit");
    header.measured = flags & layout::kMeasuredFlag;
    require(header.measured != header.quantizer->functions.lossless, "flags", flags, "bit 0 exactly for lossy quantisers");
    if (!header.measured) return zeros(layout::kErrorAt, layout::kFlagsAt, "error fields of a lossless record");
    const auto value = [&](std::size_t i) { return at<double>(layout::kErrorAt + 8 * i); };
    header.error = {value(0), value(1), value(2), value(3), value(4)};
    constexpr std::size_t kDot = 2;  // the one that may be negative
    for (std::size_t i = 0; i < 5; ++i) {
      if (!std::isfinite(value(i)) || (i != kDot && value(i) < 0)) refuse(ErrorKind::kCorrupt, "error field ", i, " is ", value(i), ", expected a finite measure");
    }
  }

  ByteView bytes_;
  const std::string& name_;
  std::uint64_t header_size_ = 0;
  std::size_t params_size_ = 0;
  std::size_t n_segments_ = 0;
};

}  // namespace

RecordHeader parse_record_header(ByteView bytes, const std::string& name) { return HeaderReader(bytes, name).read(); }

Stages RecordHeader::stages() const {
  Stages result{.transform = transform, .transform_params = transform_params, .quantizer = quantizer->id, .params = params, .codecs = {}, .flat = false};
  for (const Segment& segment : segments) result.codecs.push_back(segment.codec->id);
  // One row where the shape has several: not so when all other axes have length 1.
  const bool permuted = !std::is_sorted(perm.begin(), perm.end());
  result.flat = !permuted && grid.n_rows == 1 && dims.size() > 1 && dims.front() != 1 && dims.back() != n_elements;
  return result;
}

}  // namespace haagenti
