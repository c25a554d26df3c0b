// The table of transforms. The identity, the only one yet, is free: encoding skips it by name.
// Not responsible for mathematics.
#pragma once

#include <cstdint>

#include "haagenti/base/error.h"

namespace haagenti {

enum class TransformId : std::uint16_t {
#define HGT_TRANSFORM(symbol, name, wire, version) symbol = wire,
#include "haagenti/transform/transforms.def"
#undef HGT_TRANSFORM
};

inline constexpr std::uint16_t kIdentityVersion = 1;

// Throws Unsupported naming id and version.
inline TransformId transform_from_wire(std::uint16_t id, std::uint16_t version) {
#define HGT_TRANSFORM(symbol, name, wire, known) \
  if (id == (wire) && version == (known)) return TransformId::symbol;
#include "haagenti/transform/transforms.def"
#undef HGT_TRANSFORM
  fail(ErrorKind::kUnsupported, "transform id ", id, " version ", version, " is not known to this build");
}

}  // namespace haagenti
