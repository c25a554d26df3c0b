// Bytes of a number not known in advance: memory that grows with what was produced, never with what a header claims.
// Not responsible for where the memory is: derived classes hold it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "haagenti/base/bytes.h"

namespace haagenti {

class Output {
 public:
  virtual ~Output() = default;
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  std::uint8_t* data() const { return data_; }
  std::size_t size() const { return size_; }
  std::size_t capacity() const { return capacity_; }
  std::size_t limit() const { return limit_; }
  // What is behind size().
  MutableByteView room() const { return {data_ + size_, capacity_ - size_}; }

  // Says that n bytes of room() were written.
  void advance(std::size_t n) { size_ += n; }
  // Forgets all but the first n bytes.
  void rewind(std::size_t n) { size_ = n; }

  // Makes room for exactly n more bytes (none are written yet); for sizes that are known or earned. Throws as fail_full when beyond limit.
  void reserve(std::size_t n);
  // As reserve, where `n` is only a header's claim and `earned` is what the input at hand can at most decode to. False, and nothing is
  // done, when the claim exceeds it; throws only when n, being believable, is beyond the limit.
  bool reserve_claimed(std::uint64_t n, std::uint64_t earned);
  // Makes more room: doubles, from 64 KiB at least, up to the limit. Throws as fail_full when the limit is reached already.
  void grow();

  // Throws that the data is larger than the limit: InvalidArgument for a caller's buffer, Decompression for a max_size.
  [[noreturn]] virtual void fail_full() const = 0;

 protected:
  Output(std::uint8_t* data, std::size_t capacity, std::size_t limit) : data_(data), capacity_(capacity), limit_(limit) {}

  // Returns memory of that many bytes that begins with the first size() bytes of the old one. Never called beyond limit().
  virtual std::uint8_t* reallocate(std::size_t capacity) = 0;

 private:
  std::uint8_t* data_;
  std::size_t size_ = 0;
  std::size_t capacity_;
  std::size_t limit_;
};

// A caller's buffer.
class FixedOutput final : public Output {
 public:
  explicit FixedOutput(MutableByteView out) : Output(out.data(), out.size(), out.size()) {}
  [[noreturn]] void fail_full() const override;

 protected:
  std::uint8_t* reallocate(std::size_t) override { fail_full(); }
};

// Memory of our own, for tests and for C++ users.
class HeapOutput final : public Output {
 public:
  explicit HeapOutput(std::size_t limit = SIZE_MAX) : Output(nullptr, 0, limit) {}
  ~HeapOutput() override;
  ByteView view() const { return {data(), size()}; }
  [[noreturn]] void fail_full() const override;

 protected:
  std::uint8_t* reallocate(std::size_t capacity) override;

 private:
  std::uint8_t* memory_ = nullptr;
};

}  // namespace haagenti
