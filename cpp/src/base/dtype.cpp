#include "haagenti/base/dtype.h"

#include <string>

#include "haagenti/base/checked.h"
#include "haagenti/base/error.h"

namespace haagenti {
namespace {

constexpr DTypeInfo kTable[] = {
#define HGT_DTYPE(symbol, name, wire, bits, is_float) {DType::symbol, name, bits, is_float},
#include "haagenti/base/dtypes.def"
#undef HGT_DTYPE
};

}  // namespace

std::span<const DTypeInfo> dtype_table() { return kTable; }

std::optional<DType> dtype_from_wire(std::uint8_t wire) {
  for (const DTypeInfo& row : kTable) {
    if (static_cast<std::uint8_t>(row.dtype) == wire) return row.dtype;
  }
  return std::nullopt;
}

DType dtype_from_name(std::string_view name) {
  std::string known;
  for (const DTypeInfo& row : kTable) {
    if (row.name == name) return row.dtype;
    known += known.empty() ? "" : ", ";
    known += row.name;
  }
  fail(ErrorKind::kInvalidArgument, "unknown dtype '", name, "'; known are ", known);
}

const DTypeInfo& dtype_info(DType dtype) {
  for (const DTypeInfo& row : kTable) {
    if (row.dtype == dtype) return row;
  }
  fail(ErrorKind::kInvalidArgument, "dtype number ", static_cast<int>(dtype), " is not in the table");
}

std::optional<std::uint64_t> dtype_bytes(DType dtype, std::uint64_t n_elements) {
  const auto bits = checked_mul(n_elements, dtype_bits(dtype));
  if (!bits || *bits % 8 != 0) return std::nullopt;
  return *bits / 8;
}

}  // namespace haagenti
