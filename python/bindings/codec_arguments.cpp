#include "codec_arguments.h"

#include <array>

#include "byte_argument.h"
#include "haagenti/base/error.h"

namespace haagenti::bindings {
namespace {

namespace py = pybind11;

constexpr std::size_t kNumCodecs =
#define HGT_CODEC(symbol, name, wire, version) +1
#include "haagenti/bytecodec/codecs.def"
#undef HGT_CODEC
    ;

struct InternedName {
  PyObject* name;
  const ByteCodec* codec;
};

// Names in source code are interned: most look-ups are a comparison of pointers.
const std::array<InternedName, kNumCodecs>& interned_names() {
  static const std::array<InternedName, kNumCodecs> names = [] {
    std::array<InternedName, kNumCodecs> made{};
    for (std::size_t i = 0; i < kNumCodecs; ++i) {
      const ByteCodec& codec = byte_codec_table()[i];
      if (codec.functions.stream.compressor != nullptr) made[i] = {PyUnicode_InternFromString(std::string(codec.name).c_str()), &codec};
    }
    return made;
  }();
  return names;
}

[[noreturn]] void fail_type(const char* name, PyObject* object, const char* expected) {
  throw py::type_error(std::string(name) + " is of type " + Py_TYPE(object)->tp_name + ", expected " + expected);
}

std::string_view text_of(PyObject* object) {
  Py_ssize_t size = 0;
  const char* text = PyUnicode_AsUTF8AndSize(object, &size);
  if (text == nullptr) throw py::error_already_set();
  return {text, static_cast<std::size_t>(size)};
}

long long integer_of(PyObject* object, const char* name, const char* expected) {
  const py::object index = PyLong_CheckExact(object) ? py::reinterpret_borrow<py::object>(object) : py::reinterpret_steal<py::object>(PyNumber_Index(object));
  if (!index) {
    if (!PyErr_ExceptionMatches(PyExc_TypeError)) throw py::error_already_set();
    PyErr_Clear();
    fail_type(name, object, expected);
  }
  int overflow = 0;
  const long long value = PyLong_AsLongLongAndOverflow(index.ptr(), &overflow);
  if (overflow != 0) fail(ErrorKind::kInvalidArgument, name, " is ", py::str(index).cast<std::string>(), ", which no level, count or size can be");
  return value;
}

}  // namespace

const ByteCodec& algorithm_argument(PyObject* object) {
  for (const InternedName& row : interned_names()) {
    if (row.name == object) return *row.codec;
  }
  if (!PyUnicode_Check(object)) fail_type("algorithm", object, "str");
  return algorithm_named(text_of(object));
}

int level_argument(const ByteCodec& codec, PyObject* object, bool streaming) {
  if (!is_given(object)) return codec.functions.stream.levels.standard;
  if (PyUnicode_Check(object)) return level_of_word(codec, text_of(object), streaming);
  return checked_level(codec, integer_of(object, "level", "int, str or None"), streaming);
}

std::optional<bool> checksum_argument(PyObject* object) {
  if (!is_given(object)) return std::nullopt;
  return flag_argument(object);
}

long long threads_argument(PyObject* object) { return is_given(object) ? integer_of(object, "threads", "int") : 1; }

bool flag_argument(PyObject* object) {
  if (object == nullptr) return false;
  const int truth = PyObject_IsTrue(object);
  if (truth < 0) throw py::error_already_set();
  return truth != 0;
}

std::shared_ptr<const Dictionary> dictionary_argument(PyObject* object) {
  if (!is_given(object)) return nullptr;
  const py::handle handle(object);
  if (py::isinstance<Dictionary>(handle)) return handle.cast<std::shared_ptr<Dictionary>>();
  const ByteArgument bytes(object, "dictionary");
  return std::make_shared<const Dictionary>(bytes.bytes());
}

std::size_t size_argument(PyObject* object, const char* name, std::size_t otherwise) {
  if (!is_given(object)) return otherwise;
  const long long value = integer_of(object, name, "int or None");
  if (value < 0) fail(ErrorKind::kInvalidArgument, name, " is ", value, ", expected 0 or more");
  return std::min(static_cast<std::size_t>(value), otherwise);
}

CompressOptions compress_options_argument(const ByteCodec& codec, PyObject* level, PyObject* dictionary, PyObject* threads, PyObject* checksum, bool streaming) {
  const bool fewer_levels = streaming || is_given(dictionary);
  return compress_options(codec, level_argument(codec, level, fewer_levels), checksum_argument(checksum), threads_argument(threads), dictionary_argument(dictionary));
}

}  // namespace haagenti::bindings
