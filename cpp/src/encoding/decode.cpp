// Decodes records: whole, by rows, or by elements.
#include <algorithm>
#include <cstring>

#include "encoding/chunk_transform.h"
#include "haagenti/base/buffer.h"
#include "haagenti/base/error.h"
#include "haagenti/base/executor.h"
#include "haagenti/base/xxh3.h"
#include "haagenti/encoding/record.h"

namespace haagenti {
namespace {

// Outputs beyond this are written around the cache: half of a usual last level, so that what is decoded next to it stays there.
constexpr std::uint64_t kStreamBytes = 8u << 20;

// Scratch up to this stays with its thread: a writer's chunks have about 1 MiB. A record that asks for more gets pages that go back, and that cost
// nothing until its codec has found the chunk credible and writes to them.
constexpr std::uint64_t kKeptScratch = 8u << 20;

}  // namespace

// Where decoded rows go: `dst` is element (row, col) of the matrix, rows `stride` elements apart.
struct RecordView::Destination {
  std::uint8_t* dst;
  std::uint64_t row;
  std::uint64_t col;
  std::uint64_t stride;
  DType dtype;
  bool stream;
  bool coefficients = false;  // what the quantiser holds, not transformed back

  std::uint8_t* at(std::uint64_t r, std::uint64_t c) const { return dst + ((r - row) * stride + (c - col)) * dtype_bits(dtype) / 8; }
};

RecordView::RecordView(ByteView bytes, std::string name, bool allow_more)
    : bytes_(bytes), name_(std::move(name)), header_(parse_record_header(bytes, name_)) {
  if (!allow_more && bytes.size() != header_.record_size) {
    fail(ErrorKind::kCorrupt, "tensor '", name_, "': ", bytes.size() - header_.record_size, " bytes after the record of ", header_.record_size);
  }
  bytes_ = bytes.first(header_.record_size);
  checked_ = std::make_unique<std::atomic<bool>[]>(header_.segments.size() * header_.segments[0].chunks.size());
}

ByteView RecordView::check_chunk(std::size_t segment, std::uint64_t chunk) const {
  const StoredChunk& stored = header_.segments[segment].chunks[chunk];
  const ByteView bytes = bytes_.subspan(stored.offset, stored.size);
  if (xxh3_64(bytes) == stored.checksum) return bytes;
  fail(ErrorKind::kCorrupt, "tensor '", name_, "': checksum mismatch in chunk ", chunk, " of segment ", segment, " (", stored.size, " bytes at ", stored.offset, ")");
}

ByteView RecordView::checked_chunk(std::size_t segment, std::uint64_t chunk) const {
  const std::vector<StoredChunk>& chunks = header_.segments[segment].chunks;
  std::atomic<bool>& checked = checked_[segment * chunks.size() + chunk];
  if (checked.load(std::memory_order_relaxed)) return bytes_.subspan(chunks[chunk].offset, chunks[chunk].size);
  const ByteView bytes = check_chunk(segment, chunk);
  checked.store(true, std::memory_order_relaxed);
  return bytes;
}

void RecordView::check_output(std::uint64_t n_elements, MutableByteView out, DType out_dtype) const {
  if (!header_.quantizer->functions.decodes_to(header_.dtype, out_dtype)) {
    fail(ErrorKind::kInvalidArgument, "tensor '", name_, "': ", describe_stages(header_.stages()), " of ", dtype_name(header_.dtype), " does not decode to ",
         dtype_name(out_dtype));
  }
  const auto expected = dtype_bytes(out_dtype, n_elements);
  if (!expected || *expected != out.size()) {
    fail(ErrorKind::kInvalidArgument, "tensor '", name_, "': the output has ", out.size(), " bytes, expected ", expected.value_or(0));
  }
  const std::size_t alignment = std::max<std::size_t>(1, dtype_bits(out_dtype) / 8);
  if (reinterpret_cast<std::uintptr_t>(out.data()) % alignment != 0) {
    fail(ErrorKind::kInvalidArgument, "tensor '", name_, "': the output does not begin at a multiple of ", alignment, " bytes");
  }
}

void RecordView::verify() const {
  std::uint64_t end = header_.header_size;
  for (std::size_t s = 0; s < header_.segments.size(); ++s) {
    const Segment& segment = header_.segments[s];
    check_padding(end, segment.offset);
    parallel_for(segment.chunks.size(), [&](std::size_t chunk) { check_chunk(s, chunk); });
    end = segment.offset + segment.size;
  }
  check_padding(end, bytes_.size());
}

void RecordView::check_padding(std::uint64_t begin, std::uint64_t end) const {
  const ByteView padding = bytes_.subspan(begin, end - begin);
  if (std::any_of(padding.begin(), padding.end(), [](std::uint8_t byte) { return byte != 0; })) {
    fail(ErrorKind::kCorrupt, "tensor '", name_, "': the padding before byte ", end, " is not zero");
  }
}

void RecordView::decode_chunk(std::uint64_t chunk, std::uint64_t row_begin, std::uint64_t row_end, const Destination& to) const {
  thread_local Buffer kept[kMaxSegments];
  Buffer large[kMaxSegments];
  const ChunkShape shape = header_.grid.shape(chunk);
  const std::uint64_t first_row = header_.grid.row_begin(chunk);
  DequantizeArgs args{
      .segments = {},
      .sizes = {},
      .dtype = header_.dtype,
      .shape = shape,
      .row_begin = row_begin - first_row,
      .row_end = row_end - first_row,
      .params = header_.params,
      .out_dtype = to.dtype,
      .dst = to.at(row_begin, header_.grid.col_begin(chunk)),
      .dst_stride = to.stride,
      .stream = to.stream,
  };
  for (std::size_t s = 0; s < header_.segments.size(); ++s) {
    const ByteView bytes = checked_chunk(s, chunk);
    args.segments[s] = bytes.data();
    args.sizes[s] = bytes.size();
    if (header_.segments[s].codec->id == CodecId::kNone) continue;
    const std::uint64_t plain = header_.quantizer->functions.segment_bytes(s, shape, header_.dtype, header_.params);
    Buffer& scratch = plain <= kKeptScratch ? kept[s] : large[s];
    if (scratch.size() < plain) scratch = Buffer(plain);
    try {
      header_.segments[s].codec->functions.chunk.decompress_into(bytes, {scratch.data(), plain});
    } catch (const Error& error) {
      fail(error.kind(), "tensor '", name_, "': chunk ", chunk, " of segment ", s, ": ", error.what());
    }
    args.segments[s] = scratch.data();
    args.sizes[s] = plain;
  }
  if (!header_.quantizer->functions.variable_size) return restore(args, chunk, to.coefficients);
  try {
    restore(args, chunk, to.coefficients);
  } catch (const Error& error) {
    fail(error.kind(), "tensor '", name_, "': chunk ", chunk, ": ", error.what());
  }
}

void RecordView::restore(const DequantizeArgs& args, std::uint64_t chunk, bool coefficients) const {
  if (coefficients || !header_.is_transformed()) return header_.quantizer->functions.dequantize(args);
  const ChunkTransform back{&transform(header_.transform), header_.transform_params, header_.mean()};
  dequantize_transformed(*header_.quantizer, back, args, header_.grid.col_begin(chunk));
}

void RecordView::decode(MutableByteView out, DType out_dtype) const { decode_rows(0, header_.grid.n_rows, out, out_dtype); }

void RecordView::decode_rows(std::uint64_t begin, std::uint64_t end, MutableByteView out, DType out_dtype) const {
  decode_rows_to(begin, end, out, out_dtype, false);
}

void RecordView::decode_coefficients(std::uint64_t begin, std::uint64_t end, MutableByteView out, DType out_dtype) const {
  decode_rows_to(begin, end, out, out_dtype, true);
}

void RecordView::decode_rows_to(std::uint64_t begin, std::uint64_t end, MutableByteView out, DType out_dtype, bool coefficients) const {
  const ChunkGrid& grid = header_.grid;
  if (begin > end || end > grid.n_rows) {
    fail(ErrorKind::kInvalidArgument, "tensor '", name_, "': rows ", begin, " to ", end, " of a matrix of ", grid.n_rows);
  }
  check_output((end - begin) * grid.row_length, out, out_dtype);
  if (out.empty()) return;
  const Destination to{out.data(), begin, 0, grid.row_length, out_dtype, out.size() > kStreamBytes, coefficients};
  const std::uint64_t first = begin / grid.chunk_rows * grid.grid_cols();
  const std::uint64_t last = ceil_div(end, grid.chunk_rows) * grid.grid_cols();
  parallel_for(last - first, [&](std::size_t i) {
    const std::uint64_t chunk = first + i;
    const std::uint64_t row = grid.row_begin(chunk);
    decode_chunk(chunk, std::max(begin, row), std::min(end, row + grid.shape(chunk).rows), to);
  });
}

// Columns begin..end of one row: the chunks that they touch, the first and the last through a copy where they are not whole.
void RecordView::decode_row_part(std::uint64_t row, std::uint64_t begin, std::uint64_t end, std::uint8_t* dst, DType out_dtype) const {
  const ChunkGrid& grid = header_.grid;
  const std::uint64_t n_bytes = (end - begin) * dtype_bits(out_dtype) / 8;
  const Destination to{dst, row, begin, grid.row_length, out_dtype, n_bytes > kStreamBytes};
  const std::uint64_t first_of_row = row / grid.chunk_rows * grid.grid_cols();
  const std::uint64_t first = begin / grid.chunk_cols;
  parallel_for(ceil_div(end, grid.chunk_cols) - first, [&](std::size_t i) {
    const std::uint64_t chunk = first_of_row + first + i;
    const std::uint64_t col = grid.col_begin(chunk);
    const std::uint64_t cols = grid.shape(chunk).cols;
    if (begin <= col && col + cols <= end) return decode_chunk(chunk, row, row + 1, to);
    Buffer whole(cols * dtype_bits(out_dtype) / 8);
    const Destination copy{whole.data(), row, col, cols, out_dtype, false};
    decode_chunk(chunk, row, row + 1, copy);
    const std::uint64_t from = std::max(begin, col);
    const std::uint64_t n = std::min(end, col + cols) - from;
    std::memcpy(to.at(row, from), copy.at(row, from), n * dtype_bits(out_dtype) / 8);
  });
}

void RecordView::decode_elements(std::uint64_t begin, std::uint64_t end, MutableByteView out, DType out_dtype) const {
  const ChunkGrid& grid = header_.grid;
  if (begin > end || end > header_.n_elements) {
    fail(ErrorKind::kInvalidArgument, "tensor '", name_, "': elements ", begin, " to ", end, " of ", header_.n_elements);
  }
  if (begin * dtype_bits(out_dtype) % 8 != 0) {
    fail(ErrorKind::kInvalidArgument, "tensor '", name_, "': element ", begin, " of ", dtype_name(out_dtype), " does not start on a byte");
  }
  check_output(end - begin, out, out_dtype);
  if (begin == end) return;
  // The end of a first row, whole rows, the beginning of a last one.
  std::uint8_t* dst = out.data();
  const auto advance = [&](std::uint64_t to) {
    dst += (to - begin) * dtype_bits(out_dtype) / 8;
    begin = to;
  };
  const auto part_of_row = [&](std::uint64_t to) {
    const std::uint64_t row = begin / grid.row_length;
    decode_row_part(row, begin - row * grid.row_length, to - row * grid.row_length, dst, out_dtype);
    advance(to);
  };
  if (begin % grid.row_length != 0) part_of_row(std::min(end, round_up(begin, grid.row_length)));
  const std::uint64_t whole_end = end / grid.row_length * grid.row_length;
  if (begin < whole_end) {
    decode_rows(begin / grid.row_length, whole_end / grid.row_length, {dst, (whole_end - begin) * dtype_bits(out_dtype) / 8}, out_dtype);
    advance(whole_end);
  }
  if (begin < end) part_of_row(end);
}

}  // namespace haagenti
