#include "haagenti/base/buffer.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <new>

#include "haagenti/base/checked.h"

namespace haagenti {
namespace {

// Buffers from this size on are mapped by themselves: freed, they leave the process at once. malloc keeps aligned blocks of megabytes that it
// cannot use again, so that memory would grow with the number of tensors of a checkpoint.
constexpr std::size_t kMappedSize = 1u << 20;

std::size_t page_size() { return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)); }

std::uint8_t* map_pages(std::size_t n_bytes) {
  void* pages = ::mmap(nullptr, n_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return pages == MAP_FAILED ? nullptr : static_cast<std::uint8_t*>(pages);
}

}  // namespace

Buffer::Buffer(std::size_t n_bytes) : size_(n_bytes) {
  if (n_bytes == 0) return;
  const bool mapped = round_up(n_bytes, kAlignment) >= kMappedSize;
  capacity_ = round_up(n_bytes, mapped ? page_size() : kAlignment);
  if (capacity_ < n_bytes) throw std::bad_alloc();
  bytes_ = mapped ? map_pages(capacity_) : static_cast<std::uint8_t*>(std::aligned_alloc(kAlignment, capacity_));
  if (bytes_ == nullptr) throw std::bad_alloc();
}

Buffer::~Buffer() {
  if (capacity_ >= kMappedSize) {
    ::munmap(bytes_, capacity_);
  } else {
    std::free(bytes_);
  }
}

void Buffer::prefer_large_pages() noexcept {
#if defined(MADV_HUGEPAGE)
  if (capacity_ >= kMappedSize) ::madvise(bytes_, capacity_, MADV_HUGEPAGE);  // a wish: nothing is lost when it is not granted
#endif
}

void Buffer::truncate(std::size_t n_bytes) noexcept {
  if (n_bytes >= size_) return;
  size_ = n_bytes;
  // What is left must still be freed as it was allocated, so a mapping never shrinks below the smallest one.
  const std::size_t kept = round_up(n_bytes > kMappedSize ? n_bytes : kMappedSize, page_size());
  if (capacity_ < kMappedSize || kept >= capacity_) return;
  ::munmap(bytes_ + kept, capacity_ - kept);
  capacity_ = kept;
}

}  // namespace haagenti
