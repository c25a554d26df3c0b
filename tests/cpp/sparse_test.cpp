// `sparse`: its fast decoder against the definitions of hd/, special values, stated errors.
#include "sparse_samples.h"

namespace haagenti {
namespace {

using namespace sparse_samples;

TEST(Sparse, RoundTripsDecodeAsDefinedForEveryTypeSizeAndShare) {
  for_each_simd_target([] {
    for (const std::uint64_t n : {0, 1, 2, 31, 32, 33, 2047, 2048, 2049, 4096, 6001}) {
      const std::vector<float> x = normal_values(n, 7);
      for (const CoefficientType type : kTypes) {
        for (const float share : {1e-6f, 0.1f, 0.3f, 0.5f, 0.7f, 0.9f, 0.98f, 1.0f}) {
          for (const std::uint16_t group : {32, 64, 128}) {
            const SparseParams params = params_of(type, SparseTarget::kRetention, share, group);
            const Tensor tensor = one_chunk(x, n % 3 == 0 && n != 0 ? 3 : 1, n % 3 == 0 ? n / 3 : n);
            const std::vector<Chunk> chunks = encode(tensor, params);
            const auto rounded = static_cast<std::uint64_t>(std::floor(static_cast<double>(share) * static_cast<double>(n) + 0.5));
            const std::uint64_t n_kept = std::min<std::uint64_t>(n, std::max<std::uint64_t>(1, rounded));
            ASSERT_EQ(kept_count(chunks), n_kept);
            const std::vector<float> y = decode_by_definition(chunks[0], params);
            ASSERT_EQ(bits_of(decode(chunks[0], params)), bits_of(y)) << n << " " << share;
            const std::vector<bool> kept = largest_by_definition(x, n_kept);
            for (std::uint64_t i = 0; i < n; ++i) {
              if (!kept[i]) {
                ASSERT_EQ(hd::bits_from_float(y[i]), 0u);
              } else if (type == CoefficientType::kF32) {
                ASSERT_EQ(y[i], x[i]);
              } else {
                ASSERT_NEAR(y[i], x[i], type == CoefficientType::kInt4 ? 0.6 : type == CoefficientType::kInt8 ? 0.02 : 0.002);
              }
            }
            if (!has_scales(type)) break;
          }
        }
      }
    }
  });
}

TEST(Sparse, RowsDecodeByThemselvesToEveryDtype) {
  for_each_simd_target([] {
    for (const std::uint64_t cols : {1, 5, 100, 1000, 2048, 3000}) {
      const std::uint64_t rows = 12;
      const Tensor tensor = one_chunk(normal_values(rows * cols, 9), rows, cols);
      const SparseParams params = params_of(CoefficientType::kInt4, SparseTarget::kRetention, 0.7f);
      const Chunk chunk = encode(tensor, params).at(0);
      const std::vector<float> all = decode_by_definition(chunk, params);
      for (const auto& [begin, end] : {std::pair{0, 12}, {0, 1}, {3, 4}, {5, 11}, {11, 12}, {4, 4}}) {
        for (const DType dtype : {DType::kF32, DType::kF16, DType::kBF16}) {
          for (const std::uint64_t more : {0, 3}) {
            const Bytes found = decode_rows(chunk, params, dtype, begin, end, more);
            Bytes expected;
            for (std::uint64_t i = begin * cols; i < end * cols; ++i) {
              std::uint8_t bytes[4];
              if (dtype == DType::kF32) store_le(bytes, all[i]);
              if (dtype == DType::kF16) store_le(bytes, hd::f32_to_f16(all[i]));
              if (dtype == DType::kBF16) store_le(bytes, hd::f32_to_bf16(all[i]));
              expected.insert(expected.end(), bytes, bytes + dtype_bits(dtype) / 8);
            }
            ASSERT_EQ(found, expected) << cols << " rows " << begin << ".." << end;
          }
        }
      }
    }
  });
}

TEST(Sparse, SpecialValuesAreRejectedAndSayWhere) {
  struct Case {
    float value;
    const char* reason;
  };
  for (const CoefficientType type : kTypes) {
    for (const SparseTarget target : {SparseTarget::kRetention, SparseTarget::kEnergy, SparseTarget::kBitsPerWeight}) {
      for (const Case& test : {Case{NAN, "NaN"}, Case{-NAN, "NaN"}, Case{INFINITY, "infinity"}, Case{-INFINITY, "infinity"}, Case{3e38f, "binary16"}}) {
        if (type == CoefficientType::kF32 && std::isfinite(test.value)) continue;
        Tensor tensor = one_chunk(normal_values(30 * 1000, 15), 30, 1000);
        tensor.x[17 * 1000 + 250] = test.value;
        const SparseParams params = params_of(type, target, target == SparseTarget::kBitsPerWeight ? 3.0f : 0.5f);
        Chunk chunk;
        const auto rejection = encode_chunk(tensor, 0, params, tensor.rules(params)[0], &chunk);
        ASSERT_TRUE(rejection.has_value()) << test.value;
        EXPECT_NE(rejection->reason.find(test.reason), std::string::npos) << rejection->reason;
        if (!std::isfinite(test.value) || type == CoefficientType::kF16) {
          EXPECT_EQ(rejection->row, 17u);
          EXPECT_EQ(rejection->col, 250u);
        }
      }
    }
  }
  const Tensor tiny = one_chunk(std::vector<float>(100, 1e-30f), 1, 100);
  Chunk chunk;
  EXPECT_TRUE(encode_chunk(tiny, 0, params_of(CoefficientType::kInt4, SparseTarget::kRetention, 0.5f), {0, 0}, &chunk).has_value());
}

TEST(Sparse, MeasuredErrorIsTheErrorOfTheDecodedValues) {
  for_each_simd_target([] {
    for (const CoefficientType type : kTypes) {
      const Tensor tensor = one_chunk(normal_values(9 * 1111, 16), 9, 1111);
      const SparseParams params = params_of(type, SparseTarget::kRetention, 0.6f);
      Chunk chunk;
      ErrorSums sums;
      ASSERT_FALSE(encode_chunk(tensor, 0, params, tensor.rules(params)[0], &chunk, &sums).has_value());
      const std::vector<float> y = decode(chunk, params);
      double signal = 0, error = 0, dot = 0, top = 0, top_error = 0;
      for (std::size_t i = 0; i < y.size(); ++i) {
        const double a = tensor.x[i], b = y[i];
        signal += a * a, error += (a - b) * (a - b), dot += a * b;
        top = std::max(top, std::fabs(a));
        top_error = std::max(top_error, static_cast<double>(std::fabs(y[i] - tensor.x[i])));
      }
      EXPECT_NEAR(sums.signal_energy, signal, 1e-6 * signal);
      EXPECT_NEAR(sums.error_energy, error, 1e-5 * error);
      EXPECT_NEAR(sums.dot, dot, 1e-6 * dot);
      EXPECT_EQ(sums.max_abs, top);
      EXPECT_EQ(sums.max_abs_error, top_error);
    }
  });
}

TEST(Sparse, TargetsAndThreadCountsGiveTheSameBytes) {
  const Tensor tensor = several_chunks(normal_values(200 * 900, 17), 900, 899);
  for (const SparseTarget target : {SparseTarget::kRetention, SparseTarget::kEnergy, SparseTarget::kBitsPerWeight}) {
    for (const CoefficientType type : {CoefficientType::kInt4, CoefficientType::kF16}) {
      std::vector<Chunk> first;
      for_each_simd_target([&] {
        for (const std::size_t threads : {1, 3}) {
          set_num_threads(threads);
          const SparseParams params = params_of(type, target, target == SparseTarget::kBitsPerWeight ? 2.5f : 0.9f, 64);
          const std::vector<KeepRule> rules = tensor.rules(params, 99);
          std::vector<Chunk> chunks(rules.size());
          for (std::size_t i = 0; i < rules.size(); ++i) {
            ASSERT_FALSE(encode_chunk(tensor, i, params, rules[i], &chunks[i], nullptr, ScaleRule::kSearch).has_value());
          }
          if (first.empty()) first = chunks;
          ASSERT_EQ(chunks, first);
        }
      });
      set_num_threads(0);
    }
  }
}

TEST(Sparse, SourcesOfTwoBytesAreTheirValues) {
  const std::vector<float> x = normal_values(7 * 500, 18);
  for (const DType dtype : {DType::kF16, DType::kBF16}) {
    Bytes words;
    Tensor tensor = one_chunk(x, 7, 500);
    for (float& value : tensor.x) {
      const std::uint16_t word = dtype == DType::kF16 ? hd::f32_to_f16(value) : hd::f32_to_bf16(value);
      value = dtype == DType::kF16 ? hd::f16_to_f32(word) : hd::bf16_to_f32(word);
      words.push_back(static_cast<std::uint8_t>(word));
      words.push_back(static_cast<std::uint8_t>(word >> 8));
    }
    const SparseParams params = params_of(CoefficientType::kInt8, SparseTarget::kRetention, 0.4f);
    const KeepRule rule = tensor.rules(params)[0];
    Chunk expected, found;
    ASSERT_FALSE(encode_chunk(tensor, 0, params, rule, &expected).has_value());
    found = expected;
    const auto stored = params.store();
    std::array<std::uint64_t, kMaxSegments> sizes{};
    std::array<std::uint8_t*, kMaxSegments> segments{};
    for (std::size_t s = 0; s < kMaxSegments; ++s) {
      found.segments[s].assign(sparse_functions().segment_bytes(s, {7, 500}, dtype, stored), 0);
      segments[s] = found.segments[s].data();
    }
    ASSERT_FALSE(sparse_functions().quantize({words.data(), 500, dtype, {7, 500}, stored, ScaleRule::kMax, 0, rule, segments, &sizes, nullptr}).has_value());
    for (std::size_t s = 0; s < kMaxSegments; ++s) found.segments[s].resize(sizes[s]);
    EXPECT_EQ(found, expected);
  }
}

}  // namespace
}  // namespace haagenti
