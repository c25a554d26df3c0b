// Tensors for the tests of `sparse`: encoded, decoded by the fast code and by the definitions of hd/, and what should have been kept.
#pragma once

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

namespace haagenti::sparse_samples {

using Bytes = std::vector<std::uint8_t>;
constexpr CoefficientType kTypes[] = {CoefficientType::kF32, CoefficientType::kF16, CoefficientType::kInt8, CoefficientType::kInt4};

inline const QuantizerFunctions& sparse_functions() { return quantizer(QuantizerId::kSparse).functions; }

inline SparseParams params_of(CoefficientType type, SparseTarget target, float value, std::uint16_t group = 32) {
  return {type, target, has_scales(type) ? group : std::uint16_t{0}, value, 0};
}

inline std::vector<float> normal_values(std::size_t n, unsigned seed) {
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

inline Tensor one_chunk(std::vector<float> x, std::uint64_t rows, std::uint64_t cols) { return {std::move(x), {{rows, cols}}, cols}; }

inline std::optional<Rejection> encode_chunk(const Tensor& tensor, std::size_t i, const SparseParams& params, const KeepRule& rule, Chunk* out,
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

inline std::vector<Chunk> encode(const Tensor& tensor, const SparseParams& params, std::uint64_t overhead = 0) {
  const std::vector<KeepRule> rules = tensor.rules(params, overhead);
  std::vector<Chunk> chunks(rules.size());
  for (std::size_t i = 0; i < rules.size(); ++i) EXPECT_FALSE(encode_chunk(tensor, i, params, rules[i], &chunks[i]).has_value());
  return chunks;
}

// Rows begin .. end with a stride of three elements more than a row, between guards.
inline Bytes decode_rows(const Chunk& chunk, const SparseParams& params, DType dtype, std::uint64_t begin, std::uint64_t end, std::uint64_t more = 3) {
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

inline std::vector<float> as_floats(const Bytes& bytes) {
  std::vector<float> values(bytes.size() / 4);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = load_le<float>(bytes.data() + 4 * i);
  return values;
}

inline std::vector<float> decode(const Chunk& chunk, const SparseParams& params) {
  return as_floats(decode_rows(chunk, params, DType::kF32, 0, chunk.shape.rows, 0));
}

// spec.md, one position at a time.
inline std::vector<float> decode_by_definition(const Chunk& chunk, const SparseParams& params) {
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

inline std::vector<std::uint32_t> bits_of(const std::vector<float>& values) {
  std::vector<std::uint32_t> bits;
  for (const float value : values) bits.push_back(hd::bits_from_float(value));
  return bits;
}

// The largest values of a tensor by sorting, ties by position.
inline std::vector<bool> largest_by_definition(const std::vector<float>& x, std::size_t n_kept) {
  std::vector<std::size_t> order(x.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return std::fabs(x[a]) > std::fabs(x[b]); });
  std::vector<bool> kept(x.size());
  for (std::size_t i = 0; i < n_kept; ++i) kept[order[i]] = true;
  return kept;
}

inline std::uint64_t kept_count(const std::vector<Chunk>& chunks) {
  std::uint64_t count = 0;
  for (const Chunk& chunk : chunks) {
    for (std::size_t i = 0; i < chunk.segments[0].size(); i += 4) count += hd::sparse_entry(load_le<std::uint32_t>(chunk.segments[0].data() + i)).n_kept;
  }
  return count;
}

inline Tensor several_chunks(std::vector<float> x, std::uint64_t stride, std::uint64_t cols) {
  Tensor tensor{std::move(x), {}, stride};
  const std::uint64_t rows = tensor.x.size() / stride;
  for (std::uint64_t row = 0; row < rows; row += 16) tensor.shapes.push_back({std::min<std::uint64_t>(16, rows - row), cols});
  return tensor;
}

inline std::vector<float> values_of(const Tensor& tensor) {
  std::vector<float> values;
  for (std::size_t i = 0; i < tensor.shapes.size(); ++i) {
    for (std::uint64_t row = 0; row < tensor.shapes[i].rows; ++row) {
      const float* x = tensor.chunk(i) + row * tensor.stride;
      values.insert(values.end(), x, x + tensor.shapes[i].cols);
    }
  }
  return values;
}

}  // namespace haagenti::sparse_samples
