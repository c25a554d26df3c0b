// Records whose values were transformed: round trips, parts, forgeries, and the choice of the transform.
#include <gtest/gtest.h>

#include <cmath>

#include "haagenti/base/executor.h"
#include "haagenti/encoding/choose_transform.h"
#include "haagenti/hd/float_bits.h"
#include "record_samples.h"
#include "simd_targets.h"

namespace haagenti {
namespace {

constexpr const char* kSpecs[] = {
    "int4(transform=hadamard)",
    "int8(group_size=32, transform=\"hadamard(8, seed=5)\")",
    "int8(transform=dct_rows)",
    "int4(transform=dct_2d)",
    "int8(transform=block_dct(32))",
    "spectral(transform=identity)",
    "spectral(transform=hadamard)",
    "spectral(transform=block_dct(64))",
    "spectral(transform=dct_2d, coefficients=f16)",
    "spectral(transform=dct_rows, coefficients=int8, retention=0.5)",
    "spectral(transform=auto, bits_per_weight=3.5)",
    "spectral(energy=0.9, coefficients=f32)",
};

double snr_db(const std::vector<float>& x, const std::vector<float>& y) {
  double signal = 0, error = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double before = x[i], difference = static_cast<double>(y[i]) - before;
    signal += before * before;
    error += difference * difference;
  }
  return 10 * std::log10(signal / error);
}

TEST(RecordTransform, TheStatedErrorIsThatOfTheDecodedValues) {
  for (const auto& [rows, cols] : {std::pair<std::uint64_t, std::uint64_t>{300, 200}, {1, 1000}, {70, 8}, {130, 4200}}) {
    const std::vector<float> x = values(rows * cols);
    for (const char* spec : kSpecs) {
      const bool is_all_header = rows * cols < 10'000 && std::string_view(spec).find("bits_per_weight") != std::string_view::npos;
      if (is_all_header) continue;  // see BitsAWeightThatTheHeaderExceeds
      const std::vector<std::uint8_t> record = encoded(x, rows, cols, spec);
      const RecordView view(record, "w");
      const ErrorSums& error = view.header().error;
      const double stated = 10 * std::log10(error.signal_energy / error.error_energy);
      EXPECT_NEAR(stated, snr_db(x, decoded(record, x.size())), 1e-3) << spec << " " << rows << " x " << cols;
      EXPECT_GT(stated, 8) << spec;
    }
  }
}

TEST(RecordTransform, BytesAndValuesDependNeitherOnThreadsNorOnInstructionSet) {
  const std::vector<float> x = values(300 * 1000);
  for (const char* spec : kSpecs) {
    const std::vector<std::uint8_t> expected = encoded(x, 300, 1000, spec);
    const std::vector<float> restored = decoded(expected, x.size());
    for_each_simd_target([&] {
      for (const std::size_t threads : {1, 3}) {
        set_num_threads(threads);
        ASSERT_EQ(encoded(x, 300, 1000, spec), expected) << spec;
        ASSERT_EQ(decoded(expected, x.size()), restored) << spec;
      }
      set_num_threads(0);
    });
  }
}

TEST(RecordTransform, RowsAndElementsAreTheirPartOfTheWhole) {
  for (const char* spec : kSpecs) {
    expect_parts_of_the_whole(300, 520, spec, 12);
    const bool one_long_line = std::string_view(spec).find("dct_") != std::string_view::npos;  // decoded whole every time
    if (!one_long_line) expect_parts_of_the_whole(1, 700'008, spec, 12);
  }
}

TEST(RecordTransform, OtherTypesAreTheRoundedValues) {
  const std::vector<float> x = values(140 * 96);
  for (const char* spec : kSpecs) {
    const std::vector<std::uint8_t> record = encoded(x, 140, 96, spec);
    const std::vector<float> whole = decoded(record, x.size());
    std::vector<std::uint16_t> words(x.size());
    RecordView(record, "w").decode({reinterpret_cast<std::uint8_t*>(words.data()), words.size() * 2}, DType::kBF16);
    for (std::size_t i = 0; i < x.size(); ++i) ASSERT_EQ(words[i], hd::f32_to_bf16(whole[i])) << spec << " " << i;
  }
}

TEST(RecordTransform, CoefficientsTransformBackToTheTensor) {
  const std::vector<float> x = values(64 * 128);
  const std::vector<std::uint8_t> record = encoded(x, 64, 128, "int8(transform=hadamard(32))");
  const RecordView view(record, "w");
  std::vector<float> coefficients(x.size());
  view.decode_coefficients(0, 64, {reinterpret_cast<std::uint8_t*>(coefficients.data()), coefficients.size() * 4}, DType::kF32);
  EXPECT_LT(snr_db(x, coefficients), 3);  // another basis
  const Transform& row = transform(TransformId::kHadamard);
  row.functions.inverse({coefficients.data(), 128, 64, 128, 0, view.header().transform_params});
  EXPECT_EQ(coefficients, decoded(record, x.size()));
}

TEST(RecordTransform, AConstantKeepsItsMean) {
  const std::vector<float> x(10'000, 42.0f);
  for (const char* spec : {"spectral(retention=0.1)", "spectral(retention=0.1, transform=dct_rows)", "spectral(bits_per_weight=0.5)"}) {
    EXPECT_EQ(decoded(encoded(x, 1, x.size(), spec), x.size()), x) << spec;
  }
}

TEST(RecordTransform, BitsAWeightThatTheHeaderExceedsLoseNothing) {
  const std::vector<float> x = values(100);
  const EncodedTensor result = encode(view_of(x, 10, 10), parse_encoding("spectral(bits_per_weight=3)"));
  EXPECT_NE(result.fallback_reason.find("header and tables alone"), std::string::npos) << result.fallback_reason;
  std::vector<float> y(100);
  RecordView(result.record.view(), "w").decode({reinterpret_cast<std::uint8_t*>(y.data()), 400}, DType::kF32);
  EXPECT_EQ(x, y);
}

TEST(RecordTransform, BitsAWeightAreKept) {
  const std::vector<float> x = values(512 * 512);
  for (const double bits : {0.5, 1.0, 2.5, 3.5, 4.25}) {
    const std::string spec = concat("spectral(transform=hadamard, bits_per_weight=", bits, ")");
    const double found = 8.0 * static_cast<double>(encoded(x, 512, 512, spec.c_str()).size()) / static_cast<double>(x.size());
    EXPECT_LE(found, bits) << spec;
    EXPECT_GT(found, bits - 0.02) << spec;
  }
}

TEST(RecordTransform, ValuesThatAreNotFiniteFallBackToRaw) {
  std::vector<float> x = values(96);
  for (const float bad : {NAN, -INFINITY}) {
    x[40] = bad;
    for (const char* spec : kSpecs) {
      const EncodedTensor result = encode(view_of(x, 3, 32), parse_encoding(spec));
      EXPECT_NE(result.fallback_reason.find("row 1, column 8"), std::string::npos) << spec << ": " << result.fallback_reason;
      std::vector<float> y(96);
      RecordView(result.record.view(), "w").decode({reinterpret_cast<std::uint8_t*>(y.data()), 96 * 4}, DType::kF32);
      EXPECT_EQ(std::memcmp(x.data(), y.data(), 96 * 4), 0);
    }
  }
}

TEST(RecordTransform, TruncationAtEveryByteIsRefused) {
  expect_cuts_refused(encoded(values(96), 3, 32, "spectral(transform=hadamard(16))"));
}

TEST(RecordTransform, EveryBitFlipIsRefused) {
  for (const char* spec : {"spectral(transform=block_dct(16))", "int4(transform=hadamard(8))"}) {
    expect_flips_refused(encoded(values(96), 3, 32, spec));
  }
}

// A forger can sign the header and every chunk: whatever the bytes say must be refused or harmless.
TEST(RecordTransform, SignedForgeriesNeverReadOutsideTheRecord) {
  for (const char* spec : {"spectral(transform=hadamard(8))", "spectral(transform=block_dct(16), retention=0.4)", "int8(transform=dct_2d)", "int4(transform=dct_rows)"}) {
    const std::vector<std::uint8_t> record = encoded(values(96 * 3), 9, 32, spec);
    const RecordView good(record, "w");
    const std::uint64_t header_size = good.header().header_size;
    const layout::Tables tables(2, good.header().params.size(), good.header().segments.size());
    for (std::size_t at = 0; at < record.size(); ++at) {
      if (at >= layout::kChecksumAt && at < kRecordFixedSize) continue;
      for (const unsigned value : {0u, 1u, 2u, 0x10u, 0x7fu, 0x80u, 0xffu, record[at] ^ 1u, record[at] + 1u}) {
        std::vector<std::uint8_t> forged = record;
        forged[at] = static_cast<std::uint8_t>(value);
        for (std::size_t s = 0; at >= header_size && s < good.header().segments.size(); ++s) {
          const StoredChunk& chunk = good.header().segments[s].chunks[0];
          store_le(forged.data() + tables.chunks + s * layout::kChunkEntry + 8, xxh3_64(ByteView(forged).subspan(chunk.offset, chunk.size)));
        }
        sign(forged);
        try {
          const RecordView view(forged, "w");
          ASSERT_LE(view.header().n_elements, 65536u * forged.size());
          view.verify();
          std::vector<std::uint8_t> out(view.header().n_elements * 4);
          view.decode(out, DType::kF32);
        } catch (const Error& error) {
          ASSERT_NE(std::string(error.what()).find("tensor 'w'"), std::string::npos) << error.what();
        }
      }
    }
  }
}

TEST(RecordTransform, GridsThatCutAUnitAreRefused) {
  const std::vector<std::uint8_t> record = encoded(values(400 * 256), 400, 256, "int8(transform=block_dct(128))");
  const auto forge = [&](std::size_t at, std::uint64_t value) {
    std::vector<std::uint8_t> forged = record;
    store_le(forged.data() + at, value);
    sign(forged);
    return kind_of(forged);
  };
  EXPECT_EQ(forge(layout::kChunkRowsAt, 64), ErrorKind::kCorrupt);
  EXPECT_EQ(forge(layout::kTransformAt, 9), ErrorKind::kUnsupported);
  const std::vector<std::uint8_t> raw = encoded(values(400), 20, 20, "raw");
  std::vector<std::uint8_t> forged = raw;
  store_le(forged.data() + layout::kTransformAt, std::uint16_t{1});
  sign(forged);
  EXPECT_EQ(kind_of(forged), ErrorKind::kCorrupt);  // nothing lossless is transformed
}

TEST(RecordTransform, NoiseStaysAsItIs) {
  const std::vector<float> x = values(1024 * 512);
  const TransformChoice choice = choose_transform(view_of(x, 1024, 512), parse_encoding("spectral").stages(), ScaleRule::kSearch);
  EXPECT_EQ(choice.id, TransformId::kIdentity);
  EXPECT_TRUE(choice.params.measured);
  EXPECT_LT(choice.params.gain_db(), kLeastGain);
}

TEST(RecordTransform, WhatIsSmoothOrSpikedIsTransformed) {
  std::vector<float> smooth(512 * 128);
  for (std::size_t i = 0; i < smooth.size(); ++i) {
    const double position = static_cast<double>(i / 128), frequency = std::pow(10000.0, -static_cast<double>(i % 128 / 2) / 64);
    smooth[i] = static_cast<float>(std::sin(position * frequency + (i % 2 == 0 ? 0 : 1.5707963)));
  }
  const TransformChoice dct = choose_transform(view_of(smooth, 512, 128), parse_encoding("spectral").stages(), ScaleRule::kSearch);
  EXPECT_NE(dct.id, TransformId::kIdentity);
  EXPECT_GT(dct.params.gain_db(), 6);
  std::vector<float> spiked = values(256 * 512);
  for (std::size_t row = 0; row < 256; ++row) spiked[row * 512 + 7] *= 40;
  const TransformChoice spread = choose_transform(view_of(spiked, 256, 512), parse_encoding("int4").stages(), ScaleRule::kSearch);
  EXPECT_NE(spread.id, TransformId::kIdentity);
  EXPECT_GT(spread.params.gain_db(), 2);
}

TEST(RecordTransform, ChunksHoldTheUnitsOfTheirTransform) {
  for (const std::uint64_t rows : {1ull, 100ull, 1000ull, 100'000ull}) {
    for (const std::uint64_t cols : {1ull, 64ull, 4096ull, 131'072ull}) {
      const ChunkGrid tiles = choose_chunk_grid(rows, cols, 16, {.row_multiple = 128});
      EXPECT_TRUE(tiles.chunk_rows % 128 == 0 || tiles.chunk_rows >= rows);
      const ChunkGrid lines = choose_chunk_grid(rows, cols, 16, {.whole_rows = true});
      EXPECT_GE(lines.chunk_cols, cols);
      const ChunkGrid plane = choose_chunk_grid(rows, cols, 16, {rows, true});
      EXPECT_EQ(plane.n_chunks(), 1u);
    }
  }
}

}  // namespace
}  // namespace haagenti
