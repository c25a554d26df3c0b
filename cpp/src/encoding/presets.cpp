// The presets: names of encodings, their parameters, and the stages these become. To add one, add a row and its three functions.
#include <algorithm>
#include <charconv>

#include "haagenti/base/error.h"
#include "haagenti/encoding/encoding_spec.h"
#include "haagenti/quantize/grouped_params.h"
#include "haagenti/quantize/sparse_params.h"

namespace haagenti {
namespace {

using std::string_view;

constexpr string_view kCodecChoices[] = {"zstd", "lz4", "none"};
constexpr string_view kRowGroupChoices[] = {"row", "32", "64", "128"};
constexpr string_view kGroupChoices[] = {"32", "64", "128"};
constexpr string_view kScaleChoices[] = {"search", "max"};
constexpr string_view kAxisChoices[] = {"row", "flat"};

constexpr string_view kCoefficientChoices[] = {"int4", "int8", "f16", "f32"};  // CoefficientType, counted down
constexpr string_view kIdentityChoice[] = {"identity"};
constexpr string_view kAutoChoice[] = {"auto"};
constexpr string_view kUnset = "unset";
constexpr string_view kUnsetChoice[] = {kUnset};

std::string number_text(float value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

template <int kMost>
std::optional<std::string> canonical_number(string_view text) {
  float value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !(value > 0 && value <= kMost)) return std::nullopt;
  return number_text(value);
}

std::optional<std::string> canonical_transform(string_view text) {
  const auto request = parse_transform(text);
  return request ? std::optional(transform_text(*request)) : std::nullopt;
}

constexpr string_view kShareExamples[] = {"0.3", "1"};
constexpr string_view kBitsExamples[] = {"3.5"};
constexpr string_view kTransformExamples[] = {"identity", "auto", "dct_rows", "dct_2d", "block_dct(16)", "hadamard(8)", "hadamard(4, seed=7)"};
constexpr ValueKind kShare = {"a number above 0, at most 1", canonical_number<1>, kShareExamples};
constexpr ValueKind kBits = {"a number above 0, at most 64", canonical_number<64>, kBitsExamples};
constexpr ValueKind kTransformKind = {"identity, auto, dct_rows, dct_2d, block_dct(block) or hadamard(block, seed=number), the block a power of two up to 65536",
                                      canonical_transform, kTransformExamples};

constexpr string_view kTransformDoc =
    "an orthonormal transform before the codes: identity, dct_rows, dct_2d, block_dct(block), hadamard(block), or auto, which measures what each gains";
constexpr string_view kScaleDoc = "how the scale of a group is chosen: a small search for the least squared error, or the largest magnitude";
constexpr string_view kAxisDoc = "groups run along a row of the matrix and restart with it, or over all elements as one row";

constexpr Parameter kRawParameters[] = {{"codec", kCodecChoices, true, "byte codec of each chunk"}};
constexpr Parameter kInt8Parameters[] = {
    {"group_size", kRowGroupChoices, true, "weights that share a binary16 scale; row: the whole row (of a chunk)"},
    {"scale", kScaleChoices, false, kScaleDoc},
    {"group_axis", kAxisChoices, false, kAxisDoc},
    {"transform", kIdentityChoice, false, kTransformDoc, &kTransformKind},
};
constexpr Parameter kInt4Parameters[] = {
    {"group_size", kGroupChoices, true, "weights that share a binary16 scale"},
    {"scale", kScaleChoices, false, kScaleDoc},
    {"group_axis", kAxisChoices, false, kAxisDoc},
    {"transform", kIdentityChoice, false, kTransformDoc, &kTransformKind},
};
constexpr Parameter kSpectralParameters[] = {
    {"retention", kUnsetChoice, false, "share of the coefficients that are kept, the largest ones; 0.7 when nothing else is asked for", &kShare},
    {"energy", kUnsetChoice, false, "in place of retention: keep as few coefficients as hold this share of the energy", &kShare},
    {"bits_per_weight", kUnsetChoice, false, "in place of retention: keep as many coefficients as the record has room for, everything counted", &kBits},
    {"coefficients", kCoefficientChoices, true, "how a kept coefficient is stored"},
    {"group_size", kGroupChoices, false, "kept coefficients that share a binary16 scale, for int4 and int8"},
    {"scale", kScaleChoices, false, kScaleDoc},
    {"transform", kAutoChoice, false, kTransformDoc, &kTransformKind},
};
CodecId codec_from_name(string_view name) {
  const auto table = byte_codec_table();
  return std::find_if(table.begin(), table.end(), [&](const ByteCodec& row) { return row.name == name; })->id;
}

Stages raw_stages(const ParamValues& values) { return {.params = {}, .codecs = {codec_from_name(values[0])}}; }
EncoderHints no_hints(const ParamValues&) { return {}; }
bool describe_raw(const Stages& stages, ParamValues* values) {
  if (stages.quantizer != QuantizerId::kExact || stages.transform != TransformId::kIdentity) return false;
  *values = {std::string(byte_codec(stages.codecs[0]).name)};
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

EncoderHints hints_of(string_view scale, string_view transform) {
  return {scale == "max" ? ScaleRule::kMax : ScaleRule::kSearch, *parse_transform(transform)};
}
EncoderHints grouped_hints(const ParamValues& values) { return hints_of(values[1], values[3]); }

template <QuantizerId kId>
bool describe_grouped(const Stages& stages, ParamValues* values) {
  if (stages.quantizer != kId) return false;
  if (std::any_of(stages.codecs.begin(), stages.codecs.end(), [](CodecId id) { return id != CodecId::kNone; })) return false;
  const std::uint32_t group_size = GroupedParams::load(stages.params).group_size;
  const string_view axis = stages.flat ? "flat" : "row";
  constexpr bool is_int8 = kId == QuantizerId::kInt8;
  const std::span<const string_view> choices = is_int8 ? std::span(kRowGroupChoices) : std::span<const string_view>(kGroupChoices);
  for (const string_view choice : choices) {
    if (choice == (group_size == 0 ? "row" : std::to_string(group_size))) {
      *values = {std::string(choice), "search", std::string(axis), transform_text(stages.transform, stages.transform_params)};
      return true;
    }
  }
  return false;
}

// The three ways to say how much is kept, in the order of SparseTarget and of the parameters.
constexpr std::size_t kTargets = 3;
constexpr string_view kDefaultRetention = "0.7";

void settle_spectral(ParamValues* values) {
  std::size_t n_given = 0;
  for (std::size_t i = 0; i < kTargets; ++i) n_given += (*values)[i] != kUnset;
  if (n_given > 1) fail(ErrorKind::kInvalidArgument, "encoding spectral: retention, energy and bits_per_weight exclude each other, found ", n_given, " of them");
  if (n_given == 0) (*values)[0] = kDefaultRetention;
  const bool grouped = (*values)[3].starts_with("int");
  if (!grouped) (*values)[4] = kGroupChoices[0], (*values)[5] = kScaleChoices[0];
}

Stages spectral_stages(const ParamValues& values) {
  SparseParams params;
  for (std::size_t i = 0; i < kTargets; ++i) {
    if (values[i] == kUnset) continue;
    params.target = static_cast<SparseTarget>(i);
    std::from_chars(values[i].data(), values[i].data() + values[i].size(), params.target_value);
  }
  const auto choice = std::find(std::begin(kCoefficientChoices), std::end(kCoefficientChoices), values[3]) - std::begin(kCoefficientChoices);
  params.coefficients = static_cast<CoefficientType>(std::size(kCoefficientChoices) - 1 - static_cast<std::size_t>(choice));
  params.group_size = 0;
  if (values[3].starts_with("int")) std::from_chars(values[4].data(), values[4].data() + values[4].size(), params.group_size);
  const auto stored = params.store();
  return {
      .quantizer = QuantizerId::kSparse,
      .params = {stored.begin(), stored.end()},
      .codecs = std::vector<CodecId>(4, CodecId::kNone),
  };
}

EncoderHints spectral_hints(const ParamValues& values) { return hints_of(values[5], values[6]); }

bool describe_spectral(const Stages& stages, ParamValues* values) {
  if (stages.quantizer != QuantizerId::kSparse) return false;
  const SparseParams params = SparseParams::load(stages.params);
  values->assign(kTargets, std::string(kUnset));
  (*values)[static_cast<std::size_t>(params.target)] = number_text(params.target_value);
  values->emplace_back(kCoefficientChoices[std::size(kCoefficientChoices) - 1 - static_cast<std::size_t>(params.coefficients)]);
  values->push_back(params.group_size == 0 ? std::string(kGroupChoices[0]) : std::to_string(params.group_size));
  values->emplace_back("search");
  values->push_back(transform_text(stages.transform, stages.transform_params));
  return true;
}

constexpr Preset kTable[] = {
    {"raw", true, "every bit kept, any dtype", kRawParameters, raw_stages, no_hints, describe_raw},
    {"int8", false, "symmetric 8-bit codes with binary16 scales", kInt8Parameters, grouped_stages<QuantizerId::kInt8>, grouped_hints,
     describe_grouped<QuantizerId::kInt8>},
    {"int4", false, "symmetric 4-bit codes with binary16 scales", kInt4Parameters, grouped_stages<QuantizerId::kInt4>, grouped_hints,
     describe_grouped<QuantizerId::kInt4>},
    {"spectral", false, "the largest coefficients of a transform, which is chosen by what it gains", kSpectralParameters, spectral_stages, spectral_hints,
     describe_spectral, settle_spectral},
};

}  // namespace

std::span<const Preset> preset_table() { return kTable; }

}  // namespace haagenti
