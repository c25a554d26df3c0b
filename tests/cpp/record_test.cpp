// Records: round trips, and every way of lying about one.
#include "haagenti/encoding/record.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "haagenti/base/executor.h"
#include "record_samples.h"
#include "simd_targets.h"

namespace haagenti {
namespace {

TEST(Record, LosslessRoundTripsForEveryCodecAndManyChunks) {
  const std::vector<float> x = values(1100 * 700);
  for (const char* spec : {"raw", "raw(codec=\"lz4\")", "raw(codec='none')"}) {
    EXPECT_EQ(decoded(encoded(x, 1100, 700, spec), x.size()), x);
    EXPECT_EQ(decoded(encoded(x, 1, x.size(), spec), x.size()), x);
  }
}

TEST(Record, BytesDependNeitherOnThreadsNorOnInstructionSet) {
  const std::vector<float> x = values(900 * 1000);
  for (const char* spec : {"raw", "int8", "int4", "int4(scale=\"max\", group_size=128)"}) {
    const std::vector<std::uint8_t> expected = encoded(x, 900, 1000, spec);
    for_each_simd_target([&] {
      for (const std::size_t threads : {1, 2, 3}) {
        set_num_threads(threads);
        ASSERT_EQ(encoded(x, 900, 1000, spec), expected) << spec;
      }
      set_num_threads(0);
    });
  }
}

TEST(Record, RowsAndElementsAreTheirPartOfTheWhole) {
  for (const auto& [rows, cols] : {std::pair<std::uint64_t, std::uint64_t>{1000, 600}, {1, 700'001}, {3, 700'001}}) {
    for (const char* spec : {"raw", "int8(group_size=32)", "int4"}) expect_parts_of_the_whole(rows, cols, spec, 40);
  }
}

TEST(Record, TruncationAtEveryByteIsRefused) {
  const std::vector<std::uint8_t> record = encoded(values(64), 2, 32, "int4");
  expect_cuts_refused(record);
  std::vector<std::uint8_t> longer = record;
  longer.push_back(0);
  EXPECT_EQ(kind_of(longer), ErrorKind::kCorrupt);
}

TEST(Record, EveryBitFlipIsRefused) {
  for (const char* spec : {"int4", "raw", "raw(codec='lz4')"}) {
    expect_flips_refused(encoded(values(96), 3, 32, spec));
  }
}

// A forger can sign: with a right checksum every value of every header byte must still be refused or harmless.
TEST(Record, SignedForgeriesNeverReadOutsideTheRecord) {
  for (const char* spec : {"int4", "int8", "raw"}) {
    const std::vector<std::uint8_t> record = encoded(values(96), 3, 32, spec);
    const auto header_size = load_le<std::uint32_t>(record.data() + layout::kHeaderSizeAt);
    for (std::size_t at = 0; at < header_size; ++at) {
      for (const unsigned value : {0u, 1u, 2u, 3u, 0x10u, 0x40u, 0x7fu, 0x80u, 0xfeu, 0xffu}) {
        std::vector<std::uint8_t> forged = record;
        forged[at] = static_cast<std::uint8_t>(value);
        if (at >= layout::kChecksumAt && at < kRecordFixedSize) continue;
        sign(forged);
        try {
          const RecordView view(forged, "w");
          ASSERT_LE(view.header().n_elements, 65536u * forged.size());
          view.verify();
          std::vector<std::uint8_t> out(view.header().n_elements * 4);
          view.decode(out, DType::kF32);
        } catch (const Error&) {
        }
      }
    }
  }
}

TEST(Record, SignedForgeriesOfSizesAreRefused) {
  const std::vector<std::uint8_t> record = encoded(values(96), 3, 32, "int4");
  const auto forge = [&](std::size_t at, std::uint64_t value) {
    std::vector<std::uint8_t> forged = record;
    store_le(forged.data() + at, value);
    sign(forged);
    return kind_of(forged);
  };
  const layout::Tables tables(2, 8, 2);
  for (const std::uint64_t value : {std::uint64_t{0}, std::uint64_t{4}, std::uint64_t{1} << 32, ~std::uint64_t{0}, std::uint64_t{1} << 63}) {
    EXPECT_EQ(forge(tables.dims, value), ErrorKind::kCorrupt) << value;            // dims[0]
    EXPECT_EQ(forge(layout::kRowsAt, value), ErrorKind::kCorrupt) << value;        // n_rows
    EXPECT_EQ(forge(tables.chunks, value), ErrorKind::kCorrupt) << value;          // stored size of the first chunk
    EXPECT_EQ(forge(tables.segments + 8, value), ErrorKind::kCorrupt) << value;    // n_chunks
  }
  for (const double value : {-1.0, static_cast<double>(NAN), static_cast<double>(INFINITY)}) {
    for (std::size_t field = 0; field < 5; ++field) {
      if (field == 2 && value == -1.0) continue;  // dot
      EXPECT_EQ(forge(layout::kErrorAt + 8 * field, std::bit_cast<std::uint64_t>(value)), ErrorKind::kCorrupt) << field << " " << value;
    }
  }
  EXPECT_EQ(forge(layout::kRecordSizeAt, record.size() + 64), ErrorKind::kTruncated);
  EXPECT_EQ(forge(layout::kRecordSizeAt, record.size() - 64), ErrorKind::kCorrupt);
  EXPECT_EQ(forge(layout::kQuantizerAt, 77), ErrorKind::kUnsupported);
  EXPECT_EQ(forge(layout::kTransformAt, 9), ErrorKind::kUnsupported);
}

TEST(Record, ValuesThatNoScaleHoldsFallBackToRaw) {
  std::vector<float> x = values(96);
  x[40] = NAN;
  const EncodedTensor result = encode(view_of(x, 3, 32), parse_encoding("int4"));
  EXPECT_EQ(result.fallback_reason, "row 1, column 0 of the matrix begins a group with a NaN");
  const RecordView view(result.record.view(), "w");
  EXPECT_EQ(describe_stages(view.header().stages()), "raw(codec=\"zstd\")");
  std::vector<float> y(96);
  view.decode({reinterpret_cast<std::uint8_t*>(y.data()), 96 * 4}, DType::kF32);
  EXPECT_EQ(std::memcmp(x.data(), y.data(), 96 * 4), 0);
}

TEST(Record, ChunkGridsFollowTheRules) {
  for (const std::uint64_t rows : {1ull, 2ull, 15ull, 16ull, 17ull, 1000ull, 100'000ull}) {
    for (const std::uint64_t cols : {1ull, 7ull, 64ull, 4096ull, 65'536ull, 131'072ull, 1'000'000ull, 100'000'000ull}) {
      for (const std::uint32_t bits : {4u, 8u, 16u, 32u, 64u}) {
        const ChunkGrid grid = choose_chunk_grid(rows, cols, bits);
        EXPECT_TRUE(grid.chunk_rows % 16 == 0);
        EXPECT_TRUE(grid.chunk_cols % 65536 == 0);
        EXPECT_TRUE(grid.chunk_cols >= cols || grid.chunk_rows == 16);
        const ChunkShape first = grid.shape(0);
        EXPECT_LE(first.rows * first.cols * bits / 8, 8u << 20) << rows << " x " << cols;
        std::uint64_t n = 0;
        if (grid.n_chunks() < 1000) {
          for (std::uint64_t c = 0; c < grid.n_chunks(); ++c) n += grid.shape(c).rows * grid.shape(c).cols;
          EXPECT_EQ(n, rows * cols);
        }
      }
    }
  }
}

}  // namespace
}  // namespace haagenti
