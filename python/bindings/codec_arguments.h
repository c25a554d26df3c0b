// Arguments that the functions, the reused objects and the streams of the byte codecs share.
#pragma once

#include <pybind11/pybind11.h>

#include <memory>
#include <optional>

#include "haagenti/bytecodec/options.h"

namespace haagenti::bindings {

// Null stands for a parameter that was not given, and so does None where it is the default.
const ByteCodec& algorithm_argument(PyObject* object);
int level_argument(const ByteCodec& codec, PyObject* object, bool streaming);
std::optional<bool> checksum_argument(PyObject* object);
long long threads_argument(PyObject* object);
std::shared_ptr<const Dictionary> dictionary_argument(PyObject* object);
bool flag_argument(PyObject* object);
// A number of bytes; `otherwise` when not given. Throws InvalidArgument when negative.
std::size_t size_argument(PyObject* object, const char* name, std::size_t otherwise);

CompressOptions compress_options_argument(const ByteCodec& codec, PyObject* level, PyObject* dictionary, PyObject* threads, PyObject* checksum, bool streaming);

inline bool is_given(PyObject* object) { return object != nullptr && object != Py_None; }

}  // namespace haagenti::bindings
