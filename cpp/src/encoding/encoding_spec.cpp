#include "haagenti/encoding/encoding_spec.h"

#include <algorithm>
#include <cctype>

#include "haagenti/base/error.h"

namespace haagenti {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

std::string joined(std::span<const std::string_view> words) {
  std::string text;
  for (const std::string_view word : words) text += (text.empty() ? "" : ", ") + std::string(word);
  return text;
}

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == '-' || c == '+'; }

bool is_number(std::string_view text) {
  return !text.empty() && std::isdigit(static_cast<unsigned char>(text[0])) && text.find_first_not_of("0123456789.e+-") == std::string_view::npos;
}

// Reads the grammar from left to right.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  std::string word(std::string_view what) {
    skip_spaces();
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_word(text_[at_])) ++at_;
    if (at_ == begin) expected(what);
    return std::string(text_.substr(begin, at_ - begin));
  }

  std::string value() {
    skip_spaces();
    if (at_ >= text_.size() || (text_[at_] != '"' && text_[at_] != '\'')) return word_with_arguments();
    const char quote = text_[at_++];
    const std::size_t end = text_.find(quote, at_);
    if (end == std::string_view::npos) expected("a closing quote");
    const std::string value(text_.substr(at_, end - at_));
    at_ = end + 1;
    return value;
  }

  // A word, and what follows it in parentheses as it stands: hadamard(128).
  std::string word_with_arguments() {
    const std::string name = word("a value");
    if (at_ >= text_.size() || text_[at_] != '(') return name;
    const std::size_t begin = at_;
    const std::size_t end = text_.find(')', at_);
    if (end == std::string_view::npos) expected("')'");
    at_ = end + 1;
    return name + std::string(text_.substr(begin, at_ - begin));
  }

  bool take(char c) {
    skip_spaces();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  void need(char c) {
    if (!take(c)) expected(std::string("'") + c + "'");
  }

  void end() {
    skip_spaces();
    if (at_ != text_.size()) expected("the end");
  }

 private:
  void skip_spaces() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
  }

  [[noreturn]] void expected(std::string_view what) const {
    fail(ErrorKind::kInvalidArgument, "encoding '", text_, "': expected ", what, " at character ", at_ + 1,
         "; the form is name(key=value, ...), for example int4(group_size=64)");
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

const Preset& find_preset(std::string_view name) {
  std::vector<std::string_view> known;
  for (const Preset& preset : preset_table()) {
    if (preset.name == name) return preset;
    known.push_back(preset.name);
  }
  fail(ErrorKind::kInvalidArgument, "unknown encoding '", name, "'; known are ", joined(known));
}

std::size_t find_parameter(const Preset& preset, std::string_view key) {
  std::vector<std::string_view> known;
  for (std::size_t i = 0; i < preset.parameters.size(); ++i) {
    if (preset.parameters[i].name == key) return i;
    known.push_back(preset.parameters[i].name);
  }
  fail(ErrorKind::kInvalidArgument, "encoding ", preset.name, " has no parameter '", key, "'; it has ", joined(known));
}

std::string find_value(const Preset& preset, const Parameter& parameter, std::string_view value) {
  for (const std::string_view choice : parameter.choices) {
    if (choice == value) return std::string(choice);
  }
  if (parameter.kind == nullptr) {
    fail(ErrorKind::kInvalidArgument, "encoding ", preset.name, ": ", parameter.name, " is '", value, "', expected one of ", joined(parameter.choices));
  }
  if (std::optional<std::string> canonical = parameter.kind->canonical(value)) return *std::move(canonical);
  fail(ErrorKind::kInvalidArgument, "encoding ", preset.name, ": ", parameter.name, " is '", value, "', expected ", parameter.kind->expected);
}

}  // namespace

EncodingSpec make_encoding(std::string_view name, std::span<const std::pair<std::string, std::string>> parameters) {
  const Preset& preset = find_preset(name);
  EncodingSpec spec{&preset, {}};
  for (const Parameter& parameter : preset.parameters) spec.values.emplace_back(parameter.choices[0]);
  std::vector<bool> given(spec.values.size());
  for (const auto& [key, value] : parameters) {
    const std::size_t i = find_parameter(preset, key);
    if (given[i]) fail(ErrorKind::kInvalidArgument, "encoding ", name, ": ", key, " is given twice");
    given[i] = true;
    spec.values[i] = find_value(preset, preset.parameters[i], value);
  }
  if (preset.settle != nullptr) (void)spec.text();  // throws when the values contradict each other
  return spec;
}

EncodingSpec parse_encoding(std::string_view text) {
  Reader reader(text);
  const std::string name = reader.word("a name");
  Pairs pairs;
  if (reader.take('(') && !reader.take(')')) {
    do {
      std::string key = reader.word("a parameter's name");
      reader.need('=');
      pairs.emplace_back(std::move(key), reader.value());
    } while (reader.take(','));
    reader.need(')');
  }
  reader.end();
  return make_encoding(name, pairs);
}

ParamValues EncodingSpec::settled() const {
  ParamValues result = values;
  if (preset->settle != nullptr) preset->settle(&result);
  return result;
}

std::string EncodingSpec::text() const {
  std::string inside;
  const ParamValues shown = settled();
  for (std::size_t i = 0; i < shown.size(); ++i) {
    const Parameter& parameter = preset->parameters[i];
    if (!parameter.always_shown && shown[i] == parameter.choices[0]) continue;
    inside += inside.empty() ? "" : ", ";
    inside += concat(parameter.name, "=", is_number(shown[i]) ? shown[i] : concat('"', shown[i], '"'));
  }
  return inside.empty() ? std::string(preset->name) : concat(preset->name, "(", inside, ")");
}

std::string describe_stages(const Stages& stages) {
  for (const Preset& preset : preset_table()) {
    ParamValues values;
    if (preset.describe(stages, &values)) return EncodingSpec{&preset, values}.text();
  }
  return concat("unnamed(quantizer=", quantizer(stages.quantizer).name, ", transform=", transform(stages.transform).name, ")");
}

}  // namespace haagenti
