// The table of transforms: orthonormal maps of a matrix that a record may apply before it quantises.
// Not responsible for dtypes, chunks or the fast algorithms (dct.h, hadamard.h). Format: cpp/src/transform/spec.md.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace haagenti {

enum class TransformId : std::uint16_t {
#define HGT_TRANSFORM(symbol, name, wire, version) symbol = wire,
#include "haagenti/transform/transforms.def"
#undef HGT_TRANSFORM
};

inline constexpr std::size_t kTransformParamsSize = 8;
inline constexpr std::uint32_t kMaxTransformBlock = 65536;  // a chunk's columns are cut at multiples of this

// Steps of a decibel in which a measured gain is stored.
inline constexpr double kGainSteps = 256;

// What a decoder must know beside the id, and what the encoder found, as stored in 8 bytes of the record's header:
// u8 log2(block), u8 flags (bit 0: measured), i16 gain, u32 seed.
struct TransformParams {
  std::uint32_t block = 1;  // a power of two; 1 for transforms without blocks
  std::uint32_t seed = 0;   // of the signs of `hadamard`
  bool measured = false;    // the transform was chosen by measuring
  std::int16_t gain = 0;    // of the best transform measured over the identity, in decibels * kGainSteps; 0 when not measured

  // Throws Corrupt for reserved bits, a block beyond kMaxTransformBlock, or a gain that was not measured.
  static TransformParams load(std::span<const std::uint8_t, kTransformParamsSize> bytes);
  std::array<std::uint8_t, kTransformParamsSize> store() const;
  double gain_db() const { return gain / kGainSteps; }
  bool operator==(const TransformParams&) const = default;
};

// Rows of a matrix that is transformed in place. `cols` are whole rows, or whole blocks of them; rows are whole units (see row_unit).
struct TransformArgs {
  float* data;
  std::uint64_t stride;     // elements from row to row
  std::uint64_t rows;
  std::uint64_t cols;
  std::uint64_t col_begin;  // of the matrix: where the signs of `hadamard` start
  TransformParams params;
};

struct TransformFunctions {
  bool has_block;
  bool has_seed;
  bool whole_rows;  // a chunk must hold its rows whole
  // Throws InvalidArgument naming what does not fit a matrix of this shape.
  void (*check)(const TransformParams& params, std::uint64_t n_rows, std::uint64_t row_length);
  // Rows that are transformed together, counted from row 0; the last unit may be shorter.
  std::uint64_t (*row_unit)(const TransformParams& params, std::uint64_t n_rows);
  void (*forward)(const TransformArgs& args);
  void (*inverse)(const TransformArgs& args);
};

struct Transform {
  TransformId id;
  std::string_view name;
  std::uint16_t version;
  TransformFunctions functions;
};

std::span<const Transform> transform_table();

// Throws Unsupported naming id and version.
const Transform& transform_from_wire(std::uint16_t id, std::uint16_t version);
const Transform& transform(TransformId id);

}  // namespace haagenti
