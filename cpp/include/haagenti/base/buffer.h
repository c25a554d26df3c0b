// Owned bytes, 64-aligned so that SIMD, DMA and mapped files agree; contents start undefined.
// Not responsible for growing.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

#include "haagenti/base/bytes.h"

namespace haagenti {

inline constexpr std::size_t kAlignment = 64;

class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t n_bytes) : size_(n_bytes) {
    const std::size_t rounded = (n_bytes + kAlignment - 1) / kAlignment * kAlignment;
    if (rounded < n_bytes) throw std::bad_alloc();
    if (rounded == 0) return;
    bytes_.reset(static_cast<std::uint8_t*>(std::aligned_alloc(kAlignment, rounded)));
    if (!bytes_) throw std::bad_alloc();
  }

  std::uint8_t* data() noexcept { return bytes_.get(); }
  const std::uint8_t* data() const noexcept { return bytes_.get(); }
  std::size_t size() const noexcept { return size_; }
  ByteView view() const noexcept { return {data(), size_}; }
  // Forgets the bytes from n_bytes on.
  void truncate(std::size_t n_bytes) noexcept { size_ = n_bytes < size_ ? n_bytes : size_; }
  MutableByteView mutable_view() noexcept { return {data(), size_}; }

 private:
  struct Free {
    void operator()(std::uint8_t* p) const noexcept { std::free(p); }
  };
  std::unique_ptr<std::uint8_t[], Free> bytes_;
  std::size_t size_ = 0;
};

}  // namespace haagenti
