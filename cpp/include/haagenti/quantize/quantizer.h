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

enum class SegmentKind : std::uint16_t { kCodes = 0, kScales = 1 };

inline constexpr std::size_t kMaxSegments = 2;

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

struct QuantizeArgs {
  const std::uint8_t* src;   // first element of the chunk
  std::uint64_t src_stride;  // elements from row to row
  DType dtype;
  ChunkShape shape;
  ByteView params;
  ScaleRule scale_rule;
  std::array<std::uint8_t*, kMaxSegments> segments;  // each holds segment_bytes
  ErrorSums* error;
};

struct DequantizeArgs {
  std::array<const std::uint8_t*, kMaxSegments> segments;
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
  std::uint64_t (*segment_bytes)(std::size_t segment, ChunkShape shape, DType dtype, ByteView params);
  std::optional<Rejection> (*quantize)(const QuantizeArgs& args);
  void (*dequantize)(const DequantizeArgs& args);
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
