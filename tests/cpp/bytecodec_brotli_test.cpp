// brotli: streams of ours and of the raw library, errors and their words.
#include <brotli/decode.h>
#include <brotli/encode.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

#include "bytecodec_samples.h"
#include "haagenti/base/error.h"
#include "haagenti/bytecodec/byte_codec.h"

namespace haagenti {

ByteCodecFunctions brotli_codec();

namespace {

using namespace samples;

CompressOptions at_level(int level) { return {level, 1, false, nullptr}; }
const DecompressOptions kAllowTrailing{1, true, nullptr};

Bytes compressed(const Bytes& src, int level = 5) {
  const auto compressor = brotli_codec().stream.compressor(at_level(level));
  Bytes dst(compressor->bound(src.size()));
  dst.resize(compressor->compress(src, dst));
  return dst;
}

Bytes decompressed(const Bytes& src, const DecompressOptions& options = {}, std::size_t limit = SIZE_MAX) {
  HeapOutput out(limit);
  EXPECT_LE(brotli_codec().stream.decompressor(options)->decompress(src, out), src.size());
  return {out.view().begin(), out.view().end()};
}

// All of src through a Decoder, so many bytes in and out a step.
Bytes stepped(const Bytes& src, std::size_t n_in, std::size_t n_out) {
  const auto decoder = brotli_codec().stream.decoder({});
  Bytes got;
  Bytes room(n_out);
  std::size_t at = 0;
  for (;;) {
    const DecodeStep step = decoder->step(ByteView(src).subspan(at, std::min(n_in, src.size() - at)), room);
    at += step.consumed;
    got.insert(got.end(), room.begin(), room.begin() + static_cast<std::ptrdiff_t>(step.produced));
    if (step.frame_ended) break;
    if (step.consumed + step.produced > 0) continue;
    if (at == src.size()) fail(ErrorKind::kTruncated, "ends early");
    ADD_FAILURE() << "a step with input and room did nothing at " << at;
    break;
  }
  EXPECT_EQ(at, src.size());
  return got;
}

Bytes encoded(Encoder& encoder, const Bytes& src, std::size_t n_in, std::size_t n_out, std::size_t flush_at) {
  Bytes got;
  Bytes room(n_out);
  const auto give = [&](ByteView in, Directive directive) {
    for (bool done = false; !done;) {
      const EncodeStep step = encoder.step(in, room, directive);
      got.insert(got.end(), room.begin(), room.begin() + static_cast<std::ptrdiff_t>(step.produced));
      in = in.subspan(step.consumed);
      done = step.done;
    }
  };
  for (std::size_t at = 0; at < src.size(); at += n_in) {
    give(ByteView(src).subspan(at, std::min(n_in, src.size() - at)), Directive::kContinue);
    if (at <= flush_at && flush_at < at + n_in) give({}, Directive::kFlush);
  }
  give({}, Directive::kFinish);
  return got;
}

TEST(Brotli, RoundTripsAndTheRawLibraryAgrees) {
  for (const std::size_t n : {0u, 1u, 2u, 31u, 32u, 33u, 65535u, 65536u, 65537u, 1u << 20}) {
    for (const Bytes& src : {random_bytes(n), text_like(n), Bytes(n), bf16_like(n)}) {
      const Bytes stream = compressed(src, 1);
      EXPECT_EQ(decompressed(stream), src);
      EXPECT_EQ(stepped(stream, 5000, 5000), src);
      Bytes raw(n + 1);
      std::size_t size = raw.size();
      ASSERT_EQ(BrotliDecoderDecompress(stream.size(), stream.data(), &size, raw.data()), BROTLI_DECODER_RESULT_SUCCESS);
      EXPECT_EQ(size, n);
    }
  }
}

TEST(Brotli, AllLevels) {
  for (const std::size_t n : {0u, 1u, 1000u, 100000u}) {
    const Bytes src = text_like(n);
    for (int level = 0; level <= 11; ++level) {
      const Bytes stream = compressed(src, level);
      EXPECT_EQ(decompressed(stream), src) << level;
      Bytes raw(n + 1000);
      std::size_t size = raw.size();
      ASSERT_TRUE(BrotliEncoderCompress(level, BROTLI_DEFAULT_WINDOW, BROTLI_MODE_GENERIC, n, src.data(), &size, raw.data()));
      EXPECT_EQ(stream.size(), size);
      EXPECT_EQ(decompressed(compressed(random_bytes(n), level)), random_bytes(n));
    }
  }
}

TEST(Brotli, OutputOfExactSizeAndOneLess) {
  const Bytes src = text_like(70000);
  for (const int level : {0, 11}) {
    const Bytes stream = compressed(src, level);
    Bytes room(src.size());
    FixedOutput exact(room);
    EXPECT_EQ(brotli_codec().stream.decompressor({})->decompress(stream, exact), stream.size());
    EXPECT_EQ(room, src);
    room.pop_back();
    FixedOutput less(room);
    const auto decompressor = brotli_codec().stream.decompressor({});
    expect_error(error_of([&] { decompressor->decompress(stream, less); }), ErrorKind::kInvalidArgument, "out holds 69999 bytes");
    expect_error(error_of([&] { decompressed(stream, {}, 69999); }), ErrorKind::kDecompression, "max_size of 69999");
    EXPECT_EQ(decompressed(stream, {}, 70000), src);
  }
  FixedOutput none({});
  EXPECT_EQ(brotli_codec().stream.decompressor({})->decompress(compressed({}), none), 1u);
}

TEST(Brotli, TruncatedAtEveryByte) {
  const Bytes stream = compressed(text_like(3000), 9);
  for (std::size_t n = 0; n < stream.size(); ++n) {
    const Bytes cut(stream.begin(), stream.begin() + static_cast<std::ptrdiff_t>(n));
    expect_error(error_of([&] { decompressed(cut); }), ErrorKind::kTruncated,
                 n == 0 ? "brotli: the input is empty" : concat("brotli: the input ends too early, at input offset ", n));
    EXPECT_EQ(error_of([&] { stepped(cut, 1, 7); }).first, ErrorKind::kTruncated);
  }
}

TEST(Brotli, EveryFlippedBit) {
  const Bytes stream = compressed(text_like(400), 9);
  std::size_t n_corrupt = 0;
  for (std::size_t bit = 0; bit < stream.size() * 8; ++bit) {
    Bytes bad = stream;
    bad[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    try {
      decompressed(bad, {}, 1 << 24);
    } catch (const Error& error) {
      EXPECT_NE(error.kind(), ErrorKind::kInvalidArgument) << error.what();
      if (error.kind() == ErrorKind::kCorrupt) ++n_corrupt;
    }
  }
  EXPECT_GT(n_corrupt, stream.size());
}

TEST(Brotli, CorruptAndTrailing) {
  // 0x11 is the one window size that RFC 7932, 9.1 forbids.
  expect_error(error_of([] { decompressed({0x11, 0, 0, 0}); }), ErrorKind::kCorrupt, "brotli: corrupt data (");
  const Bytes src = text_like(1000);
  for (const Bytes& tail : {Bytes{0}, compressed(src), Bytes(100)}) {
    Bytes stream = compressed(src);
    const std::size_t size = stream.size();
    stream.insert(stream.end(), tail.begin(), tail.end());
    expect_error(error_of([&] { decompressed(stream); }), ErrorKind::kCorrupt,
                 concat(tail.size(), " bytes after the end of the compressed data, at input offset ", size));
    HeapOutput out;
    EXPECT_EQ(brotli_codec().stream.decompressor(kAllowTrailing)->decompress(stream, out), size);
    EXPECT_TRUE(std::ranges::equal(out.view(), src));
  }
  std::size_t skip = 0;
  EXPECT_EQ(brotli_codec().stream.decoder({})->next_frame(src, skip), NextFrame::kNo);
}

TEST(Brotli, StreamsByteByByte) {
  for (const int level : {0, 1, 2, 5, 11}) {
    const auto encoder = brotli_codec().stream.encoder(at_level(level));
    for (const std::size_t n : {0u, 1u, 3000u}) {
      const Bytes src = text_like(n);
      for (const std::size_t step : {1u, 100u, 10000u}) {
        const Bytes stream = encoded(*encoder, src, step, step, n / 2);
        EXPECT_EQ(stepped(stream, 1, 1), src);
        EXPECT_EQ(decompressed(stream), src);
      }
    }
  }
}

TEST(Brotli, AFlushLetsAllInputBeRead) {
  const auto encoder = brotli_codec().stream.encoder(at_level(5));
  const auto decoder = brotli_codec().stream.decoder({});
  for (int stream = 0; stream < 2; ++stream) {
    for (std::size_t part = 0; part < 5; ++part) {
      const Bytes src = text_like(100 + part);
      Bytes packed(1000);
      const EncodeStep step = encoder->step(src, packed, Directive::kFlush);
      ASSERT_TRUE(step.done);
      Bytes got(1000);
      const DecodeStep read = decoder->step(ByteView(packed).first(step.produced), got);
      got.resize(read.produced);
      EXPECT_EQ(got, src);
    }
    Bytes packed(1000);
    const EncodeStep step = encoder->step({}, packed, Directive::kFinish);
    ASSERT_TRUE(step.done);
    EXPECT_TRUE(decoder->step(ByteView(packed).first(step.produced), packed).frame_ended);
  }
}

TEST(Brotli, ADecoderBeginsAnewAfterResetAndErrors) {
  const Bytes src = text_like(3000);
  const Bytes stream = compressed(src);
  const auto decoder = brotli_codec().stream.decoder({});
  Bytes room(src.size());
  decoder->step(ByteView(stream).first(20), room);
  decoder->reset();
  EXPECT_TRUE(decoder->step(stream, room).frame_ended);
  EXPECT_EQ(room, src);
  EXPECT_THROW(decoder->step(Bytes{0x11}, room), Error);
  decoder->reset();
  for (int i = 0; i < 50; ++i) EXPECT_EQ(decoder->step({}, room).produced, 0u);
  EXPECT_TRUE(decoder->step(stream, room).frame_ended);
}

TEST(Brotli, LargeWindowsOfTheStandardAndNoLarger) {
  const Bytes src = text_like(100000);
  for (const int window : {10, 16, 24}) {
    Bytes raw(src.size() + 1000);
    std::size_t size = raw.size();
    ASSERT_TRUE(BrotliEncoderCompress(5, window, BROTLI_MODE_TEXT, src.size(), src.data(), &size, raw.data()));
    raw.resize(size);
    EXPECT_EQ(decompressed(raw), src);
  }
  Bytes raw(src.size() + 1000);
  std::size_t size = raw.size();
  ASSERT_TRUE(BrotliEncoderCompress(5, 26, BROTLI_MODE_TEXT, src.size(), src.data(), &size, raw.data()));
  raw.resize(size);
  expect_error(error_of([&] { decompressed(raw); }), ErrorKind::kCorrupt, "brotli: corrupt data (");
}

TEST(Brotli, OutTooSmallToCompressInto) {
  const Bytes src = random_bytes(1000);
  for (const int level : {0, 5, 10, 11}) {
    const auto compressor = brotli_codec().stream.compressor(at_level(level));
    for (const std::size_t n : {0u, 1u, 500u}) {
      Bytes dst(n);
      expect_error(error_of([&] { compressor->compress(src, dst); }), ErrorKind::kInvalidArgument,
                   concat("out holds ", n, " bytes, compressing 1000 bytes with brotli may need up to ", compressor->bound(1000)));
    }
    EXPECT_EQ(compressor->bound(UINT64_MAX), UINT64_MAX);
    EXPECT_EQ(compressor->n_bytes_held(), 0u);
  }
}

}  // namespace
}  // namespace haagenti
