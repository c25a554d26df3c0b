// Data that the tests of the byte codecs compress, and what they expect of errors.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "haagenti/base/error.h"

namespace haagenti::samples {

using Bytes = std::vector<std::uint8_t>;

inline Bytes random_bytes(std::size_t n) {
  std::mt19937 random(3);
  Bytes bytes(n);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
  return bytes;
}

inline Bytes text_like(std::size_t n) {
  static constexpr std::string_view kWords[] = {"weight ", "scale ", "layer.", "mlp ", "attention\n", "0.125 ", "bias "};
  std::mt19937 random(7);
  Bytes bytes;
  while (bytes.size() < n) {
    const std::string_view word = kWords[random() % std::size(kWords)];
    bytes.insert(bytes.end(), word.begin(), word.end());
  }
  bytes.resize(n);
  return bytes;
}

// Pairs of a noisy byte and one of few values.
inline Bytes bf16_like(std::size_t n) {
  Bytes bytes = random_bytes(n);
  for (std::size_t i = 1; i < n; i += 2) bytes[i] = 0x3b + (bytes[i] & 3);
  return bytes;
}

template <class Call>
std::pair<ErrorKind, std::string> error_of(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return {error.kind(), error.what()};
  }
  return {ErrorKind::kInvalidArgument, "no error"};
}

inline void expect_error(const std::pair<ErrorKind, std::string>& error, ErrorKind kind, std::string_view part) {
  EXPECT_EQ(error.first, kind) << error.second;
  EXPECT_NE(error.second.find(part), std::string::npos) << error.second;
}

}  // namespace haagenti::samples
