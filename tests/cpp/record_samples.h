// Records for tests: made, decoded, and forged with a right checksum.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "encoding/record_layout.h"
#include "haagenti/base/error.h"
#include "haagenti/base/xxh3.h"
#include "haagenti/encoding/encode.h"
#include "haagenti/encoding/record.h"

namespace haagenti {

inline std::vector<float> values(std::size_t n, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> x(n);
  for (float& v : x) v = normal(random);
  return x;
}

inline TensorView view_of(const std::vector<float>& x, std::uint64_t rows, std::uint64_t cols) {
  return {{reinterpret_cast<const std::uint8_t*>(x.data()), x.size() * 4}, DType::kF32, {rows, cols}, {0, 1}, rows, cols, "w"};
}

inline std::vector<std::uint8_t> encoded(const std::vector<float>& x, std::uint64_t rows, std::uint64_t cols, const char* spec) {
  const EncodedTensor result = encode(view_of(x, rows, cols), parse_encoding(spec));
  EXPECT_EQ(result.fallback_reason, "");
  return {result.record.data(), result.record.data() + result.record.size()};
}

inline std::vector<float> decoded(const std::vector<std::uint8_t>& record, std::size_t n) {
  std::vector<float> y(n);
  RecordView(record, "w").decode({reinterpret_cast<std::uint8_t*>(y.data()), n * 4}, DType::kF32);
  return y;
}

inline ErrorKind kind_of(const std::vector<std::uint8_t>& record) {
  try {
    const RecordView view(record, "w");
    view.verify();
    std::vector<std::uint8_t> out(view.header().n_elements * 4);
    view.decode(out, DType::kF32);
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("tensor 'w'"), std::string::npos) << error.what();
    return error.kind();
  }
  ADD_FAILURE() << "accepted";
  return ErrorKind::kInvalidArgument;
}

// Any cut, and any flipped bit, is refused by what it is.
inline void expect_cuts_refused(const std::vector<std::uint8_t>& record) {
  for (std::size_t size = 0; size < record.size(); ++size) {
    const std::vector<std::uint8_t> cut(record.begin(), record.begin() + static_cast<std::ptrdiff_t>(size));
    ASSERT_EQ(kind_of(cut), ErrorKind::kTruncated) << size;
  }
}

inline void expect_flips_refused(const std::vector<std::uint8_t>& record) {
  for (std::size_t bit = 0; bit < 8 * record.size(); ++bit) {
    std::vector<std::uint8_t> flipped = record;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
    kind_of(flipped);
  }
}

// Elements begin .. end of a record, at random places, are those of the whole.
inline void expect_parts_of_the_whole(std::uint64_t rows, std::uint64_t cols, const char* spec, int n_parts) {
  const std::vector<float> x = values(rows * cols);
  const std::vector<std::uint8_t> record = encoded(x, rows, cols, spec);
  const std::vector<float> whole = decoded(record, x.size());
  const RecordView view(record, "w");
  std::mt19937 random(7);
  for (int i = 0; i < n_parts; ++i) {
    std::uint64_t begin = random() % (x.size() + 1);
    std::uint64_t end = i % 2 == 0 ? random() % (x.size() + 1) : std::min<std::uint64_t>(x.size(), begin + random() % 100);
    if (begin > end) std::swap(begin, end);
    std::vector<float> part(end - begin);
    view.decode_elements(begin, end, {reinterpret_cast<std::uint8_t*>(part.data()), part.size() * 4}, DType::kF32);
    ASSERT_TRUE(std::equal(part.begin(), part.end(), whole.begin() + static_cast<std::ptrdiff_t>(begin))) << spec << " " << begin << " " << end;
  }
}

inline void sign(std::vector<std::uint8_t>& record) {
  const std::size_t stated = load_le<std::uint32_t>(record.data() + layout::kHeaderSizeAt);
  const std::size_t header_size = std::clamp(stated, kRecordFixedSize, record.size());
  const ByteView all(record);
  store_le(record.data() + layout::kChecksumAt, xxh3_64(all.first(layout::kChecksumAt), all.subspan(kRecordFixedSize, header_size - kRecordFixedSize)));
}

}  // namespace haagenti
