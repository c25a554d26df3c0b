#include "bytes_output.h"

#include <sys/mman.h>

#include <cstring>

#include "haagenti/base/error.h"

namespace haagenti::bindings {
namespace {

constexpr std::size_t kHugePage = 2u << 20;

// Asks for large pages behind large fresh memory: first touches of 4 KiB pages take as long as decompressing into them.
void use_huge_pages(PyObject* bytes) {
  const auto size = static_cast<std::size_t>(PyBytes_GET_SIZE(bytes));
  if (size < 2 * kHugePage) return;
  const auto begin = reinterpret_cast<std::uintptr_t>(PyBytes_AS_STRING(bytes));
  const std::uintptr_t first = (begin + kHugePage - 1) / kHugePage * kHugePage;
  const std::uintptr_t last = (begin + size) / kHugePage * kHugePage;
  if (last > first) ::madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);  // advice: a refusal changes nothing
}

}  // namespace

PyObject* new_bytes(std::size_t n) {
  if (n > BytesOutput::kNoLimit) throw std::bad_alloc();
  PyObject* bytes = PyBytes_FromStringAndSize(nullptr, static_cast<Py_ssize_t>(n));
  if (bytes == nullptr) {
    PyErr_Clear();
    throw std::bad_alloc();
  }
  use_huge_pages(bytes);
  return bytes;
}

BytesOutput::~BytesOutput() {
  acquire_gil();
  Py_XDECREF(bytes_);
}

std::uint8_t* BytesOutput::resize(std::size_t capacity) {
  if (bytes_ == nullptr) {
    bytes_ = new_bytes(capacity);
    std::memcpy(PyBytes_AS_STRING(bytes_), small_, std::min(size(), sizeof small_));
  } else {
    // On failure the old object is gone and bytes_ null.
    if (_PyBytes_Resize(&bytes_, static_cast<Py_ssize_t>(capacity)) != 0) {
      PyErr_Clear();
      throw std::bad_alloc();
    }
    use_huge_pages(bytes_);
  }
  return reinterpret_cast<std::uint8_t*>(PyBytes_AS_STRING(bytes_));
}

std::uint8_t* BytesOutput::reallocate(std::size_t capacity) {
  if (capacity > kNoLimit) throw std::bad_alloc();
  if (released_ == nullptr) return resize(capacity);
  acquire_gil();
  std::uint8_t* data = resize(capacity);
  release_gil();
  return data;
}

PyObject* BytesOutput::take() {
  if (bytes_ == nullptr) return PyBytes_FromStringAndSize(reinterpret_cast<const char*>(small_), static_cast<Py_ssize_t>(size()));
  if (static_cast<std::size_t>(PyBytes_GET_SIZE(bytes_)) != size() && _PyBytes_Resize(&bytes_, static_cast<Py_ssize_t>(size())) != 0) return nullptr;
  return std::exchange(bytes_, nullptr);
}

void BytesOutput::fail_full() const {
  const ErrorKind kind = by_size_ ? ErrorKind::kCorrupt : ErrorKind::kDecompression;
  fail(kind, "the decompressed data is larger than ", by_size_ ? "size" : "max_size", " of ", limit(), " bytes");
}

}  // namespace haagenti::bindings
