// Files: mapped for reading, and written so that a name never shows half a file.
// Not responsible for formats.
#pragma once

#include <cstdint>
#include <string>

#include "haagenti/base/bytes.h"

namespace haagenti {

// The bytes of a file, mapped read-only. Errors are Io and name the path.
class MappedFile {
 public:
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  ByteView bytes() const { return {data_, size_}; }

 private:
  const std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

// Written under a temporary name beside `path`; commit() makes it durable and gives it its name. Without commit() it is removed.
class AtomicFile {
 public:
  // Refuses an existing path unless overwrite.
  AtomicFile(std::string path, bool overwrite);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void append(ByteView bytes);
  std::uint64_t size() const { return size_; }
  const std::string& path() const { return path_; }
  bool is_open() const { return fd_ >= 0; }

  // fsync, rename, fsync of the directory.
  void commit();
  void abort() noexcept;

 private:
  std::string path_;
  std::string temporary_;
  bool overwrite_;
  int fd_ = -1;
  std::uint64_t size_ = 0;
};

}  // namespace haagenti
