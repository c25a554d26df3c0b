// The masks of `sparse`: every way to code one, and bytes that nobody wrote.
#include "sparse_samples.h"

namespace haagenti {
namespace {

using namespace sparse_samples;

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

}  // namespace
}  // namespace haagenti
