// Owned bytes, 64-aligned so that SIMD, DMA and mapped files agree; contents start undefined.
// Not responsible for growing.
#pragma once

#include <cstdint>
#include <utility>

#include "haagenti/base/bytes.h"

namespace haagenti {

inline constexpr std::size_t kAlignment = 64;

class Buffer {
 public:
  Buffer() = default;
  // Throws std::bad_alloc.
  explicit Buffer(std::size_t n_bytes);
  ~Buffer();
  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    swap(other);
    return *this;
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  std::uint8_t* data() noexcept { return bytes_; }
  const std::uint8_t* data() const noexcept { return bytes_; }
  std::size_t size() const noexcept { return size_; }
  ByteView view() const noexcept { return {bytes_, size_}; }
  // Forgets the bytes from n_bytes on; their pages, where they are many, go back to the system.
  void truncate(std::size_t n_bytes) noexcept;
  // For a large buffer that is written whole and soon: asks the system for large pages, of which there are fewer to fault in.
  void prefer_large_pages() noexcept;
  MutableByteView mutable_view() noexcept { return {bytes_, size_}; }

 private:
  void swap(Buffer& other) noexcept {
    std::swap(bytes_, other.bytes_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }

  std::uint8_t* bytes_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;  // as allocated
};

}  // namespace haagenti
