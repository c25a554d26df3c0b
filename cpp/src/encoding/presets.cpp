// The presets: names of encodings, their parameters, and the stages these become. To add one, add a row and its three functions.
#include <algorithm>
#include <charconv>

#include "haagenti/encoding/encoding_spec.h"
#include "haagenti/quantize/grouped_params.h"

namespace haagenti {
namespace {

using std::string_view;

constexpr string_view kCodecChoices[] = {"zstd", "lz4", "none"};
constexpr string_view kRowGroupChoices[] = {"row", "32", "64", "128"};
constexpr string_view kGroupChoices[] = {"32", "64", "128"};
constexpr string_view kScaleChoices[] = {"search", "max"};
constexpr string_view kAxisChoices[] = {"row", "flat"};

constexpr string_view kScaleDoc = "how the scale of a group is chosen: a small search for the least squared error, or the largest magnitude";
constexpr string_view kAxisDoc = "groups run along a row of the matrix and restart with it, or over all elements as one row";

constexpr Parameter kRawParameters[] = {{"codec", kCodecChoices, true, "byte codec of each chunk"}};
constexpr Parameter kInt8Parameters[] = {
    {"group_size", kRowGroupChoices, true, "weights that share a binary16 scale; row: the whole row (of a chunk)"},
    {"scale", kScaleChoices, false, kScaleDoc},
    {"group_axis", kAxisChoices, false, kAxisDoc},
};
constexpr Parameter kInt4Parameters[] = {
    {"group_size", kGroupChoices, true, "weights that share a binary16 scale"},
    {"scale", kScaleChoices, false, kScaleDoc},
    {"group_axis", kAxisChoices, false, kAxisDoc},
};

CodecId codec_from_name(string_view name) {
  const auto table = byte_codec_table();
  return std::find_if(table.begin(), table.end(), [&](const ByteCodec& row) { return row.name == name; })->id;
}

Stages raw_stages(const ParamValues& values) { return {.params = {}, .codecs = {codec_from_name(values[0])}}; }
EncoderHints no_hints(const ParamValues&) { return {}; }
bool describe_raw(const Stages& stages, ParamValues* values) {
  if (stages.quantizer != QuantizerId::kExact || stages.transform != TransformId::kIdentity) return false;
  *values = {byte_codec(stages.codecs[0]).name};
  return true;
}

template <QuantizerId kId>
Stages grouped_stages(const ParamValues& values) {
  GroupedParams params;
  std::from_chars(values[0].data(), values[0].data() + values[0].size(), params.group_size);  // "row" leaves 0
  const auto stored = params.store();
  return {
      .quantizer = kId,
      .params = {stored.begin(), stored.end()},
      .codecs = {CodecId::kNone, CodecId::kNone},
      .flat = values[2] == "flat",
  };
}

EncoderHints grouped_hints(const ParamValues& values) { return {values[1] == "max" ? ScaleRule::kMax : ScaleRule::kSearch}; }

template <QuantizerId kId>
bool describe_grouped(const Stages& stages, ParamValues* values) {
  if (stages.quantizer != kId || stages.transform != TransformId::kIdentity) return false;
  if (std::any_of(stages.codecs.begin(), stages.codecs.end(), [](CodecId id) { return id != CodecId::kNone; })) return false;
  const std::uint32_t group_size = GroupedParams::load(stages.params).group_size;
  const string_view axis = stages.flat ? "flat" : "row";
  constexpr bool is_int8 = kId == QuantizerId::kInt8;
  const std::span<const string_view> choices = is_int8 ? std::span(kRowGroupChoices) : std::span<const string_view>(kGroupChoices);
  for (const string_view choice : choices) {
    if (choice == (group_size == 0 ? "row" : std::to_string(group_size))) {
      *values = {choice, "search", axis};
      return true;
    }
  }
  return false;
}

constexpr Preset kTable[] = {
    {"raw", true, "every bit kept, any dtype", kRawParameters, raw_stages, no_hints, describe_raw},
    {"int8", false, "symmetric 8-bit codes with binary16 scales", kInt8Parameters, grouped_stages<QuantizerId::kInt8>, grouped_hints,
     describe_grouped<QuantizerId::kInt8>},
    {"int4", false, "symmetric 4-bit codes with binary16 scales", kInt4Parameters, grouped_stages<QuantizerId::kInt4>, grouped_hints,
     describe_grouped<QuantizerId::kInt4>},
};

}  // namespace

std::span<const Preset> preset_table() { return kTable; }

}  // namespace haagenti
