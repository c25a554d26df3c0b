// Element types of tensors, as one table.
// Not responsible for converting values: see hd/float_bits.h.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace haagenti {

enum class DType : std::uint8_t {
#define HGT_DTYPE(symbol, name, wire, bits, is_float) symbol = wire,
#include "haagenti/base/dtypes.def"
#undef HGT_DTYPE
};

struct DTypeInfo {
  DType dtype;
  std::string_view name;
  std::uint32_t bits;
  bool is_float;
};

std::span<const DTypeInfo> dtype_table();
std::optional<DType> dtype_from_wire(std::uint8_t wire);
// Throws InvalidArgument naming the known ones.
DType dtype_from_name(std::string_view name);
const DTypeInfo& dtype_info(DType dtype);

inline std::string_view dtype_name(DType dtype) { return dtype_info(dtype).name; }
inline std::uint32_t dtype_bits(DType dtype) { return dtype_info(dtype).bits; }

// Bytes of `n_elements`; nullopt on overflow or when sub-byte elements do not fill whole bytes.
std::optional<std::uint64_t> dtype_bytes(DType dtype, std::uint64_t n_elements);

}  // namespace haagenti
