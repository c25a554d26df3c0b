// Damaged, cut and lying LZ4 frames: an error or the right bytes, and never memory that the input has not earned.
#include "bytecodec_lz4_samples.h"

#include "haagenti/base/xxh32.h"

namespace haagenti {
namespace {

using namespace lz4_samples;

struct Result {
  bool ok = false;
  Bytes data;
  ErrorKind kind = ErrorKind::kIo;
};

Result tried(const std::function<Bytes()>& call) {
  try {
    return {true, call(), ErrorKind::kIo};
  } catch (const Error& error) {
    return {false, {}, error.kind()};
  }
}

// Both ways, which must agree.
Result decoded(const Bytes& frame, std::uint32_t threads = 1) {
  const Result whole = tried([&] {
    HeapOutput out;
    lz4_codec().stream.decompressor({.threads = threads, .allow_trailing = false, .dictionary = nullptr})->decompress(frame, out);
    return Bytes(out.data(), out.data() + out.size());
  });
  const Result streamed = tried([&] {
    HeapOutput out;
    const auto decoder = lz4_codec().stream.decoder({});
    decode_frames(*decoder, frame, out, false);
    return Bytes(out.data(), out.data() + out.size());
  });
  EXPECT_EQ(whole.ok, streamed.ok);
  EXPECT_EQ(whole.data, streamed.data);
  EXPECT_EQ(whole.kind, streamed.kind);
  return whole;
}

LZ4F_preferences_t checked_preferences(LZ4F_blockMode_t mode) {
  LZ4F_preferences_t preferences = LZ4F_INIT_PREFERENCES;
  preferences.frameInfo.blockMode = mode;
  preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
  preferences.autoFlush = 1;
  return preferences;
}

TEST(Lz4DamageTest, TruncatedEverywhere) {
  const Bytes data = text_bytes(500);
  for (const unsigned size_known : {0U, 1U}) {
    LZ4F_preferences_t preferences = checked_preferences(LZ4F_blockLinked);
    preferences.frameInfo.contentSize = size_known * data.size();
    preferences.frameInfo.blockChecksumFlag = LZ4F_blockChecksumEnabled;
    const Bytes frame = foreign_frame(data, preferences, 100);
    for (std::size_t n = 0; n < frame.size(); ++n) {
      const Bytes cut(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(n));
      const Error error = error_of([&] { decompress(lz4_codec(), cut); });
      EXPECT_EQ(error.kind(), ErrorKind::kTruncated) << n << ": " << error.what();
      if (n == 0) continue;
      EXPECT_EQ(decoded(cut).kind, ErrorKind::kTruncated) << n;
    }
  }
}

TEST(Lz4DamageTest, EveryFlippedBitWithAChecksum) {
  const Bytes data = text_bytes(400);
  for (const LZ4F_blockMode_t mode : {LZ4F_blockLinked, LZ4F_blockIndependent}) {
    const Bytes frame = foreign_frame(data, checked_preferences(mode), 130);
    for (std::size_t bit = 0; bit < 8 * frame.size(); ++bit) {
      Bytes damaged = frame;
      damaged[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
      const Result result = decoded(damaged);
      // The magic number may become that of another kind of frame.
      EXPECT_TRUE(!result.ok || result.data == data || bit < 32) << bit;
    }
  }
}

TEST(Lz4DamageTest, EveryFlippedBitWithoutOne) {
  const Bytes data = text_bytes(400);
  LZ4F_preferences_t preferences = LZ4F_INIT_PREFERENCES;
  preferences.autoFlush = 1;
  const Bytes frame = foreign_frame(data, preferences, 130) + legacy_frame({data});
  const Bytes block = compress(lz4_block_codec(), data, {});
  for (std::size_t bit = 0; bit < 8 * frame.size(); ++bit) {
    Bytes damaged = frame;
    damaged[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    decoded(damaged);
    Bytes exact(2 * data.size());
    tried([&] {
      FixedOutput out(exact);
      lz4_codec().stream.decompressor({})->decompress(damaged, out);
      return Bytes();
    });
  }
  for (std::size_t bit = 0; bit < 8 * block.size(); ++bit) {
    Bytes damaged = block;
    damaged[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    Bytes exact(data.size());
    tried([&] {
      FixedOutput out(exact);
      lz4_block_codec().stream.decompressor({})->decompress(damaged, out);
      return Bytes();
    });
  }
}

TEST(Lz4DamageTest, NoiseBehindAHeader) {
  const Bytes empty = foreign_frame({}, LZ4F_INIT_PREFERENCES, 1);
  std::mt19937 random(11);
  for (int i = 0; i < 2000; ++i) {
    Bytes frame(empty.begin(), empty.begin() + 7);
    const std::uint32_t size = random() % 300;
    frame = frame + word_bytes(size | (i % 3 == 0 ? 1U << 31 : 0)) + Bytes(size);
    for (std::size_t at = 11; at < frame.size(); ++at) frame[at] = static_cast<std::uint8_t>(random() % (i % 5 == 0 ? 256 : 32));
    decoded(frame + word_bytes(0));
  }
}

// A header of ours with other fields; its checksum is right.
Bytes lying_header(std::uint8_t flg, std::uint8_t bd, const Bytes& fields) {
  const Bytes descriptor = Bytes{flg, bd} + fields;
  return word_bytes(0x184d2204) + descriptor + Bytes{static_cast<std::uint8_t>(xxh32(descriptor) >> 8)};
}

TEST(Lz4DamageTest, HeadersThatTheFormatForbids) {
  expect_error(ErrorKind::kUnsupported, "version 2", [] { decompress(lz4_codec(), lying_header(0xa0, 0x40, {})); });
  expect_error(ErrorKind::kCorrupt, "offset 4", [] { decompress(lz4_codec(), lying_header(0x62, 0x40, {})); });
  expect_error(ErrorKind::kCorrupt, "offset 5", [] { decompress(lz4_codec(), lying_header(0x60, 0x41, {})); });
  expect_error(ErrorKind::kCorrupt, "block size id 3", [] { decompress(lz4_codec(), lying_header(0x60, 0x30, {})); });
  Bytes checksum = lying_header(0x60, 0x40, {});
  checksum[6] ^= 1;
  expect_error(ErrorKind::kCorrupt, "header checksum mismatch", [&] { decompress(lz4_codec(), checksum); });
  expect_error(ErrorKind::kCorrupt, "not an LZ4 frame", [] { decompress(lz4_codec(), Bytes(8, 'a')); });
}

TEST(Lz4DamageTest, ContentSizesThatLie) {
  const Bytes block = word_bytes(3 | 1U << 31) + Bytes{'a', 'b', 'c'} + word_bytes(0);
  for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{2}, std::uint64_t{4}, std::uint64_t{1} << 40, ~std::uint64_t{0}}) {
    Bytes fields(8);
    store_le(fields.data(), size);
    const Bytes frame = lying_header(0x68, 0x40, fields) + block;
    EXPECT_EQ(decoded(frame).kind, ErrorKind::kCorrupt) << size;
    expect_error(ErrorKind::kCorrupt, "states", [&] { decompress(lz4_codec(), frame); });
  }
}

TEST(Lz4DamageTest, BlocksThatAreTooLarge) {
  expect_error(ErrorKind::kCorrupt, "block 0 of 65537 bytes", [] {
    decompress(lz4_codec(), lying_header(0x60, 0x40, {}) + word_bytes(65537) + Bytes(65537));
  });
  // Decodes to more than a block of this frame may have.
  const Bytes large = legacy_block(Bytes(65537, 1));
  const Bytes frame = lying_header(0x60, 0x40, {}) + large + word_bytes(0);
  expect_error(ErrorKind::kCorrupt, "more than 65536", [&] { decompress(lz4_codec(), frame); });
  EXPECT_EQ(decoded(frame).kind, ErrorKind::kCorrupt);
}

TEST(Lz4DamageTest, ErrorsNameTheBlockWithOneThreadAndWithSeveral) {
  const Bytes data = text_bytes(400000);
  LZ4F_preferences_t preferences = LZ4F_INIT_PREFERENCES;
  preferences.frameInfo.blockMode = LZ4F_blockIndependent;
  preferences.frameInfo.blockChecksumFlag = LZ4F_blockChecksumEnabled;
  preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
  const Bytes frame = foreign_frame(data, preferences, data.size());
  for (const std::uint32_t threads : {1U, 2U}) {
    const DecompressOptions options{.threads = threads, .allow_trailing = false, .dictionary = nullptr};
    Bytes damaged = frame;
    damaged[frame.size() / 2] ^= 4;
    expect_error(ErrorKind::kCorrupt, "checksum mismatch in block 3", [&] { decompress(lz4_codec(), damaged, options); });
    damaged = frame;
    damaged.back() ^= 4;
    expect_error(ErrorKind::kCorrupt, "content checksum mismatch", [&] { decompress(lz4_codec(), damaged, options); });
    damaged.resize(frame.size() - 300);
    expect_error(ErrorKind::kTruncated, "in block", [&] { decompress(lz4_codec(), damaged, options); });
  }
}

TEST(Lz4DamageTest, LimitsOfTheOutput) {
  const Bytes data = text_bytes(300000);
  for (const std::uint64_t stated : {std::uint64_t{0}, std::uint64_t{300000}}) {
    LZ4F_preferences_t preferences = checked_preferences(LZ4F_blockIndependent);
    preferences.frameInfo.contentSize = stated;
    const Bytes frame = foreign_frame(data, preferences, 65536);
    for (const std::uint32_t threads : {1U, 2U}) {
      const DecompressOptions options{.threads = threads, .allow_trailing = false, .dictionary = nullptr};
      for (const std::size_t limit : {std::size_t{0}, std::size_t{1}, std::size_t{65536}, std::size_t{299999}}) {
        HeapOutput out(limit);
        expect_error(ErrorKind::kDecompression, "max_size", [&] { lz4_codec().stream.decompressor(options)->decompress(frame, out); });
      }
      HeapOutput exact(300000);
      lz4_codec().stream.decompressor(options)->decompress(frame + skippable(0, 3), exact);
      EXPECT_EQ(Bytes(exact.data(), exact.data() + exact.size()), data);
    }
  }
}

TEST(Lz4DamageTest, DecoderCanBeginAnewAfterAnError) {
  const Bytes data = text_bytes(1000);
  const Bytes frame = foreign_frame(data, LZ4F_INIT_PREFERENCES, data.size());
  const auto decoder = lz4_codec().stream.decoder({});
  Bytes room(2000);
  for (const std::size_t cut : {std::size_t{3}, std::size_t{9}, frame.size() - 6}) {
    Bytes damaged(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(cut));
    decoder->step(damaged, room);
    decoder->reset();
    HeapOutput out;
    decode_frames(*decoder, frame, out, false);
    EXPECT_EQ(Bytes(out.data(), out.data() + out.size()), data);
  }
}

}  // namespace
}  // namespace haagenti
