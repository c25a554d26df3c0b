// The one exception of the core: a kind that Python maps to a class, and a message for people.
// Not responsible for translating to Python.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace haagenti {

// kDecompression: compressed bytes that are neither corrupt nor cut short and still cannot be decoded (wrong dictionary, too large).
enum class ErrorKind { kInvalidArgument, kDecompression, kCorrupt, kTruncated, kUnsupported, kIo, kDevice };

class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  ErrorKind kind() const noexcept { return kind_; }

 private:
  ErrorKind kind_;
};

template <class... Parts>
std::string concat(const Parts&... parts) {
  std::ostringstream text;
  (text << ... << parts);
  return text.str();
}

// Throws Error with a message made of the parts.
template <class... Parts>
[[noreturn]] void fail(ErrorKind kind, const Parts&... parts) {
  throw Error(kind, concat(parts...));
}

}  // namespace haagenti
