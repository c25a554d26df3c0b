// Python buffers as byte views, and our buffers as Python's.
// Not responsible for dtypes or shapes: the package passes those beside the bytes.
#pragma once

#include <pybind11/pybind11.h>

#include "haagenti/base/bytes.h"
#include "haagenti/base/error.h"

namespace haagenti::bindings {

namespace py = pybind11;

// Holds a C-contiguous view of an object's bytes for as long as it lives.
class HeldBuffer {
 public:
  HeldBuffer(const py::handle& object, bool writable) {
    const int flags = PyBUF_C_CONTIGUOUS | (writable ? PyBUF_WRITABLE : 0);
    if (PyObject_GetBuffer(object.ptr(), &view_, flags) != 0) throw py::error_already_set();
    held_ = true;
  }
  HeldBuffer(HeldBuffer&& other) noexcept : view_(other.view_), held_(other.held_) { other.held_ = false; }
  HeldBuffer(const HeldBuffer&) = delete;
  HeldBuffer& operator=(const HeldBuffer&) = delete;
  HeldBuffer& operator=(HeldBuffer&&) = delete;
  ~HeldBuffer() {
    if (!held_) return;
    const py::gil_scoped_acquire gil;
    PyBuffer_Release(&view_);
  }

  ByteView bytes() const { return {static_cast<const std::uint8_t*>(view_.buf), static_cast<std::size_t>(view_.len)}; }
  MutableByteView mutable_bytes() const { return {static_cast<std::uint8_t*>(view_.buf), static_cast<std::size_t>(view_.len)}; }

 private:
  Py_buffer view_{};
  bool held_ = false;
};

inline HeldBuffer readable(const py::handle& object) { return {object, false}; }
inline HeldBuffer writable(const py::handle& object) { return {object, true}; }

}  // namespace haagenti::bindings
