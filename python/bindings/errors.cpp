// The tree of exceptions, and how an ErrorKind picks its class.
//
//   Error > InvalidArgumentError (also ValueError), DecompressionError > (CorruptError, TruncatedError), UnsupportedError,
//           IoError (also OSError), DeviceError
#include "haagenti/base/error.h"

#include <string>
#include <string_view>

#include "fastcall.h"
#include "module.h"

namespace haagenti::bindings {
namespace {

namespace py = pybind11;

struct Classes {
  py::object error, invalid_argument, decompression, corrupt, truncated, unsupported, io, device;
};

// Made once and never freed: an exception may be raised while the interpreter shuts down.
Classes* g_classes = nullptr;

py::object new_class(py::module_& module, const char* name, const char* doc, const py::tuple& bases) {
  const std::string qualified = std::string("haagenti.") + name;
  PyObject* made = PyErr_NewExceptionWithDoc(qualified.c_str(), doc, bases.ptr(), nullptr);
  if (made == nullptr) throw py::error_already_set();
  py::object object = py::reinterpret_steal<py::object>(made);
  module.attr(name) = object;
  return object;
}

const py::object& class_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalidArgument: return g_classes->invalid_argument;
    case ErrorKind::kDecompression: return g_classes->decompression;
    case ErrorKind::kCorrupt: return g_classes->corrupt;
    case ErrorKind::kTruncated: return g_classes->truncated;
    case ErrorKind::kUnsupported: return g_classes->unsupported;
    case ErrorKind::kIo: return g_classes->io;
    case ErrorKind::kDevice: return g_classes->device;
  }
  return g_classes->error;
}

void set_error(const Error& error) {
  // A message may hold a path that is not UTF-8.
  const std::string_view what = error.what();
  const auto text = py::reinterpret_steal<py::object>(PyUnicode_DecodeUTF8(what.data(), static_cast<py::ssize_t>(what.size()), "backslashreplace"));
  py::set_error(class_of(error.kind()), text);
}

}  // namespace

void bind_errors(py::module_& module) {
  auto* classes = new Classes;
  const auto builtin = [](PyObject* object) { return py::reinterpret_borrow<py::object>(object); };
  classes->error = new_class(module, "Error", "Base of every error that haagenti raises.", py::make_tuple(builtin(PyExc_Exception)));
  const auto derived = [&](const char* name, const char* doc, const py::object& parent) { return new_class(module, name, doc, py::make_tuple(parent)); };
  classes->invalid_argument = new_class(module, "InvalidArgumentError", "An argument that cannot be used.", py::make_tuple(classes->error, builtin(PyExc_ValueError)));
  classes->decompression = derived("DecompressionError", "Compressed bytes that cannot be decoded.", classes->error);
  classes->corrupt = derived("CorruptError", "Bytes that contradict their format or their checksum.", classes->decompression);
  classes->truncated = derived("TruncatedError", "Bytes that end too early.", classes->decompression);
  classes->unsupported = derived("UnsupportedError", "A format, version or stage that this build does not know.", classes->error);
  classes->io = new_class(module, "IoError", "A file that cannot be read or written.", py::make_tuple(classes->error, builtin(PyExc_OSError)));
  classes->device = derived("DeviceError", "A GPU that is missing or failed.", classes->error);
  g_classes = classes;
  py::register_local_exception_translator([](std::exception_ptr thrown) {
    try {
      if (thrown) std::rethrow_exception(thrown);
    } catch (const Error& error) {
      set_error(error);
    }
  });
}

void set_error_from_exception() noexcept {
  try {
    throw;
  } catch (py::error_already_set& error) {
    error.restore();
  } catch (const Error& error) {
    set_error(error);
  } catch (const py::builtin_exception& error) {
    error.set_error();
  } catch (const std::bad_alloc&) {
    PyErr_SetString(PyExc_MemoryError, "not enough memory");
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
  }
}

}  // namespace haagenti::bindings
