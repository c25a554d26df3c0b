// The SIMD loops of int8 and int4 against the definitions of hd/, on every instruction set of the machine.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "haagenti/hd/grouped_int.h"
#include "quantize/grouped_kernels.h"
#include "simd_targets.h"

namespace haagenti {
namespace {

std::uint32_t round_by_definition(float value, DType dtype) {
  if (dtype == DType::kBF16) return hd::f32_to_bf16(value);
  if (dtype == DType::kF16) return hd::f32_to_f16(value);
  return hd::bits_from_float(value);
}

std::uint32_t element(const std::vector<std::uint8_t>& bytes, std::uint64_t i, DType dtype) {
  if (dtype == DType::kF32) return load_le<std::uint32_t>(bytes.data() + 4 * i);
  return load_le<std::uint16_t>(bytes.data() + 2 * i);
}

bool is_finite_f16(std::uint16_t word) { return (word & 0x7c00u) != 0x7c00u; }

// One row whose group g holds every code under scale word first + g.
void expect_every_code(IntWidth width, DType dtype, std::uint32_t first, std::uint32_t n_scales) {
  const std::uint64_t group = width == IntWidth::kInt8 ? 256 : 32;
  std::vector<std::uint8_t> codes;
  std::vector<std::uint8_t> scales;
  for (std::uint32_t s = 0; s < n_scales; ++s) {
    for (std::uint64_t i = 0; i < group; i += width == IntWidth::kInt8 ? 1 : 2) {
      const auto low = static_cast<std::uint8_t>(i);
      codes.push_back(width == IntWidth::kInt8 ? low : static_cast<std::uint8_t>((i % 16) | ((15 - i % 16) << 4)));
    }
    scales.push_back(static_cast<std::uint8_t>(first + s));
    scales.push_back(static_cast<std::uint8_t>((first + s) >> 8));
  }
  const std::uint64_t cols = group * n_scales;
  std::vector<std::uint8_t> out(cols * (dtype == DType::kF32 ? 4 : 2));
  for (const bool stream : {false, true}) {
    std::fill(out.begin(), out.end(), std::uint8_t{0xa5});
    dequantize_row({codes.data(), scales.data(), cols, group, dtype, stream, out.data()}, width);
    for (std::uint64_t i = 0; i < cols; ++i) {
      const auto word = static_cast<std::uint16_t>(first + i / group);
      if (!is_finite_f16(word)) continue;
      const int code = width == IntWidth::kInt8 ? hd::int8_code(codes.data(), i) : hd::int4_code(codes.data(), i);
      ASSERT_EQ(element(out, i, dtype), round_by_definition(hd::dequantize_int(code, word), dtype)) << "code " << code << " scale word " << word;
    }
  }
}

TEST(Grouped, EveryCodeUnderEveryScaleDecodesAsDefined) {
  for_each_simd_target([] {
    for (const IntWidth width : {IntWidth::kInt8, IntWidth::kInt4}) {
      for (const DType dtype : {DType::kF32, DType::kF16, DType::kBF16}) {
        for (std::uint32_t first = 0; first < 65536; first += 4096) expect_every_code(width, dtype, first, 4096);
      }
    }
  });
}

TEST(Grouped, OddSizesDecodeAsDefinedAndWriteNothingElse) {
  std::mt19937 random(3);
  for_each_simd_target([&] {
    for (const IntWidth width : {IntWidth::kInt8, IntWidth::kInt4}) {
      for (const std::uint64_t cols : {1, 2, 3, 31, 32, 33, 63, 65, 127, 129, 2047, 2049, 4099}) {
        for (const std::uint64_t group : {std::uint64_t{3}, std::uint64_t{9}, std::uint64_t{32}, std::uint64_t{128}, cols}) {
          for (const DType dtype : {DType::kF32, DType::kBF16}) {
            const std::uint64_t n_codes = width == IntWidth::kInt8 ? cols : (cols + 1) / 2;
            std::vector<std::uint8_t> codes(n_codes);
            for (auto& code : codes) code = static_cast<std::uint8_t>(random());
            std::vector<std::uint8_t> scales(2 * ((cols + group - 1) / group));
            for (std::size_t i = 0; i < scales.size(); i += 2) store_le(scales.data() + i, static_cast<std::uint16_t>(0x2000 + random() % 0x1000));
            const std::size_t size = dtype == DType::kF32 ? 4 : 2;
            std::vector<std::uint8_t> out(cols * size + 64, 0xee);
            dequantize_row({codes.data(), scales.data(), cols, group, dtype, false, out.data()}, width);
            for (std::uint64_t i = 0; i < cols; ++i) {
              const int code = width == IntWidth::kInt8 ? hd::int8_code(codes.data(), i) : hd::int4_code(codes.data(), i);
              const auto word = load_le<std::uint16_t>(scales.data() + 2 * (i / group));
              ASSERT_EQ(element(out, i, dtype), round_by_definition(hd::dequantize_int(code, word), dtype)) << cols << " " << group << " " << i;
            }
            ASSERT_TRUE(std::all_of(out.begin() + static_cast<std::ptrdiff_t>(cols * size), out.end(), [](std::uint8_t byte) { return byte == 0xee; }));
          }
        }
      }
    }
  });
}

TEST(Grouped, EveryF16WordLoadsAsDefined) {
  std::vector<std::uint8_t> words(2 * 65536);
  for (std::uint32_t w = 0; w < 65536; ++w) store_le(words.data() + 2 * w, static_cast<std::uint16_t>(w));
  for_each_simd_target([&] {
    for (const DType dtype : {DType::kF16, DType::kBF16}) {
      std::vector<float> out(65536);
      load_f32(words.data(), dtype, out.size(), out.data());
      for (std::uint32_t w = 0; w < 65536; ++w) {
        const auto word = static_cast<std::uint16_t>(w);
        const float expected = dtype == DType::kF16 ? hd::f16_to_f32(word) : hd::bf16_to_f32(word);
        ASSERT_EQ(hd::bits_from_float(out[w]), hd::bits_from_float(expected)) << w;
      }
    }
  });
}

// spec.md, "Encoder", scale="max", one element at a time.
struct Reference {
  std::vector<std::uint16_t> scales;
  std::vector<std::int8_t> codes;
};

Reference encode_by_definition(const RowBlock& block, IntWidth width) {
  Reference result;
  for (std::uint64_t row = 0; row < block.rows; ++row) {
    for (std::uint64_t start = 0; start < block.cols; start += block.group) {
      const std::uint64_t n = std::min(block.group, block.cols - start);
      const float* x = block.x + row * block.cols + start;
      float extreme = 0;
      for (std::uint64_t i = 0; i < n; ++i) {
        if (std::fabs(x[i]) > std::fabs(extreme) || (std::fabs(x[i]) == std::fabs(extreme) && x[i] > 0)) extreme = x[i];
      }
      const bool int4 = width == IntWidth::kInt4;
      const std::uint16_t word = extreme == 0 ? std::uint16_t{0} : hd::f32_to_f16(int4 ? extreme / -8.0f : std::fabs(extreme) / 127.0f);
      const float inverse = word == 0 ? 0.0f : 1.0f / hd::f16_to_f32(word);
      result.scales.push_back(word);
      for (std::uint64_t i = 0; i < n; ++i) {
        const float q = std::nearbyint(x[i] * inverse);
        result.codes.push_back(static_cast<std::int8_t>(std::clamp(q, int4 ? -8.0f : -127.0f, int4 ? 7.0f : 127.0f)));
      }
    }
  }
  return result;
}

std::vector<float> normal_values(std::size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> x(n);
  for (float& value : x) value = normal(random);
  return x;
}

TEST(Grouped, MaxScalesAndCodesAreTheDefinition) {
  for_each_simd_target([] {
    for (const IntWidth width : {IntWidth::kInt8, IntWidth::kInt4}) {
      for (const std::uint64_t cols : {1, 3, 31, 32, 64, 100, 257, 1000}) {
        for (const std::uint64_t group : {std::uint64_t{9}, std::uint64_t{32}, std::uint64_t{128}, cols}) {
          std::vector<float> x = normal_values(5 * cols, 4);
          std::fill_n(x.begin(), cols, 0.0f);
          x[cols] = 3.5f;
          if (cols > 1) x[cols + 1] = -3.5f;
          const RowBlock block{x.data(), 5, cols, group, (cols + group - 1) / group};
          const Reference expected = encode_by_definition(block, width);
          std::vector<std::uint16_t> scales(expected.scales.size());
          ASSERT_EQ(max_scales(block, width, scales.data()), scales.size());
          ASSERT_EQ(scales, expected.scales);
          std::vector<std::int8_t> codes(x.size());
          ErrorLanes lanes;
          quantize_rows(block, width, scales.data(), DType::kF32, codes.data(), &lanes);
          ASSERT_EQ(codes, expected.codes);
        }
      }
    }
  });
}

double squared_error(const RowBlock& block, IntWidth width, const std::vector<std::uint16_t>& scales) {
  std::vector<std::int8_t> codes(block.rows * block.cols);
  ErrorLanes lanes;
  quantize_rows(block, width, scales.data(), DType::kF32, codes.data(), &lanes);
  return lanes.total().error_energy;
}

TEST(Grouped, SearchIsNeverWorseThanMaxAndTheSameOnEveryTarget) {
  const std::vector<float> x = normal_values(64 * 1000, 5);
  for (const IntWidth width : {IntWidth::kInt8, IntWidth::kInt4}) {
    for (const std::uint64_t group : {3, 32, 64, 128, 1000}) {
      const RowBlock block{x.data(), 64, 1000, group, (1000 + group - 1) / group};
      std::vector<std::uint16_t> first;
      for_each_simd_target([&] {
        std::vector<std::uint16_t> scales(64 * block.groups_per_row);
        ASSERT_EQ(max_scales(block, width, scales.data()), scales.size());
        const double max_error = squared_error(block, width, scales);
        std::vector<float> scratch(search_scratch_floats(group));
        search_scales(block, width, scratch.data(), scales.data());
        if (first.empty()) first = scales;
        ASSERT_EQ(scales, first);
        ASSERT_LE(squared_error(block, width, scales), max_error);
      });
    }
  }
}

TEST(Grouped, GroupsThatNoScaleHoldsAreFound) {
  for_each_simd_target([] {
    for (const float bad : {NAN, -NAN, INFINITY, -INFINITY, 3e38f, 1e-30f}) {
      std::vector<float> x(5 * 40, bad == 1e-30f ? 0.0f : 1.0f);
      x[3 * 40 + 35] = bad;
      const RowBlock block{x.data(), 5, 40, 32, 2};
      std::vector<std::uint16_t> scales(10);
      EXPECT_EQ(max_scales(block, IntWidth::kInt4, scales.data()), 7u) << bad;
      EXPECT_EQ(max_scales(block, IntWidth::kInt8, scales.data()), 7u) << bad;
    }
  });
}

TEST(Grouped, MeasuredErrorIsTheErrorOfTheDecodedValues) {
  for_each_simd_target([] {
    for (const DType dtype : {DType::kF32, DType::kF16, DType::kBF16}) {
      const std::vector<float> x = normal_values(7 * 333, 6);
      const RowBlock block{x.data(), 7, 333, 32, 11};
      std::vector<std::uint16_t> scales(77);
      ASSERT_EQ(max_scales(block, IntWidth::kInt4, scales.data()), 77u);
      std::vector<std::int8_t> codes(x.size());
      ErrorLanes lanes;
      quantize_rows(block, IntWidth::kInt4, scales.data(), dtype, codes.data(), &lanes);
      double signal = 0, error = 0, dot = 0, top_error = 0;
      for (std::size_t i = 0; i < x.size(); ++i) {
        const auto word = scales[i / 333 * 11 + i % 333 / 32];
        const std::uint32_t bits = round_by_definition(hd::dequantize_int(codes[i], word), dtype);
        const auto half = static_cast<std::uint16_t>(bits);
        const double y = dtype == DType::kBF16 ? hd::bf16_to_f32(half) : dtype == DType::kF16 ? hd::f16_to_f32(half) : hd::float_from_bits(bits);
        signal += static_cast<double>(x[i]) * x[i];
        error += (y - x[i]) * (y - x[i]);
        dot += y * x[i];
        top_error = std::max(top_error, static_cast<double>(static_cast<float>(y) - x[i] < 0 ? x[i] - static_cast<float>(y) : static_cast<float>(y) - x[i]));
      }
      const ErrorSums sums = lanes.total();
      EXPECT_NEAR(sums.signal_energy, signal, 1e-6 * signal);
      EXPECT_NEAR(sums.error_energy, error, 1e-6 * error);
      EXPECT_NEAR(sums.dot, dot, 1e-6 * dot);
      EXPECT_EQ(sums.max_abs_error, top_error);
    }
  });
}

// Some programs make the processor take subnormals for zeros; scales of small weights are subnormals of binary16 and must survive that.
TEST(Grouped, FlushingSubnormalsChangesNothing) {
#if defined(__x86_64__)
  constexpr unsigned kFlushToZero = 0x8000, kSubnormalsAreZero = 0x0040;
  std::vector<float> x = normal_values(4 * 96, 8);
  for (float& value : x) value *= 1e-4f;
  const RowBlock block{x.data(), 4, 96, 32, 3};
  const auto run = [&](IntWidth width, DType dtype) {
    std::vector<std::uint16_t> scales(12);
    EXPECT_EQ(max_scales(block, width, scales.data()), 12u);
    std::vector<float> scratch(search_scratch_floats(32));
    search_scales(block, width, scratch.data(), scales.data());
    std::vector<std::int8_t> codes(x.size());
    ErrorLanes lanes;
    quantize_rows(block, width, scales.data(), dtype, codes.data(), &lanes);
    std::vector<std::uint8_t> bytes(reinterpret_cast<std::uint8_t*>(scales.data()), reinterpret_cast<std::uint8_t*>(scales.data() + 12));
    std::vector<std::uint8_t> packed(x.size());
    width == IntWidth::kInt8 ? void(std::memcpy(packed.data(), codes.data(), codes.size())) : pack_int4(codes.data(), codes.size(), packed.data());
    std::vector<std::uint8_t> out(4 * x.size());
    dequantize_row({packed.data(), bytes.data(), x.size(), 32, dtype, false, out.data()}, width);
    bytes.insert(bytes.end(), packed.begin(), packed.end());
    bytes.insert(bytes.end(), out.begin(), out.end());
    return bytes;
  };
  for_each_simd_target([&] {
    for (const IntWidth width : {IntWidth::kInt8, IntWidth::kInt4}) {
      for (const DType dtype : {DType::kF32, DType::kF16, DType::kBF16}) {
        const std::vector<std::uint8_t> expected = run(width, dtype);
        const unsigned mode = __builtin_ia32_stmxcsr();
        __builtin_ia32_ldmxcsr(mode | kFlushToZero | kSubnormalsAreZero);
        const std::vector<std::uint8_t> found = run(width, dtype);
        __builtin_ia32_ldmxcsr(mode);
        ASSERT_EQ(found, expected);
      }
    }
  });
#endif
}

TEST(Grouped, PackingIsTheDefinition) {
  for_each_simd_target([] {
    for (std::size_t n = 0; n < 200; ++n) {
      std::vector<std::int8_t> codes(n);
      for (std::size_t i = 0; i < n; ++i) codes[i] = static_cast<std::int8_t>(static_cast<int>(i * 7 % 16) - 8);
      std::vector<std::uint8_t> packed((n + 1) / 2 + 8, 0xcc);
      pack_int4(codes.data(), n, packed.data());
      for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(hd::int4_code(packed.data(), i), codes[i]);
      if (n % 2 == 1) {
        ASSERT_EQ(packed[n / 2] >> 4, 0);
      }
      ASSERT_EQ(packed[(n + 1) / 2], 0xcc);
    }
  });
}

}  // namespace
}  // namespace haagenti
