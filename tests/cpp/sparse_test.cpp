// `sparse`: its fast decoder against the definitions of hd/, what is kept, sizes, and bytes that nobody wrote.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include "haagenti/base/error.h"
#include "haagenti/base/executor.h"
#include "haagenti/hd/grouped_int.h"
#include "haagenti/hd/sparse_mask.h"
#include "haagenti/quantize/sparse_params.h"
#include "quantize/sparse.h"
#include "simd_targets.h"

namespace haagenti {
namespace {

using Bytes = std::vector<std::uint8_t>;
constexpr CoefficientType kTypes[] = {CoefficientType::kF32, CoefficientType::kF16, CoefficientType::kInt8, CoefficientType::kInt4};

const QuantizerFunctions& sparse_functions() { return quantizer(QuantizerId::kSparse).functions; }

SparseParams params_of(CoefficientType type, SparseTarget target, float value, std::uint16_t group = 32) {
  return {type, target, has_scales(type) ? group : std::uint16_t{0}, value, 0};
}

std::vector<float> normal_values(std::size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> x(n);
  for (float& value : x) value = normal(random);
  return x;
}

struct Chunk {
  ChunkShape shape;
  std::array<Bytes, kMaxSegments> segments;

  bool operator==(const Chunk& other) const { return segments == other.segments; }
};

// A tensor of chunks that lie one after the other, `stride` elements from row to row.
struct Tensor {
  std::vector<float> x;
  std::vector<ChunkShape> shapes;
  std::uint64_t stride;

  const float* chunk(std::size_t i) const {
    std::uint64_t rows = 0;
    for (std::size_t j = 0; j < i; ++j) rows += shapes[j].rows;
    return x.data() + rows * stride;
  }
  std::vector<KeepRule> rules(const SparseParams& params, std::uint64_t overhead = 0) const {
    std::vector<ChunkValues> chunks;
    for (std::size_t i = 0; i < shapes.size(); ++i) chunks.push_back({chunk(i), stride, shapes[i]});
    std::vector<KeepRule> rules(shapes.size());
    const auto stored = params.store();
    sparse_functions().prepare({chunks, stored, overhead, rules});
    return rules;
  }
};

Tensor one_chunk(std::vector<float> x, std::uint64_t rows, std::uint64_t cols) { return {std::move(x), {{rows, cols}}, cols}; }

std::optional<Rejection> encode_chunk(const Tensor& tensor, std::size_t i, const SparseParams& params, const KeepRule& rule, Chunk* out,
                                      ErrorSums* error = nullptr, ScaleRule scale_rule = ScaleRule::kMax) {
  const auto stored = params.store();
  std::array<std::uint8_t*, kMaxSegments> segments{};
  std::array<std::uint64_t, kMaxSegments> sizes{};
  out->shape = tensor.shapes[i];
  for (std::size_t s = 0; s < kMaxSegments; ++s) {
    out->segments[s].assign(sparse_functions().segment_bytes(s, out->shape, DType::kF32, stored), 0xcd);
    segments[s] = out->segments[s].data();
  }
  const auto rejection = sparse_functions().quantize({reinterpret_cast<const std::uint8_t*>(tensor.chunk(i)), tensor.stride, DType::kF32, out->shape, stored,
                                                      scale_rule, 0, rule, segments, &sizes, error});
  for (std::size_t s = 0; s < kMaxSegments; ++s) {
    EXPECT_LE(sizes[s], out->segments[s].size());
    out->segments[s].resize(sizes[s]);
  }
  return rejection;
}

std::vector<Chunk> encode(const Tensor& tensor, const SparseParams& params, std::uint64_t overhead = 0) {
  const std::vector<KeepRule> rules = tensor.rules(params, overhead);
  std::vector<Chunk> chunks(rules.size());
  for (std::size_t i = 0; i < rules.size(); ++i) EXPECT_FALSE(encode_chunk(tensor, i, params, rules[i], &chunks[i]).has_value());
  return chunks;
}

// Rows begin .. end with a stride of three elements more than a row, between guards.
Bytes decode_rows(const Chunk& chunk, const SparseParams& params, DType dtype, std::uint64_t begin, std::uint64_t end, std::uint64_t more = 3) {
  const auto stored = params.store();
  const std::size_t element = dtype_bits(dtype) / 8;
  const std::uint64_t stride = chunk.shape.cols + more;
  Bytes out((end - begin) * stride * element + 64, 0xee);
  DequantizeArgs args{{}, {}, DType::kF32, chunk.shape, begin, end, stored, dtype, out.data(), stride, false};
  for (std::size_t s = 0; s < kMaxSegments; ++s) {
    args.segments[s] = chunk.segments[s].data();
    args.sizes[s] = chunk.segments[s].size();
  }
  sparse_functions().dequantize(args);
  Bytes rows;
  for (std::uint64_t row = 0; row < end - begin; ++row) {
    const auto from = out.begin() + static_cast<std::ptrdiff_t>(row * stride * element);
    const auto to = from + static_cast<std::ptrdiff_t>(chunk.shape.cols * element);
    rows.insert(rows.end(), from, to);
    EXPECT_TRUE(std::all_of(to, to + static_cast<std::ptrdiff_t>(more * element), [](std::uint8_t byte) { return byte == 0xee; }));
  }
  EXPECT_TRUE(std::all_of(out.end() - 64, out.end(), [](std::uint8_t byte) { return byte == 0xee; }));
  return rows;
}

std::vector<float> as_floats(const Bytes& bytes) {
  std::vector<float> values(bytes.size() / 4);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = load_le<float>(bytes.data() + 4 * i);
  return values;
}

std::vector<float> decode(const Chunk& chunk, const SparseParams& params) {
  return as_floats(decode_rows(chunk, params, DType::kF32, 0, chunk.shape.rows, 0));
}

// spec.md, one position at a time.
std::vector<float> decode_by_definition(const Chunk& chunk, const SparseParams& params) {
  const std::uint64_t n = chunk.shape.rows * chunk.shape.cols;
  std::vector<float> values(n);
  const std::uint8_t* mask = chunk.segments[1].data();
  const std::uint8_t* codes = chunk.segments[2].data();
  const std::uint8_t* scales = chunk.segments[3].data();
  for (std::uint64_t block = 0; block * hd::kSparseBlock < n; ++block) {
    const std::uint32_t length = hd::sparse_block_length(n, block);
    const hd::SparseEntry entry = hd::sparse_entry(load_le<std::uint32_t>(chunk.segments[0].data() + 4 * block));
    std::uint8_t map[hd::kSparseBlock / 8];
    EXPECT_TRUE(hd::sparse_entry_fits(entry, length));
    EXPECT_TRUE(hd::sparse_expand_mask(mask, entry, length, map));
    std::uint32_t j = 0;
    for (std::uint32_t i = 0; i < length; ++i) {
      if (!hd::sparse_mask_bit(map, i)) continue;
      float value = 0;
      if (params.coefficients == CoefficientType::kF32) value = load_le<float>(codes + 4 * j);
      if (params.coefficients == CoefficientType::kF16) value = hd::f16_to_f32(load_le<std::uint16_t>(codes + 2 * j));
      if (has_scales(params.coefficients)) {
        const int code = params.coefficients == CoefficientType::kInt4 ? hd::int4_code(codes, j) : hd::int8_code(codes, j);
        value = hd::dequantize_int(code, load_le<std::uint16_t>(scales + 2 * (j / params.group_size)));
      }
      values[block * hd::kSparseBlock + i] = value;
      ++j;
    }
    EXPECT_EQ(j, entry.n_kept);
    mask += entry.n_mask_bytes;
    codes += hd::sparse_code_bytes(entry.n_kept, coefficient_bits(params.coefficients));
    scales += 2 * hd::sparse_scale_count(entry.n_kept, params.group_size);
  }
  return values;
}

std::vector<std::uint32_t> bits_of(const std::vector<float>& values) {
  std::vector<std::uint32_t> bits;
  for (const float value : values) bits.push_back(hd::bits_from_float(value));
  return bits;
}

// The largest values of a tensor by sorting, ties by position.
std::vector<bool> largest_by_definition(const std::vector<float>& x, std::size_t n_kept) {
  std::vector<std::size_t> order(x.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return std::fabs(x[a]) > std::fabs(x[b]); });
  std::vector<bool> kept(x.size());
  for (std::size_t i = 0; i < n_kept; ++i) kept[order[i]] = true;
  return kept;
}

std::uint64_t kept_count(const std::vector<Chunk>& chunks) {
  std::uint64_t count = 0;
  for (const Chunk& chunk : chunks) {
    for (std::size_t i = 0; i < chunk.segments[0].size(); i += 4) count += hd::sparse_entry(load_le<std::uint32_t>(chunk.segments[0].data() + i)).n_kept;
  }
  return count;
}

TEST(Sparse, ExampleOfTheSpecification) {
  std::ifstream file(HAAGENTI_SOURCE_DIR "/cpp/src/quantize/spec.md");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const Tensor tensor = one_chunk({-8, 7, -3, 0.25f, 1, 2, 3, 4, 5, -0.25f, 6, -1, -2, -4, -5, -6}, 1, 16);
  const SparseParams params = params_of(CoefficientType::kInt4, SparseTarget::kRetention, 14.0f / 16);
  const Chunk chunk = encode(tensor, params).at(0);
  EXPECT_EQ(chunk.segments[0], (Bytes{0x0e, 0x00, 0x01, 0x04}));
  EXPECT_EQ(chunk.segments[1], (Bytes{0x4b}));
  EXPECT_EQ(chunk.segments[2], (Bytes{0xf0, 0x95, 0xba, 0xdc, 0x7e, 0x46, 0x23}));
  EXPECT_EQ(chunk.segments[3], (Bytes{0x00, 0x3c}));
  const char* names[] = {"index `", "mask `", "codes `", "scales `"};
  for (std::size_t s = 0; s < kMaxSegments; ++s) {
    std::string hex;
    for (const std::uint8_t byte : chunk.segments[s]) {
      char digits[4];
      std::snprintf(digits, sizeof digits, "%02x ", byte);
      hex += digits;
    }
    hex.back() = '`';
    EXPECT_NE(text.find(names[s] + hex), std::string::npos) << names[s] << hex;
  }
  std::vector<float> expected = tensor.x;
  expected[3] = expected[9] = 0;
  EXPECT_EQ(decode(chunk, params), expected);
}

// Every way to code a mask, at every density and at odd lengths: the fast reader, the plain one, and what was written.
TEST(Sparse, MasksComeBackAndAreTheShortest) {
  std::mt19937 random(1);
  for_each_simd_target([&] {
    for (const std::uint32_t length : {1u, 2u, 7u, 8u, 9u, 31u, 33u, 64u, 65u, 500u, 2040u, 2047u, 2048u}) {
      for (const double density : {0.0, 0.0005, 0.003, 0.01, 0.03, 0.08, 0.15, 0.25, 0.35, 0.5, 0.62, 0.7, 0.8, 0.9, 0.97, 0.995, 0.999, 1.0}) {
        std::vector<float> x(length);
        std::vector<bool> expected(length);
        std::uint32_t n_kept = 0;
        for (std::uint32_t i = 0; i < length; ++i) {
          expected[i] = std::bernoulli_distribution(density)(random);
          x[i] = expected[i] ? 2.0f : 1.0f;
          n_kept += expected[i];
        }
        sparse::BitMap map;
        sparse::Gaps gaps;
        const sparse::Kept kept = sparse::keep_above(x.data(), length, std::bit_cast<std::int32_t>(1.0f), &map, nullptr);
        ASSERT_EQ(kept.count, n_kept);
        const sparse::MaskPlan plan = sparse::plan_mask(map, length, n_kept, &gaps);
        const hd::SparseEntry entry{n_kept, plan.n_bytes, plan.rice, 0};
        ASSERT_TRUE(hd::sparse_entry_fits(entry, length));
        Bytes mask(plan.n_bytes + 1, 0xaa);
        sparse::write_mask(map, plan, gaps, mask.data());
        ASSERT_EQ(mask.back(), 0xaa);
        mask.pop_back();
        sparse::BitMap fast;
        Bytes plain(256);
        ASSERT_TRUE(sparse::read_mask(mask.data(), entry, length, &fast)) << length << " " << density;
        ASSERT_TRUE(hd::sparse_expand_mask(mask.data(), entry, length, plain.data()));
        ASSERT_TRUE(std::equal(plain.begin(), plain.end(), fast.bytes())) << length << " " << density << " rice " << plan.rice;
        for (std::uint32_t i = 0; i < length; ++i) ASSERT_EQ(hd::sparse_mask_bit(plain.data(), i), expected[i]);
        if (plan.n_bytes == 0) continue;
        std::vector<std::uint32_t> positions;
        for (std::uint32_t i = 0; i < length; ++i) {
          if (expected[i] != hd::sparse_gaps_drop(n_kept, length)) positions.push_back(i);
        }
        for (std::uint32_t k = 0; k <= 12; ++k) {
          std::uint64_t n_bits = 0;
          std::uint32_t next = 0;
          for (const std::uint32_t position : positions) {
            n_bits += k + 1 + ((position - next) >> k);
            next = position + 1;
          }
          ASSERT_LE(plan.n_bytes, (n_bits + 7) / 8);
        }
        ASSERT_LE(plan.n_bytes, (length + 7) / 8);
      }
    }
  });
}

// The closed form of a gap's position, which a GPU uses, is the walk.
TEST(Sparse, ClosedFormOfAPositionIsTheWalk) {
  const Tensor tensor = one_chunk(normal_values(2048, 3), 1, 2048);
  for (const float share : {0.05f, 0.3f, 0.7f, 0.93f, 0.99f}) {
    const Chunk chunk = encode(tensor, params_of(CoefficientType::kInt4, SparseTarget::kRetention, share)).at(0);
    const hd::SparseEntry entry = hd::sparse_entry(load_le<std::uint32_t>(chunk.segments[0].data()));
    ASSERT_NE(entry.rice, 0u);
    const std::uint32_t k = entry.rice - 1;
    const std::uint32_t count = hd::sparse_gap_count(entry.n_kept, 2048);
    const std::uint32_t begin = hd::sparse_unary_begin(count, k);
    hd::SparseGapWalk walk = hd::sparse_gap_walk(count, k);
    std::uint32_t low_sum = 0;
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::uint32_t position = hd::sparse_next_gap(chunk.segments[1].data(), 8 * entry.n_mask_bytes, k, &walk, 9999);
      low_sum += hd::sparse_gap_low(chunk.segments[1].data(), k, i);
      ASSERT_EQ(position, hd::sparse_gap_position(walk.bit - 1 - begin, i, low_sum, k));
    }
  }
}

// Any bytes as a mask of any entry: the fast reader and the plain one accept the same and agree.
TEST(Sparse, BothReadersOfMasksAcceptTheSame) {
  std::mt19937 random(5);
  std::uint64_t n_good = 0;
  for_each_simd_target([&] {
    for (int round = 0; round < 6000; ++round) {
      const std::uint32_t length = round % 3 == 0 ? 2048 : 1 + random() % 2048;
      const auto up_to = [&](std::uint32_t most) { return static_cast<std::uint32_t>(random() % (most + 1)); };
      hd::SparseEntry entry{up_to(length), up_to(256), up_to(hd::kSparseMaxRice), 0};
      Bytes mask(entry.n_mask_bytes);
      const unsigned sparser = random() % 4;
      for (auto& byte : mask) byte = static_cast<std::uint8_t>(sparser == 0 ? random() : random() & random() & (sparser == 1 ? ~0u : random()));
      if (entry.rice != 0 && round % 2 == 0) {  // make the count of ones right, so that the positions decide
        std::vector<std::uint32_t> ones_from(8 * mask.size() + 1);
        for (auto bit = static_cast<std::uint32_t>(8 * mask.size()); bit-- != 0;) ones_from[bit] = ones_from[bit + 1] + hd::sparse_mask_bit(mask.data(), bit);
        for (std::uint32_t count = 1; count <= length / 2 && count * (entry.rice - 1) < ones_from.size(); ++count) {
          if (ones_from[count * (entry.rice - 1)] <= count) {
            entry.n_kept = round % 4 == 0 ? count : length - count;
            break;
          }
        }
      }
      if (!hd::sparse_entry_fits(entry, length)) continue;
      sparse::BitMap fast;
      Bytes plain(256);
      const bool good = hd::sparse_expand_mask(mask.data(), entry, length, plain.data());
      ASSERT_EQ(sparse::read_mask(mask.data(), entry, length, &fast), good) << length << " " << entry.n_kept << " " << entry.rice;
      n_good += good;
      if (good) {
        ASSERT_TRUE(std::equal(plain.begin(), plain.begin() + (length + 7) / 8, fast.bytes()));
      }
    }
  });
  EXPECT_GT(n_good, 100u);
}

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

Tensor several_chunks(std::vector<float> x, std::uint64_t stride, std::uint64_t cols) {
  Tensor tensor{std::move(x), {}, stride};
  const std::uint64_t rows = tensor.x.size() / stride;
  for (std::uint64_t row = 0; row < rows; row += 16) tensor.shapes.push_back({std::min<std::uint64_t>(16, rows - row), cols});
  return tensor;
}

std::vector<float> values_of(const Tensor& tensor) {
  std::vector<float> values;
  for (std::size_t i = 0; i < tensor.shapes.size(); ++i) {
    for (std::uint64_t row = 0; row < tensor.shapes[i].rows; ++row) {
      const float* x = tensor.chunk(i) + row * tensor.stride;
      values.insert(values.end(), x, x + tensor.shapes[i].cols);
    }
  }
  return values;
}

TEST(Sparse, TheLargestOfAllChunksAreKept) {
  const std::vector<float> normal = normal_values(400 * 700, 11);
  std::vector<float> skewed = normal;  // rows of very different size, which a sample of a few rows gets wrong
  for (std::size_t i = 0; i < skewed.size(); ++i) skewed[i] *= static_cast<float>(i / 700 % 37);
  std::vector<float> coarse = normal;  // ties everywhere
  for (float& value : coarse) value = std::round(value);
  std::vector<float> hidden = normal;  // at the places where a sample is taken, nothing is as elsewhere
  for (std::size_t i = 0; i < 400 * 690; ++i) {
    if (i % 1026 >= 513 && i % 1026 < 513 + 16) hidden[i / 690 * 700 + i % 690] *= 1000;
  }
  for (const std::vector<float>* x : std::initializer_list<const std::vector<float>*>{&normal, &skewed, &coarse, &hidden}) {
    const Tensor tensor = several_chunks(*x, 700, 690);
    const std::vector<float> values = values_of(tensor);
    for (const float share : {1e-7f, 0.0001f, 0.1f, 0.5f, 0.7f, 0.9999f, 1.0f}) {
      const SparseParams params = params_of(CoefficientType::kF32, SparseTarget::kRetention, share);
      const auto n_kept = std::max<std::size_t>(1, static_cast<std::size_t>(std::floor(static_cast<double>(share) * static_cast<double>(values.size()) + 0.5)));
      const std::vector<bool> kept = largest_by_definition(values, n_kept);
      const std::vector<Chunk> chunks = encode(tensor, params);
      ASSERT_EQ(kept_count(chunks), n_kept);
      std::vector<float> decoded;
      for (const Chunk& chunk : chunks) {
        const std::vector<float> part = decode(chunk, params);
        decoded.insert(decoded.end(), part.begin(), part.end());
      }
      for (std::size_t i = 0; i < values.size(); ++i) ASSERT_EQ(decoded[i], kept[i] ? values[i] : 0.0f) << share << " " << i;
    }
  }
}

TEST(Sparse, EnergyKeepsTheFewestThatHoldTheShare) {
  std::vector<float> coarse = normal_values(64 * 300, 12);
  for (float& value : coarse) value = std::round(value * 4);
  for (const std::vector<float>& x : {normal_values(64 * 300, 13), coarse}) {
    const Tensor tensor = several_chunks(x, 300, 300);
    std::vector<float> sorted = x;
    std::sort(sorted.begin(), sorted.end(), [](float a, float b) { return std::fabs(a) > std::fabs(b); });
    double total = 0;
    for (const float value : sorted) total += static_cast<double>(value) * value;
    for (const float share : {0.001f, 0.3f, 0.9f, 0.99f, 0.9999f, 1.0f}) {
      const std::uint64_t n_kept = kept_count(encode(tensor, params_of(CoefficientType::kF32, SparseTarget::kEnergy, share)));
      double sum = 0;
      std::uint64_t fewest = 0;
      while (fewest < sorted.size() && sum < share * total * (1 - 1e-12)) sum += static_cast<double>(sorted[fewest]) * sorted[fewest], ++fewest;
      if (share < 1) {
        EXPECT_NEAR(static_cast<double>(n_kept), static_cast<double>(fewest), 1) << share;
      } else {
        EXPECT_EQ(n_kept, static_cast<std::uint64_t>(std::count_if(x.begin(), x.end(), [](float value) { return value != 0; })));
      }
    }
  }
}

std::uint64_t record_bytes(const std::vector<Chunk>& chunks, std::uint64_t overhead) {
  for (std::size_t s = 0; s < kMaxSegments; ++s) {
    std::uint64_t n_bytes = 0;
    for (const Chunk& chunk : chunks) n_bytes += chunk.segments[s].size();
    overhead += round_up(n_bytes, 64);
  }
  return overhead;
}

TEST(Sparse, BitsAreNeverAboveTheBudgetAndCloseToIt) {
  constexpr std::uint64_t kOverhead = 333;
  const Tensor tensor = several_chunks(normal_values(300 * 1000, 14), 1000, 1000);
  const double n = 300 * 1000;
  for (const CoefficientType type : kTypes) {
    const double most = coefficient_bits(type) + (has_scales(type) ? 0.5 : 0.0);
    for (const double bits : {0.0001, 0.05, 0.3, 1.0, 2.0, 3.0, 4.0, 4.55, 8.0, 16.1, 33.0}) {
      const SparseParams params = params_of(type, SparseTarget::kBitsPerWeight, static_cast<float>(bits));
      const std::vector<Chunk> chunks = encode(tensor, params, kOverhead);
      const double found = static_cast<double>(record_bytes(chunks, kOverhead)) * 8 / n;
      if (bits < 0.03) {
        EXPECT_EQ(kept_count(chunks), 0u);
        continue;
      }
      EXPECT_LE(found, static_cast<float>(bits));
      if (bits < most) {
        EXPECT_GE(found, bits - 0.005) << bits;
      } else if (bits > most + 0.05) {
        EXPECT_EQ(kept_count(chunks), 300000u);
      }
    }
  }
}

TEST(Sparse, BitsCanEndInsideEqualValues) {
  const Tensor equal = several_chunks(std::vector<float>(64 * 1000, -2.0f), 1000, 1000);
  const Tensor zeros = several_chunks(std::vector<float>(64 * 1000, 0.0f), 1000, 1000);
  for (const Tensor* tensor : {&equal, &zeros}) {
    const std::vector<Chunk> chunks = encode(*tensor, params_of(CoefficientType::kInt4, SparseTarget::kBitsPerWeight, 2.0f), 200);
    const double found = static_cast<double>(record_bytes(chunks, 200)) * 8 / 64000;
    EXPECT_LE(found, 2.0);
    EXPECT_GE(found, 1.97);
  }
}

TEST(Sparse, EqualAndZeroTensors) {
  for (const float value : {0.0f, -0.0f, 127.0f}) {
    const Tensor tensor = several_chunks(std::vector<float>(40 * 500, value), 500, 500);
    for (const CoefficientType type : kTypes) {
      const SparseParams half = params_of(type, SparseTarget::kRetention, 0.5f);
      const std::vector<Chunk> chunks = encode(tensor, half);
      EXPECT_EQ(kept_count(chunks), 10000u);
      EXPECT_EQ(decode(chunks[0], half), std::vector<float>(16 * 500, value));  // the first are kept
      EXPECT_EQ(decode(chunks[2], half), std::vector<float>(8 * 500, 0.0f));
      EXPECT_EQ(kept_count(encode(tensor, params_of(type, SparseTarget::kRetention, 1.0f))), 20000u);
      EXPECT_EQ(kept_count(encode(tensor, params_of(type, SparseTarget::kEnergy, 0.25f))), value == 0 ? 0u : 5000u);
    }
  }
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

// Exactly sized copies, so that the address sanitizer sees a read past any end.
bool decodes_or_is_corrupt(const Chunk& chunk, const SparseParams& params) {
  try {
    decode_rows(chunk, params, DType::kF32, 0, chunk.shape.rows);
    return true;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt) << error.what();
    return false;
  }
}

TEST(Sparse, DamagedSegmentsAreRefusedOrDecodeInBounds) {
  std::mt19937 random(19);
  for_each_simd_target([&] {
    for (const float share : {0.02f, 0.3f, 0.5f, 0.72f, 0.8f, 0.93f}) {
      const Tensor tensor = one_chunk(normal_values(3 * 1500, 20), 3, 1500);
      const SparseParams params = params_of(share == 0.5f ? CoefficientType::kInt8 : CoefficientType::kInt4, SparseTarget::kRetention, share);
      const Chunk good = encode(tensor, params).at(0);
      ASSERT_TRUE(decodes_or_is_corrupt(good, params));
      std::uint64_t n_refused = 0;
      for (std::size_t s = 0; s < 2; ++s) {
        for (std::size_t i = 0; i < good.segments[s].size(); ++i) {
          for (const std::uint8_t flip : {1 << (random() % 8), 0x80, 0x01, 0xff}) {
            Chunk bad = good;
            bad.segments[s][i] ^= flip;
            n_refused += !decodes_or_is_corrupt(bad, params);
          }
        }
      }
      ASSERT_GT(n_refused, 4 * good.segments[0].size() / 2);
      for (std::size_t s = 0; s < kMaxSegments; ++s) {
        for (std::size_t size = 0; size < good.segments[s].size(); size += 1 + size / 16) {
          Chunk bad = good;
          bad.segments[s] = Bytes(bad.segments[s].begin(), bad.segments[s].begin() + static_cast<std::ptrdiff_t>(size));
          bad.segments[s].shrink_to_fit();
          ASSERT_FALSE(decodes_or_is_corrupt(bad, params)) << s << " " << size;
        }
        Chunk bad = good;
        bad.segments[s].push_back(0);
        ASSERT_FALSE(decodes_or_is_corrupt(bad, params));
      }
    }
  });
}

TEST(Sparse, ParametersOutsideTheFormatAreCorrupt) {
  const auto refuses = [](const std::array<std::uint8_t, kSparseParamsSize>& bytes) {
    try {
      sparse_functions().check_params(bytes);
      return false;
    } catch (const Error& error) {
      return error.kind() == ErrorKind::kCorrupt;
    }
  };
  const SparseParams good = params_of(CoefficientType::kInt4, SparseTarget::kRetention, 0.7f);
  EXPECT_FALSE(refuses(good.store()));
  const auto with = [&](auto change) {
    SparseParams params = good;
    change(params);
    return refuses(params.store());
  };
  EXPECT_TRUE(with([](SparseParams& p) { p.coefficients = CoefficientType{4}; }));
  EXPECT_TRUE(with([](SparseParams& p) { p.target = SparseTarget{3}; }));
  for (const int size : {0, 1, 31, 48, 256}) EXPECT_TRUE(with([&](SparseParams& p) { p.group_size = static_cast<std::uint16_t>(size); }));
  EXPECT_TRUE(with([](SparseParams& p) { p.coefficients = CoefficientType::kF16; }));
  for (const float value : {0.0f, -0.5f, 1.5f, NAN, INFINITY}) {
    EXPECT_TRUE(with([&](SparseParams& p) { p.target_value = value; }));
    EXPECT_TRUE(with([&](SparseParams& p) { p.target = SparseTarget::kEnergy, p.target_value = value; }));
  }
  EXPECT_FALSE(with([](SparseParams& p) { p.target = SparseTarget::kBitsPerWeight, p.target_value = 64; }));
  EXPECT_TRUE(with([](SparseParams& p) { p.target = SparseTarget::kBitsPerWeight, p.target_value = 64.5f; }));
  for (const float mean : {NAN, INFINITY, -INFINITY}) EXPECT_TRUE(with([&](SparseParams& p) { p.mean = mean; }));
  auto reserved = good.store();
  reserved[15] = 1;
  EXPECT_TRUE(refuses(reserved));
  auto bytes = good.store();
  sparse_functions().set_mean(bytes, 1.5f);
  EXPECT_EQ(sparse_functions().mean(bytes), 1.5f);
  EXPECT_EQ(SparseParams::load(bytes).mean, 1.5f);
}

}  // namespace
}  // namespace haagenti
