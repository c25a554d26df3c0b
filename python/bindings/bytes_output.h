// Output into a Python bytes object that grows: what was decoded is not copied at the end.
#pragma once

#include <pybind11/pybind11.h>

#include <algorithm>
#include <utility>

#include "fastcall.h"
#include "haagenti/bytecodec/output.h"

namespace haagenti::bindings {

class BytesOutput final : public Output {
 public:
  // limit: the max_size or, by_size, the exact size that the caller gave.
  explicit BytesOutput(std::size_t limit = kNoLimit, bool by_size = false)
      : Output(small_, std::min(sizeof small_, limit), limit), by_size_(by_size) {}
  ~BytesOutput() override;

  // The bytes written so far, as an object of its own; once, with the GIL. Null with Python's error set when memory is short.
  PyObject* take();

  // Between the two, the GIL is not held; growing takes it for as long as it needs.
  void release_gil() { released_ = PyEval_SaveThread(); }
  void acquire_gil() {
    if (released_ != nullptr) take_gil(std::exchange(released_, nullptr));
  }

  [[noreturn]] void fail_full() const override;

  static constexpr std::size_t kNoLimit = PY_SSIZE_T_MAX - 64;  // what a bytes object can hold

 protected:
  std::uint8_t* reallocate(std::size_t capacity) override;

 private:
  std::uint8_t* resize(std::size_t capacity);

  std::uint8_t small_[512];   // most messages of a few bytes fit, and are copied once at the end
  PyObject* bytes_ = nullptr;
  PyThreadState* released_ = nullptr;
  const bool by_size_;
};

// An empty bytes object of n bytes, to be written before anyone sees it. Throws std::bad_alloc.
PyObject* new_bytes(std::size_t n);

}  // namespace haagenti::bindings
