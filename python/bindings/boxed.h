// Python types of our own around a C++ object, for the calls that pybind11's dispatcher would slow down.
// Not responsible for methods: each type's source lists them.
#pragma once

#include <memory>
#include <type_traits>

#include "fastcall.h"

namespace haagenti::bindings {

template <class Impl>
struct Boxed {
  PyObject_HEAD
  Impl* impl;
};

template <class Impl>
Impl& unboxed(PyObject* self) {
  return *reinterpret_cast<Boxed<Impl>*>(self)->impl;
}

// An object of `type` around what `make` returns (a pointer it owns).
template <class Impl, class Make>
PyObject* new_boxed(PyTypeObject* type, Make make) noexcept {
  return guarded([&]() -> PyObject* {
    std::unique_ptr<Impl> impl = make();
    PyObject* self = type->tp_alloc(type, 0);
    if (self != nullptr) reinterpret_cast<Boxed<Impl>*>(self)->impl = impl.release();
    return self;
  });
}

template <class Impl>
void delete_boxed(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  delete reinterpret_cast<Boxed<Impl>*>(self)->impl;
  type->tp_free(self);
  Py_DECREF(type);
}

// Adds a type made of these slots to the module. `qualified` is like "haagenti.Compressor".
template <class Impl>
void add_boxed_type(pybind11::module_& module, const char* qualified, std::vector<PyType_Slot> slots) {
  slots.push_back({Py_tp_dealloc, reinterpret_cast<void*>(&delete_boxed<Impl>)});
  slots.push_back({0, nullptr});
  PyType_Spec spec{qualified, sizeof(Boxed<Impl>), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, slots.data()};
  const auto type = pybind11::reinterpret_steal<pybind11::object>(PyType_FromSpec(&spec));
  if (!type) throw pybind11::error_already_set();
  module.add_object(std::string(qualified).substr(std::string(qualified).rfind('.') + 1).c_str(), type);
}

template <class Function>
PyMethodDef fast_method(const char* name, Function* function, const char* doc) {
  static_assert(std::is_same_v<Function, PyObject*(PyObject*, PyObject* const*, Py_ssize_t, PyObject*)>);
  return {name, reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function)), METH_FASTCALL | METH_KEYWORDS, doc};
}

}  // namespace haagenti::bindings
