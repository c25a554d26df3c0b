// The bytes of what users pass: anything with the buffer protocol, numpy arrays of dtypes without it, torch CPU tensors. Never a copy.
// Not responsible for what the bytes mean.
#pragma once

#include <pybind11/pybind11.h>

#include <optional>

#include "haagenti/base/bytes.h"

namespace haagenti::bindings {

// Holds the memory for as long as it lives; made and destroyed with the GIL.
class ByteArgument {
 public:
  enum class Access { kRead, kWrite };

  // `name` is the parameter's, for messages. Throws TypeError for objects without memory, InvalidArgument for what is not C-contiguous,
  // not on the CPU, or read-only although it is to be written.
  ByteArgument(PyObject* object, const char* name, Access access = Access::kRead);
  ~ByteArgument();
  ByteArgument(const ByteArgument&) = delete;
  ByteArgument& operator=(const ByteArgument&) = delete;

  ByteView bytes() const { return bytes_; }
  MutableByteView mutable_bytes() const { return {const_cast<std::uint8_t*>(bytes_.data()), bytes_.size()}; }

 private:
  bool take_buffer(PyObject* object, const char* name, Access access, std::optional<pybind11::error_already_set>& refusal);

  ByteView bytes_;
  PyObject* owner_ = nullptr;  // without the buffer protocol: the object whose memory it is
  Py_buffer view_{};           // with it
};

// Throws InvalidArgument when the two share memory.
void check_disjoint(ByteView data, ByteView out);

}  // namespace haagenti::bindings
