#include "haagenti/base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ios>
#include <random>

#include "haagenti/base/error.h"

namespace haagenti {
namespace {

[[noreturn]] void fail_io(const char* what, const std::string& path) { fail(ErrorKind::kIo, "cannot ", what, " '", path, "': ", std::strerror(errno)); }

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

void sync_directory(const std::string& path) {
  const std::string directory = directory_of(path);
  const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) fail_io("open directory", directory);
  const int status = ::fsync(fd);
  ::close(fd);
  if (status != 0 && errno != EINVAL) fail_io("sync directory", directory);  // EINVAL: a file system that has nothing to sync
}

// A new file beside `path` whose name nobody has; the process's umask decides its permissions.
int create_beside(const std::string& path, std::string& created) {
  std::random_device random;
  for (int attempt = 0; attempt < 100; ++attempt) {
    created = concat(path, ".partial-", std::hex, random());
    const int fd = ::open(created.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd >= 0 || errno != EEXIST) return fd;
  }
  return -1;
}

}  // namespace

MappedFile::MappedFile(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) fail_io("open", path);
  struct stat status;
  if (::fstat(fd, &status) != 0) {
    ::close(fd);
    fail_io("inspect", path);
  }
  size_ = static_cast<std::size_t>(status.st_size);
  void* mapped = size_ == 0 ? nullptr : ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, fd, 0);
  ::close(fd);
  if (mapped == MAP_FAILED) fail_io("map", path);
  data_ = static_cast<const std::uint8_t*>(mapped);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::uint8_t*>(data_), size_);
}

AtomicFile::AtomicFile(std::string path, bool overwrite) : path_(std::move(path)), overwrite_(overwrite) {
  if (!overwrite && ::access(path_.c_str(), F_OK) == 0) fail(ErrorKind::kIo, "'", path_, "' exists; nothing is overwritten unless asked for");
  fd_ = create_beside(path_, temporary_);
  if (fd_ < 0) fail_io("create a temporary file beside", path_);
}

AtomicFile::~AtomicFile() { abort(); }

void AtomicFile::append(ByteView bytes) {
  if (fd_ < 0) fail(ErrorKind::kInvalidArgument, "'", path_, "' is already finished or aborted");
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd_, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail_io("write", temporary_);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
    size_ += static_cast<std::uint64_t>(n);
  }
}

void AtomicFile::commit() {
  if (fd_ < 0) fail(ErrorKind::kInvalidArgument, "'", path_, "' is already finished or aborted");
  if (::fsync(fd_) != 0) fail_io("sync", temporary_);
  if (overwrite_) {
    if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail_io("rename to", path_);
  } else {
    // link() refuses a name that appeared in the meantime, which rename() would replace.
    if (::link(temporary_.c_str(), path_.c_str()) != 0) {
      const bool no_links = errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS;
      if (!no_links || ::rename(temporary_.c_str(), path_.c_str()) != 0) fail_io("create", path_);
    } else {
      ::unlink(temporary_.c_str());
    }
  }
  ::close(fd_);
  fd_ = -1;
  sync_directory(path_);
}

void AtomicFile::abort() noexcept {
  if (fd_ < 0) return;
  ::close(fd_);
  ::unlink(temporary_.c_str());
  fd_ = -1;
}

}  // namespace haagenti
