// The table of transforms, its look-ups, and the parameters as stored.
#include <bit>

#include "haagenti/base/bytes.h"
#include "haagenti/base/error.h"
#include "haagenti/transform/transform.h"

namespace haagenti {
namespace {

constexpr std::uint8_t kMeasuredFlag = 1;

}  // namespace

#define HGT_TRANSFORM(symbol, name, wire, version) TransformFunctions name##_transform();
#include "haagenti/transform/transforms.def"
#undef HGT_TRANSFORM

std::span<const Transform> transform_table() {
  static const Transform table[] = {
#define HGT_TRANSFORM(symbol, name, wire, version) {TransformId::symbol, #name, version, name##_transform()},
#include "haagenti/transform/transforms.def"
#undef HGT_TRANSFORM
  };
  return table;
}

const Transform& transform_from_wire(std::uint16_t id, std::uint16_t version) {
  for (const Transform& row : transform_table()) {
    if (static_cast<std::uint16_t>(row.id) == id && row.version == version) return row;
  }
  fail(ErrorKind::kUnsupported, "transform id ", id, " version ", version, " is not known to this build");
}

const Transform& transform(TransformId id) {
  for (const Transform& row : transform_table()) {
    if (row.id == id) return row;
  }
  fail(ErrorKind::kUnsupported, "transform id ", static_cast<int>(id), " is not in the table");
}

TransformParams TransformParams::load(std::span<const std::uint8_t, kTransformParamsSize> bytes) {
  const unsigned log2_block = bytes[0];
  const unsigned flags = bytes[1];
  if (log2_block > static_cast<unsigned>(std::countr_zero(kMaxTransformBlock))) {
    fail(ErrorKind::kCorrupt, "transform block is 2^", log2_block, ", expected at most ", kMaxTransformBlock);
  }
  if ((flags & ~kMeasuredFlag) != 0) fail(ErrorKind::kCorrupt, "transform flags are ", flags, ", expected no reserved bit");
  TransformParams params{
      .block = 1u << log2_block,
      .seed = load_le<std::uint32_t>(bytes.data() + 4),
      .measured = (flags & kMeasuredFlag) != 0,
      .gain = load_le<std::int16_t>(bytes.data() + 2),
  };
  if (!params.measured && params.gain != 0) fail(ErrorKind::kCorrupt, "transform gain is ", params.gain, " but was not measured");
  return params;
}

std::array<std::uint8_t, kTransformParamsSize> TransformParams::store() const {
  std::array<std::uint8_t, kTransformParamsSize> bytes{};
  bytes[0] = static_cast<std::uint8_t>(std::countr_zero(block));
  bytes[1] = measured ? kMeasuredFlag : 0;
  store_le(bytes.data() + 2, gain);
  store_le(bytes.data() + 4, seed);
  return bytes;
}

}  // namespace haagenti
