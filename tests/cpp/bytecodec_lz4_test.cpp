// What lz4, lz4hc and lz4_block write, whole and as streams.
// Not responsible for frames of others (bytecodec_lz4_foreign_test.cpp) nor for damage (bytecodec_lz4_damage_test.cpp).
#include "bytecodec_lz4_samples.h"

namespace haagenti {
namespace {

using namespace lz4_samples;

std::shared_ptr<const Dictionary> dictionary_of(const Bytes& bytes) { return std::make_shared<const Dictionary>(bytes); }

TEST(Lz4Test, EverySizeLevelAndKindComesBack) {
  for (const std::size_t size : kSizes) {
    for (const Bytes& data : data_of_size(size)) {
      for (const int level : {-65536, -7, 0, 2, 3, 9, 12}) {
        if (level > 3 && size > 65537) continue;
        const CompressOptions options{.level = level, .threads = 1, .checksum = size % 2 == 1, .dictionary = nullptr};
        const Bytes packed = compress(lz4_codec(), data, options);
        ASSERT_EQ(decompress(lz4_codec(), packed), data) << size << " level " << level;
        ASSERT_EQ(foreign_decode(packed, data.size()), data) << size << " level " << level;
      }
    }
  }
}

TEST(Lz4Test, ThreadsAndAnEarlierUseDoNotChangeTheBytes) {
  const Bytes small = text_bytes(3000);
  for (const std::size_t size : {std::size_t{0}, std::size_t{5}, std::size_t{100000}, std::size_t{4} << 20, (std::size_t{13} << 20) + 17}) {
    for (const Bytes& data : {text_bytes(size), bf16_bytes(size)}) {
      for (const int level : {-3, 0, 3}) {
        CompressOptions options{.level = level, .threads = 1, .checksum = true, .dictionary = nullptr};
        const Bytes one = compress(lz4_codec(), data, options);
        const auto used = lz4_codec().stream.compressor(options);
        Bytes room(used->bound(std::max(size, small.size())));
        used->compress(small, room);
        room.resize(used->compress(data, room));
        EXPECT_EQ(room, one);
        options.threads = 3;
        EXPECT_EQ(compress(lz4_codec(), data, options), one) << size;
        EXPECT_EQ(decompress(lz4_codec(), one, {.threads = 3, .allow_trailing = false, .dictionary = nullptr}), data);
      }
    }
  }
}

TEST(Lz4Test, DictionaryMakesSmallDataSmallerAndIsNeeded) {
  const Bytes prefix = random_bytes(100000);
  const Bytes data(prefix.end() - 3000, prefix.end() - 1000);
  const auto dictionary = dictionary_of(prefix);
  for (const auto& codec : {lz4_codec(), lz4hc_codec(), lz4_block_codec()}) {
    for (const int level : {3, 12}) {
      const Bytes packed = compress(codec, data, {.level = level, .threads = 1, .checksum = false, .dictionary = dictionary});
      EXPECT_LT(packed.size(), 100U);
      HeapOutput out;
      out.reserve(data.size());
      codec.stream.decompressor({.threads = 1, .allow_trailing = false, .dictionary = dictionary})->decompress(packed, out);
      EXPECT_EQ(Bytes(out.data(), out.data() + out.size()), data);
      HeapOutput without;
      expect_error(ErrorKind::kCorrupt, "input offset", [&] { codec.stream.decompressor({})->decompress(packed, without); });
    }
  }
}

TEST(Lz4Test, DictionaryOfManyBlocksInFrames) {
  const Bytes prefix = text_bytes(70000);
  const auto dictionary = dictionary_of(prefix);
  for (const std::uint32_t threads : {1U, 2U}) {
    for (const int level : {0, 3}) {
      const CompressOptions options{.level = level, .threads = threads, .checksum = true, .dictionary = dictionary};
      const Bytes data = text_bytes((std::size_t{9} << 20) + 100);
      const Bytes packed = compress(lz4_codec(), data, options);
      EXPECT_EQ(foreign_decode(packed, data.size(), prefix), data);
      EXPECT_EQ(decompress(lz4_codec(), packed, {.threads = threads, .allow_trailing = false, .dictionary = dictionary}), data);
      EXPECT_EQ(decode(lz4_codec(), packed, 1 << 20, 1 << 16, {.threads = 1, .allow_trailing = false, .dictionary = dictionary}), data);
    }
  }
}

TEST(Lz4Test, StreamsInEverySizeOfStep) {
  for (const std::size_t size : kSizes) {
    const Bytes data = text_bytes(size);
    for (const std::size_t n : {std::size_t{1}, std::size_t{700}, std::size_t{1} << 23}) {
      if (n == 1 && size > 40000) continue;
      const auto encoder = lz4_codec().stream.encoder({.level = 0, .threads = 1, .checksum = true, .dictionary = nullptr});
      for (int again = 0; again < 2; ++again) {
        Bytes packed;
        drive(*encoder, data, n, n, Directive::kFinish, packed);
        ASSERT_EQ(packed, compress(lz4_codec(), data, {.level = 0, .threads = 1, .checksum = true, .dictionary = nullptr}));
        ASSERT_EQ(decode(lz4_codec(), packed, n, n), data);
      }
    }
  }
}

TEST(Lz4Test, LargeStreamsAreIndependentBlocks) {
  const Bytes data = text_bytes((std::size_t{9} << 20) + 5);
  for (const std::uint32_t threads : {1U, 2U}) {
    const auto encoder = lz4_codec().stream.encoder({.level = 0, .threads = threads, .checksum = true, .dictionary = nullptr});
    for (const std::size_t n : {std::size_t{100000}, std::size_t{1} << 24}) {
      Bytes packed;
      drive(*encoder, data, n, n, Directive::kFinish, packed);
      EXPECT_EQ(packed[4] & 0x20, 0x20);
      EXPECT_EQ(packed[5], 0x70);
      EXPECT_EQ(decode(lz4_codec(), packed, 33333, 100000), data);
      EXPECT_EQ(decompress(lz4_codec(), packed, {.threads = 2, .allow_trailing = false, .dictionary = nullptr}), data);
      EXPECT_EQ(foreign_decode(packed, data.size()), data);
    }
  }
}

TEST(Lz4Test, EveryFlushCanBeReadAndMessagesHelpEachOther) {
  const Bytes message = random_bytes(500);
  for (const auto& codec : {lz4_codec(), lz4hc_codec()}) {
    const auto encoder = codec.stream.encoder({.level = 3, .threads = 1, .checksum = true, .dictionary = nullptr});
    const auto decoder = codec.stream.decoder({});
    Bytes whole;
    Bytes all;
    for (int i = 0; i < 300; ++i) {
      Bytes packed;
      drive(*encoder, message, 500, 70, Directive::kFlush, packed);
      EXPECT_TRUE(i == 0 || packed.size() < 60) << packed.size();
      Bytes room(501);
      EXPECT_EQ(decoder->step(packed, room).produced, 500U);
      room.resize(500);
      EXPECT_EQ(room, message);
      whole = whole + packed;
      all = all + message;
    }
    drive(*encoder, {}, 1, 1, Directive::kFinish, whole);
    EXPECT_EQ(decompress(codec, whole), all);
    EXPECT_EQ(foreign_decode(whole, all.size()), all);
  }
}

TEST(Lz4Test, FlushInsideALargeStream) {
  const Bytes data = text_bytes((std::size_t{4} << 20) + 70000);
  const auto encoder = lz4_codec().stream.encoder({.level = 0, .threads = 1, .checksum = true, .dictionary = nullptr});
  Bytes packed;
  drive(*encoder, {}, 1, 1, Directive::kFlush, packed);
  EXPECT_TRUE(packed.empty());
  drive(*encoder, data, 1 << 20, 1 << 16, Directive::kFlush, packed);
  drive(*encoder, data, 1 << 20, 1 << 16, Directive::kFinish, packed);
  for (const std::uint32_t threads : {1U, 2U}) {
    EXPECT_EQ(decompress(lz4_codec(), packed, {.threads = threads, .allow_trailing = false, .dictionary = nullptr}), data + data);
  }
}

TEST(Lz4Test, TooSmallOutIsRefusedAndEnoughIsEnough) {
  for (const std::size_t size : {std::size_t{5000}, std::size_t{5} << 20}) {
    for (const auto& codec : {lz4_codec(), lz4hc_codec(), lz4_block_codec()}) {
      const Bytes data = text_bytes(size);
      const CompressOptions options{.level = 3, .threads = 1, .checksum = false, .dictionary = nullptr};
      const Bytes packed = compress(codec, data, options);
      const auto compressor = codec.stream.compressor(options);
      Bytes small(packed.size() - 1);
      expect_error(ErrorKind::kInvalidArgument, "may need up to", [&] { compressor->compress(data, small); });
      // liblz4 wants a little more than it writes, unless it has room for the worst case.
      Bytes enough(packed.size() + 16);
      enough.resize(compressor->compress(data, enough));
      EXPECT_EQ(enough, packed);
    }
  }
}

TEST(Lz4Test, BlocksComeBack) {
  for (const std::size_t size : kSizes) {
    for (const Bytes& data : data_of_size(size)) {
      for (const int level : {-65536, 0, 3, 12}) {
        if (level > 3 && size > 65537) continue;
        const Bytes packed = compress(lz4_block_codec(), data, {.level = level, .threads = 1, .checksum = false, .dictionary = nullptr});
        EXPECT_EQ(decompress(lz4_block_codec(), packed), data) << size << " level " << level;
        Bytes exact(size);
        FixedOutput out(exact);
        lz4_block_codec().stream.decompressor({})->decompress(packed, out);
        EXPECT_EQ(exact, data);
        if (size == 0) continue;
        Bytes small(size - 1);
        FixedOutput less(small);
        expect_error(ErrorKind::kInvalidArgument, "larger", [&] { lz4_block_codec().stream.decompressor({})->decompress(packed, less); });
      }
    }
  }
}

TEST(Lz4Test, BlocksHaveALimit) {
  const auto compressor = lz4_block_codec().stream.compressor({});
  expect_error(ErrorKind::kInvalidArgument, "2113929216", [&] { compressor->bound(std::uint64_t{1} << 31); });
  expect_error(ErrorKind::kTruncated, "empty", [&] { decompress(lz4_block_codec(), {}); });
  expect_error(ErrorKind::kCorrupt, "input offset", [&] { decompress(lz4_block_codec(), {0x10}); });
}

TEST(Lz4Test, RowsOfTheTable) {
  EXPECT_NE(lz4_codec().chunk.compress, nullptr);
  EXPECT_EQ(lz4hc_codec().chunk.compress, nullptr);
  EXPECT_EQ(lz4_block_codec().stream.encoder, nullptr);
  EXPECT_EQ(lz4_codec().library_version, LZ4_versionString());
}

}  // namespace
}  // namespace haagenti
