// Segments and parameters of `sparse` that no encoder wrote.
#include "sparse_samples.h"

namespace haagenti {
namespace {

using namespace sparse_samples;

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
