// What `sparse` keeps: a share of the values, of the energy, or as many as a size allows.
#include "sparse_samples.h"

namespace haagenti {
namespace {

using namespace sparse_samples;

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

}  // namespace
}  // namespace haagenti
