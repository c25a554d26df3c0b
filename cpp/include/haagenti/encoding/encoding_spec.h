// The names of encodings: one grammar, one parser, one table.
//
//   spec  = name [ "(" [ key "=" value { "," key "=" value } ] ")" ]
//   value = number | word [ "(" ... ")" ] | quoted string      int4(group_size=64, transform="hadamard(128)")
//
// Not responsible for what an encoding does with its parameters: a preset turns them into stages.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "haagenti/bytecodec/byte_codec.h"
#include "haagenti/encoding/transform_request.h"
#include "haagenti/quantize/quantizer.h"

namespace haagenti {

// Values of a parameter that no list holds.
struct ValueKind {
  std::string_view expected;  // for messages and documentation
  // The canonical spelling of a text, or nothing when it is no such value.
  std::optional<std::string> (*canonical)(std::string_view text);
  std::span<const std::string_view> examples;  // canonical ones, for tests that try every value
};

// One parameter of a preset; the first choice is the default.
struct Parameter {
  std::string_view name;
  std::span<const std::string_view> choices;
  bool always_shown;  // in the canonical text; the others appear when they differ from the default
  std::string_view doc;
  const ValueKind* kind = nullptr;  // what is taken beside the choices
};

// The stages of a record: what a preset's parameters become, and what a header is read into.
struct Stages {
  TransformId transform = TransformId::kIdentity;
  TransformParams transform_params = {};
  QuantizerId quantizer = QuantizerId::kExact;
  std::vector<std::uint8_t> params;   // of the quantiser, as stored
  std::vector<CodecId> codecs;        // one a segment
  bool flat = false;                  // the matrix is one row of all elements
};

// What an encoder also needs, and no decoder sees.
struct EncoderHints {
  ScaleRule scale_rule = ScaleRule::kSearch;
  TransformRequest transform = {};
};

using ParamValues = std::vector<std::string>;  // one a parameter, in the order of the table

struct Preset {
  std::string_view name;
  bool lossless;
  std::string_view doc;
  std::span<const Parameter> parameters;
  Stages (*stages)(const ParamValues& values);
  EncoderHints (*hints)(const ParamValues& values);
  // The values that give these stages; false when they are not this preset's.
  bool (*describe)(const Stages& stages, ParamValues* values);
  // Settles what parameters leave to each other, for text and stages; throws InvalidArgument when they contradict. Null: nothing.
  void (*settle)(ParamValues* values) = nullptr;
};

std::span<const Preset> preset_table();

struct EncodingSpec {
  const Preset* preset;
  ParamValues values;

  std::string text() const;  // canonical
  Stages stages() const { return preset->stages(settled()); }
  EncoderHints hints() const { return preset->hints(settled()); }

 private:
  ParamValues settled() const;
};

// Throws InvalidArgument that says what was expected and where.
EncodingSpec parse_encoding(std::string_view text);

// From a name and (key, value) texts, as a caller with keyword arguments has them.
EncodingSpec make_encoding(std::string_view name, std::span<const std::pair<std::string, std::string>> parameters);

// The canonical text of what a record holds.
std::string describe_stages(const Stages& stages);

}  // namespace haagenti
