// The tables of the core (dtypes, encodings, byte codecs) and the grammar of encodings.
#include <pybind11/stl.h>

#include <algorithm>
#include <map>
#include <string>

#include "haagenti/base/dtype.h"
#include "haagenti/bytecodec/byte_codec.h"
#include "haagenti/encoding/encoding_spec.h"
#include "module.h"

namespace haagenti::bindings {
namespace {

namespace py = pybind11;

// A choice that is written as a number is a number in Python.
py::object choice_to_python(std::string_view choice) {
  if (choice.empty() || choice[0] < '0' || choice[0] > '9') return py::str(std::string(choice));
  const bool whole = std::all_of(choice.begin(), choice.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (whole) return py::int_(std::stoll(std::string(choice)));
  return py::float_(std::stod(std::string(choice)));
}

py::list dtypes() {
  py::list rows;
  for (const DTypeInfo& row : dtype_table()) {
    py::dict one;
    one["name"] = std::string(row.name);
    one["wire"] = static_cast<int>(row.dtype);
    one["bits"] = row.bits;
    one["is_float"] = row.is_float;
    rows.append(one);
  }
  return rows;
}

py::dict describe_parameter(const Parameter& parameter) {
  py::dict row;
  row["name"] = std::string(parameter.name);
  row["default"] = choice_to_python(parameter.choices[0]);
  py::list allowed;
  for (const std::string_view choice : parameter.choices) allowed.append(choice_to_python(choice));
  row["allowed"] = allowed;
  py::list examples;
  if (parameter.kind != nullptr) {
    for (const std::string_view example : parameter.kind->examples) examples.append(choice_to_python(example));
  }
  row["examples"] = examples;
  row["also"] = parameter.kind == nullptr ? py::object(py::none()) : py::object(py::str(std::string(parameter.kind->expected)));
  row["doc"] = std::string(parameter.doc);
  return row;
}

py::list encodings() {
  py::list rows;
  for (const Preset& preset : preset_table()) {
    py::dict row;
    row["name"] = std::string(preset.name);
    row["lossy"] = !preset.lossless;
    row["doc"] = std::string(preset.doc);
    py::list parameters;
    for (const Parameter& parameter : preset.parameters) parameters.append(describe_parameter(parameter));
    row["params"] = parameters;
    rows.append(row);
  }
  return rows;
}

std::pair<std::string, py::dict> parse(const std::string& text) {
  const EncodingSpec spec = parse_encoding(text);
  py::dict params;
  for (std::size_t i = 0; i < spec.values.size(); ++i) {
    params[py::str(std::string(spec.preset->parameters[i].name))] = choice_to_python(spec.values[i]);
  }
  return {std::string(spec.preset->name), params};
}

std::string format(const std::string& name, const py::dict& params) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const auto& [key, value] : params) pairs.emplace_back(py::str(key).cast<std::string>(), py::str(value).cast<std::string>());
  return make_encoding(name, pairs).text();
}

std::vector<std::string> codecs() {
  std::vector<std::string> names;
  for (const ByteCodec& codec : byte_codec_table()) {
    if (codec.functions.chunk.compress != nullptr) names.emplace_back(codec.name);
  }
  return names;
}

}  // namespace

void bind_tables(py::module_& module) {
  module.def("dtypes", &dtypes, "Rows of the dtype table: name, wire, bits, is_float.");
  module.def("encodings", &encodings, "Rows of the presets table: name, lossy, doc, params (name, default, allowed, also, examples, doc).");
  module.def("codecs", &codecs, "Names of the byte codecs of chunks.");
  module.def("parse_encoding", &parse, py::arg("text"), "Name and parameters, defaults included, of an encoding such as int4(group_size=64).");
  module.def("format_encoding", &format, py::arg("name"), py::arg("params"), "The canonical text of an encoding.");
}

}  // namespace haagenti::bindings
