// Streams made by zlib alone, hostile ones, and both inflaters against zlib as the judge.
#include <gtest/gtest.h>
#include <zlib.h>

#include <random>

#include "bytecodec/deflate/stream_decoder.h"
#include "haagenti/base/error.h"
#include "haagenti/bytecodec/byte_codec.h"

namespace haagenti {

ByteCodecFunctions deflate_codec();
ByteCodecFunctions gzip_codec();

namespace {

using Bytes = std::vector<std::uint8_t>;
using deflate::Wrapper;

Bytes make_text(std::size_t n) {
  std::mt19937 random(7);
  Bytes data;
  for (std::size_t i = 0; data.size() < n; ++i) {
    const std::string word = "w" + std::to_string(random() % 97) + (i % 9 == 0 ? "\n" : " ");
    data.insert(data.end(), word.begin(), word.end());
  }
  data.resize(n);
  return data;
}

// With a full flush in the middle, where asked for.
Bytes zlib_pack(ByteView src, int level, int window_bits, int strategy, bool flush, gz_header* head = nullptr) {
  z_stream z{};
  EXPECT_EQ(deflateInit2(&z, level, Z_DEFLATED, window_bits, 8, strategy), Z_OK);
  if (head != nullptr) deflateSetHeader(&z, head);
  Bytes packed(deflateBound(&z, static_cast<uLong>(src.size())) + 1000);
  z.next_in = const_cast<std::uint8_t*>(src.data());
  z.next_out = packed.data();
  z.avail_out = static_cast<uInt>(packed.size());
  if (flush) {
    z.avail_in = static_cast<uInt>(src.size() / 2);
    EXPECT_EQ(::deflate(&z, Z_FULL_FLUSH), Z_OK);
  }
  z.avail_in = static_cast<uInt>(src.data() + src.size() - z.next_in);
  EXPECT_EQ(::deflate(&z, Z_FINISH), Z_STREAM_END);
  packed.resize(z.total_out);
  deflateEnd(&z);
  return packed;
}

struct Verdict {
  bool ended = false;
  Bytes data;
  std::size_t n_read = 0;
};

Verdict judge(ByteView src, std::size_t most) {
  z_stream z{};
  inflateInit2(&z, -15);
  Verdict verdict;
  verdict.data.resize(most);
  z.next_in = const_cast<std::uint8_t*>(src.data());
  z.avail_in = static_cast<uInt>(src.size());
  z.next_out = verdict.data.data();
  z.avail_out = static_cast<uInt>(most);
  verdict.ended = inflate(&z, Z_FINISH) == Z_STREAM_END;
  verdict.data.resize(z.total_out);
  verdict.n_read = z.total_in;
  inflateEnd(&z);
  return verdict;
}

Verdict run(deflate::Inflater& inflater, ByteView src, std::size_t n_in, std::size_t n_out, std::size_t most) {
  Verdict verdict;
  Bytes room(n_out);
  inflater.begin({});
  while (verdict.data.size() < most) {
    const ByteView part = src.subspan(verdict.n_read, std::min(n_in, src.size() - verdict.n_read));
    const deflate::InflateStep step = inflater.step(part, room);
    if (step.error != nullptr) return verdict;
    verdict.n_read += step.consumed;
    verdict.data.insert(verdict.data.end(), room.begin(), room.begin() + static_cast<std::ptrdiff_t>(step.produced));
    verdict.ended = step.ended;
    if (step.ended || (step.consumed == 0 && step.produced == 0)) return verdict;
  }
  return verdict;
}

// Bytes of input and of output at a time.
constexpr std::pair<std::size_t, std::size_t> kSteps[] = {{1, 1}, {1, 1000}, {3, 64}, {100000, 1}, {100000, 77}, {13, 70000}, {400000, 400000}};

std::vector<std::unique_ptr<deflate::Inflater>> inflaters() {
  std::vector<std::unique_ptr<deflate::Inflater>> all;
  all.push_back(deflate::make_zlib_inflater());
  if (auto isal = deflate::make_isal_inflater()) all.push_back(std::move(isal));
  return all;
}

constexpr int kStrategies[] = {Z_DEFAULT_STRATEGY, Z_FILTERED, Z_HUFFMAN_ONLY, Z_RLE, Z_FIXED};

TEST(DeflateForeign, AllKindsOfBlocksAndTheirExactEnds) {
  for (const std::size_t n : {0u, 1u, 300u, 2000u, 150000u}) {
    const bool large = n > 5000;
    const Bytes data = make_text(n);
    for (const int strategy : kStrategies) {
      for (const int level : {0, 1, 9}) {
        for (const bool flush : {false, true}) {
          Bytes packed = zlib_pack(data, level, -15, strategy, flush);
          HeapOutput out;
          deflate_codec().stream.decompressor({})->decompress(packed, out);
          ASSERT_EQ(Bytes(out.view().begin(), out.view().end()), data);
          const std::size_t end = packed.size();
          packed.insert(packed.end(), 20, 0xff);  // must be left alone
          for (const auto& inflater : inflaters()) {
            for (const auto& [n_in, n_out] : kSteps) {
              if (large && (n_in < 13 || n_out < 77)) continue;
              const Verdict verdict = run(*inflater, packed, n_in, n_out, SIZE_MAX);
              ASSERT_TRUE(verdict.ended) << n << ' ' << n_in << ' ' << n_out;
              ASSERT_EQ(verdict.n_read, end) << n << ' ' << n_in << ' ' << n_out;
              ASSERT_EQ(verdict.data, data);
            }
          }
        }
      }
    }
  }
}

// A flipped bit may give another valid stream; it must be the one that zlib reads too.
TEST(DeflateForeign, FlippedBitsAreJudgedAsByZlib) {
  constexpr std::size_t kMost = 100000;
  const Bytes data = make_text(250);
  std::size_t n_accepted = 0;
  for (const int strategy : kStrategies) {
    for (const int level : {0, 9}) {
      const Bytes packed = zlib_pack(data, level, -15, strategy, true);
      for (std::size_t bit = 0; bit < packed.size() * 8; ++bit) {
        Bytes bad = packed;
        bad[bit / 8] = static_cast<std::uint8_t>(bad[bit / 8] ^ (1u << (bit % 8)));
        const Verdict expected = judge(bad, kMost);
        for (const auto& inflater : inflaters()) {
          for (const auto& [n_in, n_out] : {std::pair<std::size_t, std::size_t>{1, 1}, {400, 400}, {3, 64}}) {
            const Verdict verdict = run(*inflater, bad, n_in, n_out, kMost);
            if (verdict.ended && !expected.ended) ++n_accepted;
            ASSERT_TRUE(verdict.ended || !expected.ended) << strategy << ' ' << level << ' ' << bit;
            if (!expected.ended) continue;
            ASSERT_EQ(verdict.data, expected.data) << strategy << ' ' << level << ' ' << bit;
            ASSERT_EQ(verdict.n_read, expected.n_read);
          }
        }
      }
    }
  }
  RecordProperty("accepted_though_zlib_refuses", static_cast<int>(n_accepted));
}

TEST(DeflateForeign, RandomBytesNeverHang) {
  std::mt19937 random(3);
  const auto all = inflaters();
  for (int i = 0; i < 3000; ++i) {
    Bytes bytes(1 + random() % 400);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
    const Verdict expected = judge(bytes, 1 << 20);
    for (const auto& inflater : all) {
      const Verdict verdict = run(*inflater, bytes, 1 + random() % 9, 1 + random() % 300, 1 << 20);
      if (!expected.ended) continue;
      ASSERT_TRUE(verdict.ended);
      ASSERT_EQ(verdict.data, expected.data);
    }
  }
}

TEST(DeflateForeign, GzipHeadersWithAllFields) {
  const Bytes data = make_text(400);
  Bytes extra = {'A', 'B', 3, 0, 1, 2, 3, 'H', 'G', 2, 0, 9, 9, 'X', 'X', 0, 0};
  for (int fields = 0; fields < 16; ++fields) {
    gz_header head{};
    Bytes name = {'n', 'a', 'm', 'e', 0};
    Bytes comment = {'c', 0};
    if (fields & 1) head.extra = extra.data();
    head.extra_len = static_cast<uInt>(extra.size());
    if (fields & 2) head.name = name.data();
    if (fields & 4) head.comment = comment.data();
    head.hcrc = fields & 8;
    const Bytes packed = zlib_pack(data, 6, 31, Z_DEFAULT_STRATEGY, false, &head);
    for (const std::uint32_t threads : {1u, 2u}) {
      HeapOutput out;
      gzip_codec().stream.decompressor({.threads = threads, .allow_trailing = false, .dictionary = nullptr})->decompress(packed, out);
      ASSERT_EQ(Bytes(out.view().begin(), out.view().end()), data);
    }
    const auto decoder = gzip_codec().stream.decoder({});
    Bytes decoded(data.size());
    std::size_t produced = 0;
    for (const std::uint8_t& byte : packed) {
      std::uint8_t spill[300];
      for (DecodeStep step = decoder->step({&byte, 1}, spill);; step = decoder->step({}, spill)) {
        if (step.produced == 0) break;
        std::copy_n(spill, step.produced, decoded.begin() + static_cast<std::ptrdiff_t>(produced));
        produced += step.produced;
      }
    }
    ASSERT_EQ(produced, data.size());
    ASSERT_EQ(decoded, data);
    for (std::size_t bit = 0; bit < 80 && (fields & 8); ++bit) {  // the header's checksum covers its first fields
      Bytes bad = packed;
      bad[bit / 8] = static_cast<std::uint8_t>(bad[bit / 8] ^ (1u << (bit % 8)));
      HeapOutput out;
      ASSERT_THROW(gzip_codec().stream.decompressor({})->decompress(bad, out), Error) << bit;
    }
  }
}

TEST(DeflateForeign, FalseSizeClaimsAreNotBelieved) {
  const Bytes data = make_text(3 << 20);
  const auto compressor = gzip_codec().stream.compressor({.level = 1, .threads = 2, .checksum = false, .dictionary = nullptr});
  Bytes packed(compressor->bound(data.size()));
  packed.resize(compressor->compress(data, packed));
  const auto decode = [](ByteView src) {
    HeapOutput out(std::size_t{1} << 26);
    gzip_codec().stream.decompressor({.threads = 2, .allow_trailing = false, .dictionary = nullptr})->decompress(src, out);
    return Bytes(out.view().begin(), out.view().end());
  };
  ASSERT_EQ(decode(packed), data);
  const auto size = load_le<std::uint32_t>(packed.data() + 16);
  for (const std::uint32_t claim : {0u, 1u, 28u, size - 1, size + 1, size + 100, 0xffffffffu}) {
    Bytes lying = packed;
    store_le(lying.data() + 16, claim);
    ASSERT_EQ(decode(lying), data) << claim;
  }
  for (const std::uint32_t claim : {0u, 1u, 0xffffffffu}) {
    Bytes lying = packed;
    store_le(lying.data() + size - 4, claim);
    ASSERT_THROW(decode(lying), Error);
  }
  Bytes bad = packed;
  bad[size + 5000] ^= 4;
  ASSERT_THROW(decode(bad), Error);
}

// The files of cpp/src/bytecodec/deflate/spec.md.
TEST(DeflateForeign, TheSpecsExample) {
  const Bytes file = {0x1f, 0x8b, 0x08, 0x04, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0x08, 0x00, 0x48, 0x47, 0x04, 0x00, 0x21,
                      0x00, 0x00, 0x00, 0xcb, 0x48, 0x4c, 0x04, 0x00, 0xa2, 0x48, 0xd6, 0xff, 0x03, 0x00, 0x00, 0x00, 0x1f,
                      0x8b, 0x08, 0x04, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0x08, 0x00, 0x48, 0x47, 0x04, 0x00, 0x23, 0x00,
                      0x00, 0x00, 0x4b, 0x4f, 0xcd, 0x2b, 0xc9, 0x04, 0x00, 0x55, 0xd8, 0xbc, 0xdc, 0x05, 0x00, 0x00, 0x00};
  for (const std::uint32_t threads : {1u, 2u}) {
    HeapOutput out;
    gzip_codec().stream.decompressor({.threads = threads, .allow_trailing = false, .dictionary = nullptr})->decompress(file, out);
    EXPECT_EQ(std::string(out.view().begin(), out.view().end()), "haagenti");
  }
}

TEST(DeflateForeign, SizesBeyondTheGuessAndLyingTrailers) {
  const Bytes zeros(20 << 20);
  for (const int window_bits : {-15, 31}) {
    Bytes packed = zlib_pack(zeros, 6, window_bits, Z_DEFAULT_STRATEGY, false);
    HeapOutput out;
    (window_bits < 0 ? deflate_codec() : gzip_codec()).stream.decompressor({})->decompress(packed, out);
    ASSERT_EQ(out.size(), zeros.size());
    if (window_bits < 0) continue;
    store_le(packed.data() + packed.size() - 4, 0xfffffff0u);
    HeapOutput refused;
    ASSERT_THROW(gzip_codec().stream.decompressor({})->decompress(packed, refused), Error);
    ASSERT_LE(refused.capacity(), packed.size() * deflate::kMaxExpansion + (64u << 20));
  }
}

}  // namespace
}  // namespace haagenti
