#include "haagenti/encoding/transform_request.h"

#include <algorithm>
#include <bit>
#include <charconv>

#include "haagenti/base/error.h"

namespace haagenti {
namespace {

constexpr std::string_view kAuto = "auto";
constexpr std::uint32_t kDefaultDctBlock = 128;
// Elements: 16 KiB in binary32, which a first-level cache holds.
constexpr std::uint32_t kDefaultHadamardBlock = 4096;

void skip_spaces(std::string_view* text) { text->remove_prefix(std::min(text->find_first_not_of(' '), text->size())); }

bool take(std::string_view* text, std::string_view word) {
  skip_spaces(text);
  if (!text->starts_with(word)) return false;
  text->remove_prefix(word.size());
  return true;
}

std::optional<std::uint32_t> number(std::string_view* text) {
  skip_spaces(text);
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc()) return std::nullopt;
  text->remove_prefix(static_cast<std::size_t>(end - text->data()));
  return value;
}

// "(block)", "(block, seed=n)" or "(seed=n)"; false when it is none.
bool read_arguments(std::string_view text, const TransformFunctions& functions, TransformRequest* request) {
  if (!take(&text, "(")) return false;
  bool more = true;
  if (const auto block = number(&text)) {
    if (!std::has_single_bit(*block) || *block > kMaxTransformBlock) return false;
    request->block = *block;
    more = take(&text, ",");
  }
  if (more) {
    if (!functions.has_seed || !take(&text, "seed") || !take(&text, "=")) return false;
    const auto seed = number(&text);
    if (!seed) return false;
    request->seed = *seed;
  }
  if (!take(&text, ")")) return false;
  skip_spaces(&text);
  return text.empty();
}

}  // namespace

std::optional<TransformRequest> parse_transform(std::string_view text) {
  if (text == kAuto) return TransformRequest{.automatic = true};
  const std::size_t length = std::min(text.find('('), text.size());
  for (const Transform& row : transform_table()) {
    if (text.substr(0, length) != row.name) continue;
    TransformRequest request{.id = row.id};
    if (length == text.size()) return request;
    if (!row.functions.has_block || !read_arguments(text.substr(length), row.functions, &request)) return std::nullopt;
    return request;
  }
  return std::nullopt;
}

std::string transform_text(const TransformRequest& request) {
  if (request.automatic) return std::string(kAuto);
  const std::string name(transform(request.id).name);
  if (request.block == 0) return request.seed == 0 ? name : concat(name, "(seed=", request.seed, ")");
  return request.seed == 0 ? concat(name, "(", request.block, ")") : concat(name, "(", request.block, ", seed=", request.seed, ")");
}

std::string transform_text(TransformId id, const TransformParams& params) {
  return transform_text(TransformRequest{.id = id, .block = transform(id).functions.has_block ? params.block : 0, .seed = params.seed});
}

TransformParams settle_transform(const TransformRequest& request, std::uint64_t n_rows, std::uint64_t row_length) {
  const TransformFunctions& functions = transform(request.id).functions;
  TransformParams params{.block = functions.has_block ? request.block : 1, .seed = request.seed};
  if (params.block == 0 && request.id == TransformId::kHadamard) {
    const std::uint64_t divisor = row_length == 0 ? 1 : row_length & (~row_length + 1);  // the largest power of two
    params.block = static_cast<std::uint32_t>(std::min<std::uint64_t>(divisor, kDefaultHadamardBlock));
  } else if (params.block == 0) {
    params.block = kDefaultDctBlock;
  }
  functions.check(params, n_rows, row_length);
  return params;
}

}  // namespace haagenti
