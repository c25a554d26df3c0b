// Dictionaries of zstd: trained, raw, wrong, missing, and used by several threads.
#include <gtest/gtest.h>
#include <zdict.h>
#include <zstd.h>

#include <algorithm>
#include <string>
#include <thread>

#include "haagenti/base/error.h"
#include "haagenti/bytecodec/byte_codec.h"

namespace haagenti {

ByteCodecFunctions zstd_codec();

namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes record(std::size_t i) {
  const std::string text = concat("{\"name\": \"model.layers.", i % 40, ".mlp.weight\", \"shape\": [", i * 64,
                                  ", 4096], \"dtype\": \"BF16\", \"id\": ", i * i * 7919, "}");
  return {text.begin(), text.end()};
}

std::vector<Bytes> records(std::size_t n) {
  std::vector<Bytes> all;
  for (std::size_t i = 0; i < n; ++i) all.push_back(record(i));
  return all;
}

Bytes trained(std::size_t max_bytes, std::size_t n = 500) {
  const std::vector<Bytes> samples = records(n);
  const std::vector<ByteView> views(samples.begin(), samples.end());
  return train_dictionary(views, max_bytes);
}

std::shared_ptr<const Dictionary> dictionary(const Bytes& bytes) { return std::make_shared<const Dictionary>(bytes); }

Bytes compressed(const Bytes& src, const CompressOptions& options) {
  const auto compressor = zstd_codec().stream.compressor(options);
  Bytes dst(compressor->bound(src.size()));
  dst.resize(compressor->compress(src, dst));
  return dst;
}

Bytes decompressed(const Bytes& src, std::shared_ptr<const Dictionary> given, std::uint32_t threads = 1) {
  HeapOutput out;
  zstd_codec().stream.decompressor({threads, false, std::move(given)})->decompress(src, out);
  return {out.view().begin(), out.view().end()};
}

Bytes stepped(const Bytes& src, std::shared_ptr<const Dictionary> given) {
  HeapOutput out;
  const auto decoder = zstd_codec().stream.decoder({1, false, std::move(given)});
  decode_frames(*decoder, src, out, false);
  return {out.view().begin(), out.view().end()};
}

template <class Call>
void expect_error(const Call& call, ErrorKind kind, std::string_view part) {
  try {
    call();
    ADD_FAILURE() << "no error: " << part;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
  }
}

TEST(Dictionary, TrainedOnesShrinkSmallBuffers) {
  const Bytes bytes = trained(4096);
  EXPECT_LE(bytes.size(), 4096u);
  const auto given = dictionary(bytes);
  EXPECT_EQ(given->id(), ZDICT_getDictID(bytes.data(), bytes.size()));
  EXPECT_NE(given->id(), 0u);
  const Bytes src = record(12345);
  const std::size_t plain = compressed(src, {3, 1, false, nullptr}).size();
  for (const int level : {-3, 1, 3, 19}) {
    for (const bool checksum : {false, true}) {
      const Bytes frame = compressed(src, {level, 1, checksum, given});
      EXPECT_LT(frame.size() + 20, plain);
      EXPECT_EQ(ZSTD_getFrameContentSize(frame.data(), frame.size()), src.size());
      EXPECT_EQ(decompressed(frame, given), src);
      EXPECT_EQ(stepped(frame, given), src);
    }
  }
  EXPECT_EQ(decompressed(compressed(src, {3, 1, false, nullptr}), given), src);
}

TEST(Dictionary, TheRawLibraryAgrees) {
  const Bytes bytes = trained(4096);
  const Bytes src = record(777);
  ZSTD_CCtx* context = ZSTD_createCCtx();
  Bytes frame(1000);
  frame.resize(ZSTD_compress_usingDict(context, frame.data(), frame.size(), src.data(), src.size(), bytes.data(), bytes.size(), 5));
  ZSTD_freeCCtx(context);
  EXPECT_EQ(decompressed(frame, dictionary(bytes)), src);
  Bytes both = frame;
  both.insert(both.end(), frame.begin(), frame.end());
  EXPECT_EQ(decompressed(both, dictionary(bytes), 2).size(), 2 * src.size());
}

TEST(Dictionary, WithThreadsAndInStreams) {
  const auto given = dictionary(trained(4096));
  Bytes src;
  while (src.size() < 5u << 20) {
    const Bytes part = record(src.size());
    src.insert(src.end(), part.begin(), part.end());
  }
  if (zstd_codec().stream.threads) {
    const Bytes two = compressed(src, {1, 2, true, given});
    EXPECT_EQ(compressed(src, {1, 4, true, given}), two);
    EXPECT_EQ(decompressed(two, given), src);
  }
  const auto encoder = zstd_codec().stream.encoder({3, 1, false, given});
  const Bytes small = record(5);
  for (int again = 0; again < 2; ++again) {
    Bytes frame(1000);
    const EncodeStep step = encoder->step(small, frame, Directive::kFinish);
    ASSERT_TRUE(step.done);
    frame.resize(step.produced);
    EXPECT_EQ(ZSTD_getDictID_fromFrame(frame.data(), frame.size()), given->id());
    EXPECT_EQ(stepped(frame, given), small);
  }
}

TEST(Dictionary, WrongOrMissing) {
  const auto right = dictionary(trained(4096));
  const auto wrong = dictionary(trained(2048, 300));
  ASSERT_NE(right->id(), wrong->id());
  const Bytes src = record(99);
  for (const Bytes& frame : {compressed(src, {3, 1, true, right}), compressed(src, {3, 1, false, right})}) {
    for (const auto& decode : {+[](const Bytes& f, std::shared_ptr<const Dictionary> d) { return decompressed(f, std::move(d)); },
                               +[](const Bytes& f, std::shared_ptr<const Dictionary> d) { return stepped(f, std::move(d)); }}) {
      expect_error([&] { decode(frame, nullptr); }, ErrorKind::kDecompression,
                   concat("zstd: dictionary with id ", right->id(), " is needed, no dictionary was given, in frame 0"));
      expect_error([&] { decode(frame, wrong); }, ErrorKind::kDecompression,
                   concat("zstd: dictionary with id ", right->id(), " is needed, the one given has id ", wrong->id()));
    }
  }
}

TEST(Dictionary, RawBytesHaveNoId) {
  const Bytes src = record(4321);
  const auto raw = dictionary(record(4320));
  EXPECT_EQ(raw->id(), 0u);
  const Bytes frame = compressed(src, {3, 1, true, raw});
  EXPECT_LT(frame.size(), src.size() / 2);
  EXPECT_EQ(decompressed(frame, raw), src);
  EXPECT_EQ(stepped(frame, raw), src);
  expect_error([&] { decompressed(frame, nullptr); }, ErrorKind::kCorrupt, "zstd: ");
  expect_error([&] { decompressed(frame, dictionary(record(3))); }, ErrorKind::kCorrupt, "zstd: ");
  for (const std::size_t n : {0u, 1u, 7u}) {
    const auto tiny = dictionary(Bytes(n, 'x'));
    EXPECT_EQ(decompressed(compressed(src, {3, 1, false, tiny}), tiny), src);
  }
}

TEST(Dictionary, CorruptTables) {
  Bytes bytes = trained(4096);
  std::fill(bytes.begin() + 8, bytes.begin() + 60, std::uint8_t{0xff});
  const auto bad = dictionary(bytes);
  expect_error([&] { zstd_codec().stream.compressor({3, 1, false, bad}); }, ErrorKind::kInvalidArgument, "tables are corrupt");
  expect_error([&] { zstd_codec().stream.decompressor({1, false, bad}); }, ErrorKind::kInvalidArgument, "tables are corrupt");
  expect_error([&] { zstd_codec().stream.encoder({3, 1, false, bad}); }, ErrorKind::kInvalidArgument, "tables are corrupt");
  expect_error([&] { zstd_codec().stream.decoder({1, false, bad}); }, ErrorKind::kInvalidArgument, "tables are corrupt");
}

TEST(Dictionary, DigestedOnceForAllThreads) {
  const auto given = dictionary(trained(4096));
  const void* digested = given->digested_for_compression(3);
  EXPECT_NE(given->digested_for_compression(4), digested);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        const Bytes src = record(static_cast<std::size_t>(i));
        EXPECT_EQ(given->digested_for_compression(3), digested);
        EXPECT_EQ(decompressed(compressed(src, {i % 7, 1, false, given}), given), src);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(Dictionary, SamplesThatWillNotDo) {
  expect_error([] { train_dictionary({}, 4096); }, ErrorKind::kInvalidArgument, "no samples");
  expect_error([] { trained(255); }, ErrorKind::kInvalidArgument, "at most 255 bytes was asked for, expected 256 to");
  expect_error([] { trained(SIZE_MAX); }, ErrorKind::kInvalidArgument, "was asked for");
  expect_error([] { trained(4096, 2); }, ErrorKind::kInvalidArgument, "these 2 samples of ");
  const std::vector<ByteView> empty(20);
  expect_error([&] { train_dictionary(empty, 4096); }, ErrorKind::kInvalidArgument, "these 20 samples of 0 bytes");
  for (std::size_t n = 3; n < 40; ++n) {
    try {
      EXPECT_LE(trained(256 + n * 50, n).size(), 256 + n * 50);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInvalidArgument);
    }
  }
}

}  // namespace
}  // namespace haagenti
