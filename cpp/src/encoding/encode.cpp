// Encodes a tensor chunk by chunk, in parallel, into one buffer that becomes the record.
#include "haagenti/encoding/encode.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>

#include "encoding/record_layout.h"
#include "encoding/value_encoder.h"
#include "haagenti/base/error.h"
#include "haagenti/base/executor.h"
#include "haagenti/base/xxh3.h"
#include "haagenti/encoding/choose_transform.h"
#include "haagenti/encoding/record.h"

namespace haagenti {
namespace {

// Levels that trade well for weights: from 3 to 9 zstd gains 0.9 % of the size at a tenth of the speed (`zstd -b3` and `-b9` on the bf16
// matrices of benchmarks/synthetic.py); LZ4's number is its acceleration.
constexpr int kZstdLevel = 3;
constexpr int kLz4Acceleration = 1;

int level_of(CodecId codec) { return codec == CodecId::kZstd ? kZstdLevel : kLz4Acceleration; }

void check_view(const TensorView& tensor) {
  const auto refuse = [&](const auto&... parts) { fail(ErrorKind::kInvalidArgument, "tensor '", tensor.name, "': ", parts...); };
  if (tensor.dims.size() > kMaxRank) refuse("rank ", tensor.dims.size(), ", at most ", kMaxRank);
  if (tensor.perm.size() != tensor.dims.size()) refuse("perm has ", tensor.perm.size(), " axes, the shape ", tensor.dims.size());
  std::vector<std::uint8_t> sorted = tensor.perm;
  std::sort(sorted.begin(), sorted.end());
  std::optional<std::uint64_t> n = 1;
  for (std::size_t i = 0; i < tensor.dims.size(); ++i) {
    if (sorted[i] != i) refuse("perm is not a permutation of the axes");
    if (n && tensor.dims[i] != 0) n = checked_mul(*n, tensor.dims[i]);
  }
  if (!n || *n > layout::kMaxElements) refuse("the product of its dims is larger than 2^58");
  if (std::find(tensor.dims.begin(), tensor.dims.end(), 0u) != tensor.dims.end()) n = 0;
  if (checked_mul(tensor.n_rows, tensor.row_length) != n) {
    refuse("matrix of ", tensor.n_rows, " x ", tensor.row_length, " does not hold the elements of its shape");
  }
  const auto size = dtype_bytes(tensor.dtype, *n);
  if (!size || (dtype_bits(tensor.dtype) % 8 != 0 && tensor.n_rows > 1)) refuse(*n, " elements of ", dtype_name(tensor.dtype), " do not fill whole bytes a row");
  if (*size != tensor.bytes.size()) refuse("expected ", *size, " bytes of elements, found ", tensor.bytes.size());
}

// A part of the buffer that one chunk of one segment is written to before the parts are moved together.
struct Slot {
  std::uint64_t offset;
  std::uint64_t plain;
  std::uint64_t stored;
  std::uint64_t checksum;
};

ChunkGrid grid_of(const TensorView& tensor, const Stages& stages) {
  const TransformFunctions& functions = transform(stages.transform).functions;
  const ChunkDemand demand{functions.row_unit(stages.transform_params, tensor.n_rows), functions.whole_rows};
  return choose_chunk_grid(tensor.n_rows, tensor.row_length, dtype_bits(tensor.dtype), demand);
}

class RecordWriter {
 public:
  RecordWriter(const TensorView& tensor, Stages stages, const EncoderHints& hints)
      : tensor_(tensor),
        stages_(std::move(stages)),
        hints_(hints),
        quantizer_(quantizer(stages_.quantizer)),
        grid_(grid_of(tensor, stages_)),
        n_chunks_(tensor.bytes.empty() ? 0 : grid_.n_chunks()),
        n_segments_(quantizer_.functions.segments.size()),
        transformed_(stages_.transform != TransformId::kIdentity || quantizer_.functions.prepare != nullptr) {}

  EncodedTensor write() {
    plan_slots();
    errors_.resize(n_chunks_);
    rejections_.resize(n_chunks_);
    if (transformed_) {
      encode_transformed();
    } else {
      parallel_for(n_chunks_, [this](std::size_t chunk) { encode_chunk(chunk); });
    }
    if (const std::string reason = rejected(); !reason.empty()) return {Buffer(), reason};
    const std::uint64_t size = compact();
    const std::uint64_t n_elements = tensor_.n_rows * tensor_.row_length;
    if (n_elements != 0 && quantizer_.functions.exceeds != nullptr && quantizer_.functions.exceeds(size, n_elements, stages_.params)) {
      return {Buffer(), concat("the header and tables alone make a record of ", size, " bytes, more than the bits a weight that were asked for")};
    }
    write_header(size);
    buffer_.truncate(size);
    return {std::move(buffer_), ""};
  }

 private:
  Slot& slot(std::size_t segment, std::uint64_t chunk) { return slots_[segment * n_chunks_ + chunk]; }

  void plan_slots() {
    const layout::Tables tables(tensor_.dims.size(), stages_.params.size(), n_segments_);
    header_size_ = round_up(tables.chunks + layout::kChunkEntry * n_segments_ * n_chunks_, kRecordAlignment);
    if (header_size_ > UINT32_MAX) fail(ErrorKind::kInvalidArgument, "tensor '", tensor_.name, "' has too many chunks for one record");
    std::uint64_t at = header_size_;
    slots_.resize(n_segments_ * n_chunks_);
    for (std::size_t s = 0; s < n_segments_; ++s) {
      const ByteCodec& codec = byte_codec(stages_.codecs[s]);
      for (std::uint64_t c = 0; c < n_chunks_; ++c) {
        const std::uint64_t plain = quantizer_.functions.segment_bytes(s, grid_.shape(c), tensor_.dtype, stages_.params);
        slot(s, c) = {at, plain, 0, 0};
        at += codec.functions.chunk.bound(plain);
      }
      at = round_up(at, kRecordAlignment);
    }
    buffer_ = Buffer(at);
  }

  void encode_chunk(std::uint64_t chunk) {
    thread_local std::vector<std::uint8_t> scratch[kMaxSegments];
    const std::uint64_t first = grid_.row_begin(chunk) * grid_.row_length + grid_.col_begin(chunk);
    QuantizeArgs args{
        .src = tensor_.bytes.data() + first * dtype_bits(tensor_.dtype) / 8,
        .src_stride = tensor_.row_length,
        .dtype = tensor_.dtype,
        .shape = grid_.shape(chunk),
        .params = stages_.params,
        .scale_rule = hints_.scale_rule,
        .negligible = 0,
        .keep = {},
        .segments = {},
        .sizes = nullptr,
        .error = &errors_[chunk],
    };
    for (std::size_t s = 0; s < n_segments_; ++s) {
      const Slot& target = slot(s, chunk);
      const bool direct = stages_.codecs[s] == CodecId::kNone;
      if (!direct && scratch[s].size() < target.plain) scratch[s].resize(target.plain);
      args.segments[s] = direct ? buffer_.data() + target.offset : scratch[s].data();
    }
    rejections_[chunk] = quantizer_.functions.quantize(args);
    if (rejections_[chunk]) return;
    for (std::size_t s = 0; s < n_segments_; ++s) store(slot(s, chunk), stages_.codecs[s], args.segments[s]);
  }

  void encode_transformed() {
    ValueEncoder encoder(tensor_, grid_, stages_, hints_.scale_rule);
    encoder.prepare(header_size_, rejections_);
    if (std::any_of(rejections_.begin(), rejections_.end(), [](const auto& rejection) { return rejection.has_value(); })) return;
    stages_.params = encoder.params();
    parallel_for(n_chunks_, [&](std::size_t chunk) {
      ValueEncoder::Segments segments{};
      for (std::size_t s = 0; s < n_segments_; ++s) segments[s] = {buffer_.data() + slot(s, chunk).offset, slot(s, chunk).plain};
      rejections_[chunk] = encoder.encode(chunk, segments, &errors_[chunk]);
      if (rejections_[chunk]) return;
      for (std::size_t s = 0; s < n_segments_; ++s) {
        slot(s, chunk).stored = segments[s].size();
        slot(s, chunk).checksum = xxh3_64(segments[s]);
      }
    });
  }

  void store(Slot& target, CodecId codec, const std::uint8_t* plain) {
    std::uint8_t* dst = buffer_.data() + target.offset;
    target.stored = codec == CodecId::kNone ? target.plain : byte_codec(codec).functions.chunk.compress({plain, target.plain}, dst, level_of(codec));
    target.checksum = xxh3_64({dst, target.stored});
  }

  // Of the first chunk, so that the reason does not depend on threads.
  std::string rejected() {
    for (std::uint64_t c = 0; c < n_chunks_; ++c) {
      total_.add(errors_[c]);
      if (!rejections_[c]) continue;
      const std::uint64_t col = grid_.col_begin(c) + rejections_[c]->col;
      return concat("row ", grid_.row_begin(c) + rejections_[c]->row, ", column ", col, " of the matrix begins a group with ", rejections_[c]->reason);
    }
    if (!std::isfinite(total_.error_energy)) return concat("a decoded value would not fit ", dtype_name(tensor_.dtype));
    return "";
  }

  // Moves the chunks together and pads every segment; returns the record's size.
  std::uint64_t compact() {
    std::uint64_t at = header_size_;
    for (std::size_t s = 0; s < n_segments_; ++s) {
      for (std::uint64_t c = 0; c < n_chunks_; ++c) {
        const Slot& from = slot(s, c);
        if (from.offset != at) std::memmove(buffer_.data() + at, buffer_.data() + from.offset, from.stored);
        at += from.stored;
      }
      const std::uint64_t end = round_up(at, kRecordAlignment);
      std::memset(buffer_.data() + at, 0, end - at);
      at = end;
    }
    return at;
  }

  void write_header(std::uint64_t record_size) {
    std::uint8_t* h = buffer_.data();
    std::memset(h, 0, header_size_);
    std::memcpy(h, layout::kMagic, sizeof layout::kMagic);
    store_le(h + layout::kVersionAt, layout::kVersion);
    h[layout::kDTypeAt] = static_cast<std::uint8_t>(tensor_.dtype);
    h[layout::kRankAt] = static_cast<std::uint8_t>(tensor_.dims.size());
    store_le(h + layout::kHeaderSizeAt, static_cast<std::uint32_t>(header_size_));
    store_le(h + layout::kSegmentsAt, static_cast<std::uint16_t>(n_segments_));
    store_le(h + layout::kParamsSizeAt, static_cast<std::uint16_t>(stages_.params.size()));
    store_le(h + layout::kRecordSizeAt, record_size);
    store_le(h + layout::kRowsAt, grid_.n_rows);
    store_le(h + layout::kRowLengthAt, grid_.row_length);
    store_le(h + layout::kChunkRowsAt, grid_.chunk_rows);
    store_le(h + layout::kChunkColsAt, grid_.chunk_cols);
    const auto transform_params = stages_.transform_params.store();
    std::copy(transform_params.begin(), transform_params.end(), h + layout::kTransformParamsAt);
    store_le(h + layout::kTransformAt, static_cast<std::uint16_t>(stages_.transform));
    store_le(h + layout::kTransformAt + 2, transform(stages_.transform).version);
    store_le(h + layout::kQuantizerAt, static_cast<std::uint16_t>(quantizer_.id));
    store_le(h + layout::kQuantizerAt + 2, quantizer_.version);
    write_error(h);
    write_tables(h);
    store_le(h + layout::kChecksumAt, xxh3_64({h, layout::kChecksumAt}, {h + kRecordFixedSize, header_size_ - kRecordFixedSize}));
  }

  void write_error(std::uint8_t* h) const {
    if (quantizer_.functions.lossless) return;
    const double values[] = {total_.signal_energy, total_.error_energy, total_.dot, total_.max_abs, total_.max_abs_error};
    for (std::size_t i = 0; i < std::size(values); ++i) store_le(h + layout::kErrorAt + 8 * i, values[i]);
    store_le(h + layout::kFlagsAt, layout::kMeasuredFlag);
  }

  void write_tables(std::uint8_t* h) {
    const layout::Tables tables(tensor_.dims.size(), stages_.params.size(), n_segments_);
    for (std::size_t i = 0; i < tensor_.dims.size(); ++i) {
      store_le(h + tables.dims + 8 * i, tensor_.dims[i]);
      h[tables.perm + i] = tensor_.perm[i];
    }
    std::copy(stages_.params.begin(), stages_.params.end(), h + tables.params);
    for (std::size_t s = 0; s < n_segments_; ++s) {
      std::uint8_t* entry = h + tables.segments + s * layout::kSegmentEntry;
      store_le(entry, static_cast<std::uint16_t>(quantizer_.functions.segments[s]));
      store_le(entry + 2, static_cast<std::uint16_t>(stages_.codecs[s]));
      store_le(entry + 4, byte_codec(stages_.codecs[s]).version);
      store_le(entry + 8, n_chunks_);
    }
    std::uint8_t* entry = h + tables.chunks;
    for (const Slot& one : slots_) {
      store_le(entry, one.stored);
      store_le(entry + 8, one.checksum);
      entry += layout::kChunkEntry;
    }
  }

  const TensorView& tensor_;
  Stages stages_;
  const EncoderHints hints_;
  const Quantizer& quantizer_;
  const ChunkGrid grid_;
  const std::uint64_t n_chunks_;
  const std::size_t n_segments_;
  const bool transformed_;
  std::uint64_t header_size_ = 0;
  Buffer buffer_;
  std::vector<Slot> slots_;
  std::vector<ErrorSums> errors_;
  std::vector<std::optional<Rejection>> rejections_;
  ErrorSums total_;
};

std::string accepted_dtypes(const Quantizer& quantizer) {
  std::string names;
  for (const DTypeInfo& row : dtype_table()) {
    if (quantizer.functions.accepts(row.dtype)) names += (names.empty() ? "" : ", ") + std::string(row.name);
  }
  return names;
}

void check_dtype(const TensorView& tensor, const EncodingSpec& spec) {
  const Quantizer& chosen = quantizer(spec.stages().quantizer);
  if (chosen.functions.accepts(tensor.dtype)) return;
  fail(ErrorKind::kInvalidArgument, "tensor '", tensor.name, "': encoding ", spec.text(), " does not take dtype ", dtype_name(tensor.dtype), "; it takes ", accepted_dtypes(chosen));
}

// The transform that was asked for, or the one that gains most.
void settle(const TensorView& tensor, const EncoderHints& hints, Stages* stages) {
  try {
    if (hints.transform.automatic) {
      const TransformChoice choice = choose_transform(tensor, *stages, hints.scale_rule);
      stages->transform = choice.id;
      stages->transform_params = choice.params;
    } else {
      stages->transform = hints.transform.id;
      stages->transform_params = settle_transform(hints.transform, tensor.n_rows, tensor.row_length);
    }
  } catch (const Error& error) {
    fail(error.kind(), "tensor '", tensor.name, "': ", error.what());
  }
}

}  // namespace

std::vector<TransformMeasure> measure_transforms(const TensorView& tensor, const EncodingSpec& spec) {
  check_view(tensor);
  check_dtype(tensor, spec);
  if (quantizer(spec.stages().quantizer).functions.lossless) {
    fail(ErrorKind::kInvalidArgument, "tensor '", tensor.name, "': encoding ", spec.text(), " loses nothing: no transform to measure");
  }
  return measure_transforms(tensor, spec.stages(), spec.hints().scale_rule);
}

EncodedTensor encode(const TensorView& tensor, const EncodingSpec& spec) {
  check_view(tensor);
  check_dtype(tensor, spec);
  const EncoderHints hints = spec.hints();
  Stages stages = spec.stages();
  if (stages.flat && tensor.n_rows > 1) {
    fail(ErrorKind::kInvalidArgument, "tensor '", tensor.name, "': encoding ", spec.text(), " takes a matrix of one row, found ", tensor.n_rows);
  }
  settle(tensor, hints, &stages);
  EncodedTensor result = RecordWriter(tensor, std::move(stages), hints).write();
  if (result.fallback_reason.empty()) return result;
  const EncodingSpec raw = parse_encoding("raw");
  result.record = RecordWriter(tensor, raw.stages(), raw.hints()).write().record;
  return result;
}

}  // namespace haagenti
