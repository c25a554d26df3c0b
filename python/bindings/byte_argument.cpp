#include "byte_argument.h"

#include <optional>
#include <string>

#include "haagenti/base/error.h"

namespace haagenti::bindings {
namespace {

namespace py = pybind11;

std::string type_name(PyObject* object) { return Py_TYPE(object)->tp_name; }

[[noreturn]] void fail_contiguous(PyObject* object, const char* name) {
  fail(ErrorKind::kInvalidArgument, name, " is a ", type_name(object), " that is not C-contiguous; its bytes have no order to take them in (make a contiguous copy)");
}

[[noreturn]] void fail_read_only(PyObject* object, const char* name) {
  fail(ErrorKind::kInvalidArgument, name, " is a ", type_name(object), " that cannot be written");
}

// A torch tensor, known by what it can do: torch is never imported.
bool is_tensor(const py::handle& object) { return py::hasattr(object, "data_ptr") && py::hasattr(object, "is_contiguous") && py::hasattr(object, "untyped_storage"); }

ByteView tensor_bytes(const py::handle& tensor, const char* name) {
  const std::string device = py::str(tensor.attr("device").attr("type"));
  if (device != "cpu") fail(ErrorKind::kInvalidArgument, name, " is a tensor on '", device, "', expected one on 'cpu'");
  if (py::str(tensor.attr("layout")).cast<std::string>() != "torch.strided") {
    fail(ErrorKind::kInvalidArgument, name, " is a tensor of layout ", py::str(tensor.attr("layout")).cast<std::string>(), ", expected torch.strided");
  }
  if (!tensor.attr("is_contiguous")().cast<bool>()) fail_contiguous(tensor.ptr(), name);
  // Lazy negation and conjugation: memory holds other values than the tensor shows.
  if (tensor.attr("is_neg")().cast<bool>() || tensor.attr("is_conj")().cast<bool>()) {
    fail(ErrorKind::kInvalidArgument, name, " is a tensor with a pending conjugation or negation; call resolve_conj().resolve_neg() first");
  }
  const auto n_bytes = tensor.attr("nbytes").cast<std::size_t>();
  const auto address = tensor.attr("data_ptr")().cast<std::uintptr_t>();
  // A storage may have been resized under the tensor; fake tensors say they are on the CPU and have no memory at all.
  const auto begin = tensor.attr("storage_offset")().cast<std::size_t>() * tensor.attr("element_size")().cast<std::size_t>();
  const auto held = tensor.attr("untyped_storage")().attr("nbytes")().cast<std::size_t>();
  if (n_bytes > 0 && (address == 0 || begin > held || n_bytes > held - begin)) {
    fail(ErrorKind::kInvalidArgument, name, " is a tensor of ", n_bytes, " bytes whose storage does not hold them (freed, resized or fake)");
  }
  return {reinterpret_cast<const std::uint8_t*>(address), n_bytes};
}

// numpy arrays whose dtype the buffer protocol cannot describe (bfloat16, datetime64): their array interface.
bool is_array(const py::handle& object) { return py::hasattr(object, "__array_interface__") && py::hasattr(object, "nbytes"); }

ByteView array_bytes(const py::handle& array, const char* name, ByteArgument::Access access) {
  const py::dict interface = array.attr("__array_interface__");
  if (interface.contains("strides") && !interface["strides"].is_none()) fail_contiguous(array.ptr(), name);
  const py::tuple data = interface["data"];
  if (access == ByteArgument::Access::kWrite && data[1].cast<bool>()) fail_read_only(array.ptr(), name);
  const auto address = data[0].cast<std::uintptr_t>();
  const auto n_bytes = array.attr("nbytes").cast<std::size_t>();
  if (address == 0 && n_bytes > 0) fail(ErrorKind::kInvalidArgument, name, " is a ", type_name(array.ptr()), " of ", n_bytes, " bytes at address 0");
  return {reinterpret_cast<const std::uint8_t*>(address), n_bytes};
}

// Whether a format of the struct module, as PEP 3118 extends it, has an object in it; field names stand between colons.
bool format_has_object(const char* format) {
  bool inside_name = false;
  for (; format != nullptr && *format != '\0'; ++format) {
    if (*format == ':') inside_name = !inside_name;
    if (*format == 'O' && !inside_name) return true;
  }
  return false;
}

// Whether an array is of Python objects, or has fields of them. Asked only of elements that are large enough to be addresses.
bool holds_objects(PyObject* object) {
  if (PyMemoryView_Check(object)) {
    return format_has_object(PyMemoryView_GET_BUFFER(object)->format);
  }
  static PyObject* const kDType = PyUnicode_InternFromString("dtype");
  static PyObject* const kHasObject = PyUnicode_InternFromString("hasobject");
  const auto dtype = py::reinterpret_steal<py::object>(PyObject_GetAttr(object, kDType));
  const auto answer = dtype ? py::reinterpret_steal<py::object>(PyObject_GetAttr(dtype.ptr(), kHasObject)) : py::object();
  PyErr_Clear();
  return answer.ptr() == Py_True;
}

}  // namespace

ByteArgument::ByteArgument(PyObject* object, const char* name, Access access) {
  if (access == Access::kRead && PyBytes_CheckExact(object)) {
    bytes_ = {reinterpret_cast<const std::uint8_t*>(PyBytes_AS_STRING(object)), static_cast<std::size_t>(PyBytes_GET_SIZE(object))};
    owner_ = Py_NewRef(object);
    return;
  }
  std::optional<py::error_already_set> refusal;
  if (take_buffer(object, name, access, refusal)) return;
  const py::handle handle(object);
  if (is_tensor(handle)) {
    bytes_ = tensor_bytes(handle, name);
  } else if (is_array(handle)) {
    bytes_ = array_bytes(handle, name, access);
  } else if (refusal) {
    throw *refusal;
  } else {
    throw py::type_error(std::string(name) + " is of type " + type_name(object) + ", expected bytes, another buffer, a numpy array or a torch tensor");
  }
  owner_ = Py_NewRef(object);
}

ByteArgument::~ByteArgument() {
  if (owner_ != nullptr) {
    Py_DECREF(owner_);
  } else {
    PyBuffer_Release(&view_);
  }
}

// False when the object has no buffer to give; an array of a foreign dtype says so by an error.
bool ByteArgument::take_buffer(PyObject* object, const char* name, Access access, std::optional<pybind11::error_already_set>& refusal) {
  if (!PyObject_CheckBuffer(object)) return false;
  const int writable = access == Access::kWrite ? PyBUF_WRITABLE : 0;
  if (PyObject_GetBuffer(object, &view_, PyBUF_C_CONTIGUOUS | writable) != 0) {
    refusal.emplace();
    if (PyObject_GetBuffer(object, &view_, PyBUF_STRIDED_RO) != 0) {
      PyErr_Clear();
      return false;
    }
    const bool contiguous = PyBuffer_IsContiguous(&view_, 'C') != 0;
    PyBuffer_Release(&view_);
    if (!contiguous) fail_contiguous(object, name);
    fail_read_only(object, name);
  }
  bytes_ = {static_cast<const std::uint8_t*>(view_.buf), static_cast<std::size_t>(view_.len)};
  if (view_.itemsize >= static_cast<Py_ssize_t>(sizeof(PyObject*)) && holds_objects(object)) {
    PyBuffer_Release(&view_);
    fail(ErrorKind::kInvalidArgument, name, " is an array of Python objects; they have no bytes to compress");
  }
  return true;
}

void check_disjoint(ByteView data, ByteView out) {
  if (data.empty() || out.empty()) return;
  if (data.data() < out.data() + out.size() && out.data() < data.data() + data.size()) {
    fail(ErrorKind::kInvalidArgument, "out shares memory with data");
  }
}

}  // namespace haagenti::bindings
