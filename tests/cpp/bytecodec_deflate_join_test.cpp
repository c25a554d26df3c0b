// Finding the last block of a stream, and joining streams.
#include <gtest/gtest.h>
#include <libdeflate.h>
#include <zlib.h>

#include <bit>
#include <random>

#include "bytecodec/deflate/block_walk.h"
#include "bytecodec/deflate/join.h"

namespace haagenti::deflate {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes make_data(int kind, std::size_t n) {
  std::mt19937 random(static_cast<unsigned>(n));
  Bytes data(n);
  for (std::size_t i = 0; i < n; ++i) {
    const auto value = random();
    const auto text = static_cast<unsigned>("the weights of a layer "[(value >> 8) % 3 + i % 20]);
    const unsigned float_half = i % 2 ? value : 60 + static_cast<unsigned>(std::popcount(value % 255));
    data[i] = static_cast<std::uint8_t>(kind == 0 ? value : kind == 1 ? text : kind == 2 ? 0 : float_half);
  }
  return data;
}

// Where zlib finds the header of the last block: it stops between blocks when asked to.
LastBlock judge(ByteView stream) {
  z_stream z{};
  inflateInit2(&z, -15);
  Bytes out(1 << 16);
  z.next_in = const_cast<std::uint8_t*>(stream.data());
  z.avail_in = static_cast<uInt>(stream.size());
  LastBlock last;
  for (;;) {
    z.next_out = out.data();
    z.avail_out = static_cast<uInt>(out.size());
    const int code = inflate(&z, Z_BLOCK);
    const std::uint64_t position = z.total_in * 8 - static_cast<unsigned>(z.data_type & 7);
    if (code != Z_OK) {
      EXPECT_EQ(code, Z_STREAM_END);
      break;
    }
    if (z.data_type & 128) (z.data_type & 64) ? last.end_bit = position : last.begin_bit = position;
  }
  inflateEnd(&z);
  return last;
}

struct Packed {
  Bytes bytes;  // with the padding
  ByteView view() const { return ByteView(bytes).first(bytes.size() - kWalkPadding); }
};

Packed pack(ByteView src, int level) {
  libdeflate_compressor* context = libdeflate_alloc_compressor(level);
  Packed packed{Bytes(libdeflate_deflate_compress_bound(context, src.size()) + kWalkPadding)};
  packed.bytes.resize(libdeflate_deflate_compress(context, src.data(), src.size(), packed.bytes.data(), packed.bytes.size()) + kWalkPadding);
  libdeflate_free_compressor(context);
  return packed;
}

TEST(DeflateJoin, FindsTheLastBlockWhereZlibDoes) {
  for (const std::size_t n : {1u, 2u, 33u, 5000u, 65536u, 200001u, 512u << 10}) {
    for (int kind = 0; kind < 4; ++kind) {
      const Bytes data = make_data(kind, n);
      for (const int level : {0, 1, 6, 9, 12}) {
        if (level == 12 && n > 200001) continue;
        const Packed packed = pack(data, level);
        const auto last = find_last_block(packed.view());
        ASSERT_TRUE(last) << n << ' ' << kind << ' ' << level;
        const LastBlock expected = judge(packed.view());
        ASSERT_EQ(last->begin_bit, expected.begin_bit) << n << ' ' << kind << ' ' << level;
        EXPECT_EQ((last->end_bit + 7) / 8, packed.view().size());
        const auto all = find_last_blocks({packed.view(), ByteView(), packed.view(), packed.view()});
        for (const std::size_t i : {0, 2, 3}) ASSERT_EQ(all[i]->begin_bit, expected.begin_bit);
        ASSERT_FALSE(all[1]);
      }
    }
  }
}

TEST(DeflateJoin, OtherToolsStreams) {
  const Bytes data = make_data(1, 100000);
  for (const int strategy : {Z_DEFAULT_STRATEGY, Z_HUFFMAN_ONLY, Z_RLE, Z_FIXED}) {
    z_stream z{};
    deflateInit2(&z, 6, Z_DEFLATED, -15, 8, strategy);
    Bytes packed(deflateBound(&z, data.size()) + kWalkPadding);
    z.next_in = const_cast<std::uint8_t*>(data.data());
    z.avail_in = static_cast<uInt>(data.size());
    z.next_out = packed.data();
    z.avail_out = static_cast<uInt>(packed.size());
    ASSERT_EQ(::deflate(&z, Z_FINISH), Z_STREAM_END);
    const ByteView stream = ByteView(packed).first(z.total_out);
    deflateEnd(&z);
    const auto last = find_last_block(stream);
    ASSERT_TRUE(last);
    ASSERT_EQ(last->begin_bit, judge(stream).begin_bit);
  }
}

// Every answer about a damaged stream is allowed but one outside of it; the sanitizers watch the reads.
TEST(DeflateJoin, DamagedStreamsStayInBounds) {
  std::mt19937 random(5);
  const Packed whole = pack(make_data(1, 3000), 6);
  for (std::size_t n = 0; n < whole.view().size(); ++n) {
    Bytes cut(whole.view().begin(), whole.view().begin() + static_cast<std::ptrdiff_t>(n));
    cut.resize(n + kWalkPadding, static_cast<std::uint8_t>(random()));
    EXPECT_FALSE(find_last_block(ByteView(cut).first(n)));
  }
  for (int i = 0; i < 20000; ++i) {
    Bytes bytes = i % 2 ? whole.bytes : Bytes(kWalkPadding + random() % 200);
    if (i % 2) {
      bytes[random() % whole.view().size()] ^= static_cast<std::uint8_t>(1u << random() % 8);
    } else {
      for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
    }
    const std::size_t n = bytes.size() - kWalkPadding;
    const auto last = find_last_block(ByteView(bytes).first(n));
    EXPECT_TRUE(!last || last->end_bit <= n * 8);
  }
}

TEST(DeflateJoin, JoinedAndStoredStretchesAreOneStream) {
  libdeflate_compressor* context = libdeflate_alloc_compressor(6);
  libdeflate_decompressor* reader = libdeflate_alloc_decompressor();
  for (const std::size_t n : {1u, 2u, 100u, 70000u, (512u << 10) + 1, 2u << 20}) {
    for (int kind = 0; kind < 4; ++kind) {
      const Bytes data = make_data(kind, n);
      Bytes packed(3 * joined_bound(n) + 2);
      std::uint64_t at = compress_joined(context, data, packed.data());
      at += store_open(data, packed.data() + at);
      at += compress_joined(context, data, packed.data() + at);
      packed[at++] = 3;
      packed[at++] = 0;
      Bytes out(3 * n);
      ASSERT_EQ(libdeflate_deflate_decompress(reader, packed.data(), at, out.data(), out.size(), nullptr), LIBDEFLATE_SUCCESS);
      for (std::size_t i = 0; i < 3; ++i) ASSERT_TRUE(std::equal(data.begin(), data.end(), out.begin() + static_cast<std::ptrdiff_t>(i * n)));
    }
  }
  libdeflate_free_compressor(context);
  libdeflate_free_decompressor(reader);
}

}  // namespace
}  // namespace haagenti::deflate
