// Quantisers: a chunk of elements to segments of fixed size and back, as one table.
// Not responsible for chunking, byte codecs or checksums. Format: cpp/src/quantize/spec.md.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "haagenti/base/bytes.h"
#include "haagenti/base/dtype.h"

namespace haagenti {

enum class QuantizerId : std::uint16_t {
#define HGT_QUANTIZER(symbol, name, wire, version) symbol = wire,
#include "haagenti/quantize/quantizers.def"
#undef HGT_QUANTIZER
};

enum class SegmentKind : std::uint16_t { kCodes = 0, kScales = 1, kIndex = 2, kMask = 3 };

inline constexpr std::size_t kMaxSegments = 4;

struct ChunkShape {
  std::uint64_t rows;
  std::uint64_t cols;
};

// How an encoder picks scales; decoders never see it.
enum class ScaleRule { kSearch, kMax };

// Sums over elements from which every error measure follows. Chunks are added in order, so the total is the same for every thread count.
struct ErrorSums {
  double signal_energy = 0;
  double error_energy = 0;
  double dot = 0;
  double max_abs = 0;
  double max_abs_error = 0;

  void add(const ErrorSums& other);
};

// Which values of a chunk a sparse quantiser keeps: all whose magnitude has larger bits than `threshold`, and the first `n_ties` of those equal to it.
struct KeepRule {
  std::uint32_t threshold = 0;  // of binary32 without its sign
  std::uint64_t n_ties = 0;
};

// A chunk of a matrix in binary32, for `prepare`.
struct ChunkValues {
  const float* data;
  std::uint64_t stride;
  ChunkShape shape;
};

struct PrepareArgs {
  std::span<const ChunkValues> chunks;
  ByteView params;
  std::uint64_t overhead_bytes;  // of the record beside its segments
  std::span<KeepRule> rules;     // one a chunk
};

struct QuantizeArgs {
  const std::uint8_t* src;   // first element of the chunk
  std::uint64_t src_stride;  // elements from row to row
  DType dtype;
  ChunkShape shape;
  ByteView params;
  ScaleRule scale_rule;
  float negligible;                                    // what may become zero where no scale is small enough
  KeepRule keep;                                       // from `prepare`, where there is one
  std::array<std::uint8_t*, kMaxSegments> segments;    // each holds segment_bytes
  std::array<std::uint64_t, kMaxSegments>* sizes;      // what was written, for quantisers of variable size
  ErrorSums* error;                                    // null: not wanted
};

struct DequantizeArgs {
  std::array<const std::uint8_t*, kMaxSegments> segments;
  std::array<std::uint64_t, kMaxSegments> sizes;
  DType dtype;       // of the tensor
  ChunkShape shape;  // of the whole chunk
  std::uint64_t row_begin;
  std::uint64_t row_end;
  ByteView params;
  DType out_dtype;
  std::uint8_t* dst;         // first element of row_begin
  std::uint64_t dst_stride;  // elements from row to row
  bool stream;               // the whole output is much larger than the caches: write around them
};

// Why a chunk cannot be stored by a lossy quantiser; row and column are the chunk's.
struct Rejection {
  std::uint64_t row;
  std::uint64_t col;
  std::string reason;
};

// What the quantiser itself knows; id, name and version are the table's.
struct QuantizerFunctions {
  bool lossless;
  std::size_t params_size;
  std::span<const SegmentKind> segments;
  bool (*accepts)(DType dtype);            // as the tensor's type
  bool (*decodes_to)(DType from, DType to);
  void (*check_params)(ByteView params);   // throws Corrupt
  // Exact, or for quantisers of variable size the most a chunk can take.
  std::uint64_t (*segment_bytes)(std::size_t segment, ChunkShape shape, DType dtype, ByteView params);
  std::optional<Rejection> (*quantize)(const QuantizeArgs& args);
  void (*dequantize)(const DequantizeArgs& args);
  // Variable size: `quantize` says what it wrote, segments are stored without a byte codec, and `dequantize` checks them and throws Corrupt.
  bool variable_size = false;
  // Looks at all chunks before the first is quantised; fills one rule a chunk. Only of quantisers that decide over the whole tensor.
  void (*prepare)(const PrepareArgs& args) = nullptr;
  // Of quantisers that keep the tensor's mean apart: it is taken off before the transform and added after its inverse.
  float (*mean)(ByteView params) = nullptr;
  void (*set_mean)(MutableByteView params, float mean) = nullptr;
  // Of quantisers that were given a size to keep to: whether a record of a tensor is larger.
  bool (*exceeds)(std::uint64_t record_bytes, std::uint64_t n_elements, ByteView params) = nullptr;
};

struct Quantizer {
  QuantizerId id;
  std::string_view name;
  std::uint16_t version;
  QuantizerFunctions functions;
};

std::span<const Quantizer> quantizer_table();

// Throws Unsupported naming id and version.
const Quantizer& quantizer_from_wire(std::uint16_t id, std::uint16_t version);
const Quantizer& quantizer(QuantizerId id);

}  // namespace haagenti
