#include "haagenti/bytecodec/output.h"

#include <algorithm>
#include <cstdlib>
#include <new>

#include "haagenti/base/error.h"

namespace haagenti {
namespace {

constexpr std::size_t kFirstGrowth = 64 * 1024;

}  // namespace

void Output::reserve(std::size_t n) {
  if (n <= capacity_ - size_) return;
  if (n > limit_ - size_) fail_full();
  data_ = reallocate(size_ + n);
  capacity_ = size_ + n;
}

bool Output::reserve_claimed(std::uint64_t n, std::uint64_t earned) {
  if (n > earned) return false;
  reserve(n);
  return true;
}

void Output::grow() {
  if (capacity_ == limit_) fail_full();
  const std::size_t doubled = capacity_ > limit_ / 2 ? limit_ : 2 * capacity_;
  const std::size_t capacity = std::min(std::max(doubled, kFirstGrowth), limit_);
  data_ = reallocate(capacity);
  capacity_ = capacity;
}

void FixedOutput::fail_full() const { fail(ErrorKind::kInvalidArgument, "out holds ", limit(), " bytes, the decompressed data is larger"); }

HeapOutput::~HeapOutput() { std::free(memory_); }

void HeapOutput::fail_full() const { fail(ErrorKind::kDecompression, "the decompressed data is larger than max_size of ", limit(), " bytes"); }

std::uint8_t* HeapOutput::reallocate(std::size_t capacity) {
  void* memory = std::realloc(memory_, std::max<std::size_t>(capacity, 1));
  if (memory == nullptr) throw std::bad_alloc();
  return memory_ = static_cast<std::uint8_t*>(memory);
}

}  // namespace haagenti
