// zstd: frames of ours and of the raw library, errors and their words.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <random>
#include <string>

#include "bytecodec_samples.h"
#include "haagenti/base/error.h"
#include "haagenti/bytecodec/byte_codec.h"

namespace haagenti {

ByteCodecFunctions zstd_codec();

namespace {

using namespace samples;

const StreamFunctions& zstd() {
  static const ByteCodecFunctions functions = zstd_codec();
  return functions.stream;
}

CompressOptions at_level(int level, bool checksum = false, std::uint32_t threads = 1) { return {level, threads, checksum, nullptr}; }
DecompressOptions with_threads(std::uint32_t threads, bool allow_trailing = false) { return {threads, allow_trailing, nullptr}; }

Bytes compressed(const Bytes& src, const CompressOptions& options = at_level(3)) {
  const auto compressor = zstd().compressor(options);
  Bytes dst(compressor->bound(src.size()));
  dst.resize(compressor->compress(src, dst));
  return dst;
}

Bytes decompressed(const Bytes& src, const DecompressOptions& options = {}, std::size_t limit = SIZE_MAX) {
  HeapOutput out(limit);
  EXPECT_LE(zstd().decompressor(options)->decompress(src, out), src.size());
  return {out.view().begin(), out.view().end()};
}

// A frame of the raw library, by its streaming functions: no content size.
Bytes foreign(const Bytes& src, int window_log = 0, bool checksum = false, std::size_t flush_every = SIZE_MAX) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  if (window_log != 0) ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, checksum);
  Bytes dst(ZSTD_compressBound(src.size()) + src.size() / std::min(flush_every, src.size() + 1) * 8 + 64);
  ZSTD_outBuffer out{dst.data(), dst.size(), 0};
  for (std::size_t at = 0; at < src.size();) {
    ZSTD_inBuffer in{src.data() + at, std::min(flush_every, src.size() - at), 0};
    EXPECT_EQ(ZSTD_compressStream2(context, &out, &in, flush_every == SIZE_MAX ? ZSTD_e_continue : ZSTD_e_flush) > dst.size(), false);
    at += in.size;
  }
  ZSTD_inBuffer none{nullptr, 0, 0};
  EXPECT_EQ(ZSTD_compressStream2(context, &out, &none, ZSTD_e_end), 0u);
  ZSTD_freeCCtx(context);
  dst.resize(out.pos);
  return dst;
}

Bytes skippable(std::size_t n, std::uint8_t kind = 5) {
  Bytes frame(8 + n, 0xaa);
  store_le<std::uint32_t>(frame.data(), 0x184d2a50u + kind);
  store_le(frame.data() + 4, static_cast<std::uint32_t>(n));
  return frame;
}

Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

// All of src through a Decoder, so many bytes in and out a step.
Bytes stepped(const Bytes& src, std::size_t n_in, std::size_t n_out, const DecompressOptions& options = {}) {
  const auto decoder = zstd().decoder(options);
  Bytes got;
  Bytes room(n_out);
  std::size_t at = 0;
  for (;;) {
    const ByteView in = ByteView(src).subspan(at, std::min(n_in, src.size() - at));
    const DecodeStep step = decoder->step(in, room);
    at += step.consumed;
    got.insert(got.end(), room.begin(), room.begin() + static_cast<std::ptrdiff_t>(step.produced));
    if (step.frame_ended) {
      if (at == src.size()) return got;
      continue;
    }
    if (step.consumed + step.produced == 0) {
      if (at == src.size()) fail(ErrorKind::kTruncated, "ends early");
      ADD_FAILURE() << "a step with input and room did nothing at " << at;
      return got;
    }
  }
}

Bytes encoded(const Bytes& src, std::size_t n_in, std::size_t n_out, const CompressOptions& options, std::size_t flush_at = SIZE_MAX) {
  const auto encoder = zstd().encoder(options);
  Bytes got;
  Bytes room(n_out);
  const auto give = [&](ByteView in, Directive directive) {
    for (;;) {
      const EncodeStep step = encoder->step(in, room, directive);
      got.insert(got.end(), room.begin(), room.begin() + static_cast<std::ptrdiff_t>(step.produced));
      in = in.subspan(step.consumed);
      if (step.done) return;
    }
  };
  for (std::size_t at = 0; at < src.size(); at += n_in) {
    give(ByteView(src).subspan(at, std::min(n_in, src.size() - at)), Directive::kContinue);
    if (at <= flush_at && flush_at < at + n_in) give({}, Directive::kFlush);
  }
  give({}, Directive::kFinish);
  return got;
}

constexpr std::size_t kSizes[] = {0, 1, 2, 31, 32, 33, 65535, 65536, 65537, 1 << 20};

TEST(Zstd, RoundTripsAndTheRawLibraryAgrees) {
  for (const std::size_t n : kSizes) {
    for (const Bytes& src : {random_bytes(n), text_like(n), Bytes(n), bf16_like(n)}) {
      const Bytes frame = compressed(src);
      EXPECT_EQ(ZSTD_getFrameContentSize(frame.data(), frame.size()), n);
      EXPECT_EQ(decompressed(frame), src);
      Bytes raw(n + 1);
      ASSERT_EQ(ZSTD_decompress(raw.data(), raw.size(), frame.data(), frame.size()), n);
      EXPECT_EQ(decompressed(foreign(src)), src);
      EXPECT_EQ(stepped(frame, 4096, 4096), src);
    }
  }
}

TEST(Zstd, LevelsFromLowestToHighest) {
  const Bytes src = text_like(20000);
  const Levels levels = zstd().levels;
  EXPECT_LT(levels.lowest, -1000);
  for (const int level : {levels.lowest, -5, 0, 1, 19, levels.highest}) {
    for (const bool checksum : {false, true}) EXPECT_EQ(decompressed(compressed(src, at_level(level, checksum))), src);
  }
}

TEST(Zstd, OneContextTakesBuffersOfAllKindsInTurn) {
  const auto compressor = zstd().compressor(at_level(3, true));
  const auto decompressor = zstd().decompressor({});
  for (const std::size_t n : {100000u, 0u, 7u, 300000u, 64u}) {
    const Bytes src = text_like(n);
    Bytes dst(compressor->bound(n));
    dst.resize(compressor->compress(src, dst));
    HeapOutput out;
    EXPECT_THROW(decompressor->decompress(ByteView(dst).first(dst.size() - 1), out), Error);
    out.rewind(0);
    EXPECT_EQ(decompressor->decompress(dst, out), dst.size());
    EXPECT_TRUE(std::ranges::equal(out.view(), src));
  }
  EXPECT_GT(compressor->n_bytes_held(), 0u);
}

TEST(Zstd, OutputOfExactSizeAndOneLess) {
  const Bytes src = text_like(70000);
  for (const Bytes& frame : {compressed(src), foreign(src), foreign(src, 0, true, 1000), foreign(src, 17) + skippable(3)}) {
    Bytes room(src.size());
    FixedOutput exact(room);
    zstd().decompressor({})->decompress(frame, exact);
    EXPECT_EQ(room, src);
    room.pop_back();
    FixedOutput less(room);
    expect_error(error_of([&] { zstd().decompressor({})->decompress(frame, less); }), ErrorKind::kInvalidArgument, "out holds 69999 bytes");
    expect_error(error_of([&] { decompressed(frame, {}, 69999); }), ErrorKind::kDecompression, "max_size");
  }
}

TEST(Zstd, SeveralFramesAndSkippableOnes) {
  const Bytes a = text_like(5000);
  const Bytes b = random_bytes(300);
  const Bytes all = skippable(0, 0) + compressed(a) + skippable(100, 15) + foreign(b) + compressed(Bytes()) + compressed(b) + skippable(1);
  for (const std::uint32_t threads : {1u, 3u}) EXPECT_EQ(decompressed(all, with_threads(threads)), a + b + b);
  for (const std::size_t n : {1u, 3u, 1000u}) EXPECT_EQ(stepped(all, n, n), a + b + b);
  EXPECT_TRUE(decompressed(skippable(9)).empty());
  EXPECT_TRUE(decompressed(skippable(0) + skippable(2)).empty());
  EXPECT_TRUE(stepped(skippable(0) + skippable(2), 1, 1).empty());
}

TEST(Zstd, FramesSideBySide) {
  Bytes all;
  Bytes src;
  std::vector<std::size_t> offsets;
  for (std::size_t i = 0; i < 9; ++i) {
    const Bytes part = text_like(100000 + i * 1000);
    offsets.push_back(all.size());
    all = all + compressed(part, at_level(1, true)) + (i == 4 ? skippable(10) : Bytes());
    src = src + part;
  }
  const auto decompressor = zstd().decompressor(with_threads(4));
  for (int again = 0; again < 2; ++again) {
    HeapOutput out;
    EXPECT_EQ(decompressor->decompress(all, out), all.size());
    EXPECT_TRUE(std::ranges::equal(out.view(), src));
  }
  Bytes bad = all;
  bad[offsets[7] - 1] ^= 1;  // checksum of frame 7, the skippable one counted
  expect_error(error_of([&] { decompressed(bad, with_threads(4)); }), ErrorKind::kCorrupt,
               concat("checksum mismatch, in frame 7, which begins at input offset ", offsets[6]));
  EXPECT_EQ(error_of([&] { decompressed(bad, with_threads(4)); }), error_of([&] { decompressed(bad); }));
  EXPECT_EQ(decompressed(all + Bytes{1, 2}, with_threads(4, true)), src);
  expect_error(error_of([&] { decompressed(all + Bytes{1, 2}, with_threads(4)); }), ErrorKind::kCorrupt, concat("2 bytes after the end"));
  expect_error(error_of([&] { decompressed(all, with_threads(4), src.size() - 1); }), ErrorKind::kDecompression, "max_size");
}

TEST(Zstd, TrailingBytes) {
  const Bytes src = text_like(1000);
  for (const Bytes& frame : {compressed(src), foreign(src), compressed(src) + skippable(4)}) {
    for (const Bytes& tail : {Bytes{0}, Bytes{0x28, 0xb5}, Bytes(40), Bytes{0x27, 0xb5, 0x2f, 0xfd, 0, 0, 0}}) {
      expect_error(error_of([&] { decompressed(frame + tail); }), ErrorKind::kCorrupt,
                   concat(tail.size(), " bytes after the end of the compressed data, at input offset ", frame.size()));
      HeapOutput out;
      EXPECT_EQ(zstd().decompressor(with_threads(1, true))->decompress(frame + tail, out), frame.size());
      EXPECT_TRUE(std::ranges::equal(out.view(), src));
    }
  }
}

// Whether the library knows them or not. The empty frame of format 0.7 would decode to nothing.
TEST(Zstd, FramesOfDraftsAreRefused) {
  const Bytes draft{0x27, 0xb5, 0x2f, 0xfd, 0x00, 0x48, 0xc0, 0x00, 0x00};
  expect_error(error_of([&] { decompressed(draft); }), ErrorKind::kCorrupt, "zstd: no magic number of a frame, at input offset 0");
  expect_error(error_of([&] { stepped(draft, 1, 1); }), ErrorKind::kCorrupt, "no magic number");
  expect_error(error_of([&] { stepped(compressed(Bytes()) + draft, 100, 100); }), ErrorKind::kCorrupt, "no magic number");
}

TEST(Zstd, TruncatedAtEveryByte) {
  const Bytes src = text_like(700);
  for (const Bytes& frame : {compressed(src, at_level(3, true)), foreign(src, 0, false, 100), skippable(20)}) {
    for (std::size_t n = 0; n < frame.size(); ++n) {
      const Bytes cut(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(n));
      const auto error = error_of([&] { decompressed(cut); });
      const std::string late = concat("zstd: the input ends too early, in frame 0, which begins at input offset 0, at input offset ", n);
      expect_error(error, ErrorKind::kTruncated, n == 0 ? "zstd: the input is empty" : late);
      EXPECT_EQ(error_of([&] { stepped(cut, 7, 50); }).first, ErrorKind::kTruncated);
    }
  }
}

TEST(Zstd, EveryFlippedBit) {
  const Bytes src = text_like(400);
  for (const bool checksum : {false, true}) {
    for (const Bytes& frame : {compressed(src, at_level(3, checksum)), foreign(src, 0, checksum, 90)}) {
      for (std::size_t bit = 0; bit < frame.size() * 8; ++bit) {
        Bytes bad = frame;
        bad[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
        for (const bool whole : {true, false}) {
          try {
            const Bytes got = whole ? decompressed(bad) : stepped(bad, 11, 64);
            if (checksum) {
              EXPECT_EQ(got, src) << bit;
            }
          } catch (const Error& error) {
            EXPECT_NE(error.kind(), ErrorKind::kInvalidArgument) << error.what();
          }
        }
      }
    }
  }
}

TEST(Zstd, ErrorsNameTheBlock) {
  const Bytes src = bf16_like(400000);
  Bytes frame = compressed(src, at_level(3, true));
  Bytes bad = frame;
  bad.back() ^= 1;
  expect_error(error_of([&] { decompressed(bad); }), ErrorKind::kCorrupt,
               concat("zstd: checksum mismatch, in frame 0, which begins at input offset 0, at input offset ", frame.size() - 4));
  const std::size_t second = 12 + (load_le<std::uint32_t>(frame.data() + 9) >> 3 & 0x1fffff);
  bad = frame;
  bad[second] |= 6;  // a reserved block type: RFC 8878, 3.1.1.2.2
  const auto error = error_of([&] { decompressed(Bytes(skippable(6)) + bad); });
  expect_error(error, ErrorKind::kCorrupt, "in frame 1, which begins at input offset 14");
}

TEST(Zstd, HostileClaims) {
  // Magic, descriptor with an 8-byte content size, single segment; then an RLE block of 1 byte.
  Bytes frame{0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 0, 0, 0, 0, 0x0b, 0, 0, 'x'};
  for (const std::uint64_t claim : {std::uint64_t{1} << 26, std::uint64_t{1} << 40, std::uint64_t{1} << 63, UINT64_MAX - 2, UINT64_MAX}) {
    store_le(frame.data() + 5, claim);
    EXPECT_THROW(decompressed(frame), Error);
    EXPECT_THROW(decompressed(frame, with_threads(2)), Error);
    EXPECT_THROW(stepped(frame, 1, 1), Error);
    Bytes two(10);
    FixedOutput fixed(two);
    EXPECT_THROW(zstd().decompressor({})->decompress(frame, fixed), Error);
  }
  store_le<std::uint64_t>(frame.data() + 5, 1);
  EXPECT_EQ(decompressed(frame), Bytes{'x'});
  // An RLE block may hold 128 KiB in four bytes: believed as far as it is decoded.
  EXPECT_EQ(decompressed(compressed(Bytes(100 << 20))), Bytes(100 << 20));
}

TEST(Zstd, LargeWindows) {
  const Bytes src = text_like(300000);
  const Bytes allowed = foreign(src, 27);
  EXPECT_EQ(stepped(allowed, 10000, 10000), src);
  const Bytes large = foreign(src, 28);
  expect_error(error_of([&] { stepped(large, 1, 100); }), ErrorKind::kDecompression, "needs a window log of 28, 27 is allowed");
  EXPECT_EQ(decompressed(large), src);  // no window is needed where all is decoded in one place
  Bytes zeros = foreign(Bytes(30 << 20), 28);
  expect_error(error_of([&] { decompressed(zeros); }), ErrorKind::kDecompression, "needs a window log of 28");
}

TEST(Zstd, StreamsByteByByte) {
  const Bytes src = text_like(3000);
  for (const bool checksum : {false, true}) {
    const CompressOptions options = at_level(3, checksum);
    for (const std::size_t n : {1u, 10u, 5000u}) {
      const Bytes frame = encoded(src, n, n, options, 1500);
      EXPECT_EQ(stepped(frame, 1, 1), src);
      EXPECT_EQ(decompressed(frame), src);
    }
    EXPECT_TRUE(stepped(encoded({}, 1, 1, options), 1, 1).empty());
  }
}

TEST(Zstd, AFlushLetsAllInputBeRead) {
  const auto encoder = zstd().encoder(at_level(3));
  const auto decoder = zstd().decoder({});
  for (int stream = 0; stream < 2; ++stream) {
    for (int part = 0; part < 5; ++part) {
      const Bytes src = text_like(100 + static_cast<std::size_t>(part));
      Bytes packed(1000);
      const EncodeStep step = encoder->step(src, packed, Directive::kFlush);
      ASSERT_TRUE(step.done);
      Bytes got(1000);
      const DecodeStep read = decoder->step(ByteView(packed).first(step.produced), got);
      EXPECT_EQ(read.consumed, step.produced);
      got.resize(read.produced);
      EXPECT_EQ(got, src);
      EXPECT_FALSE(read.frame_ended);
    }
    Bytes packed(1000);
    const EncodeStep step = encoder->step({}, packed, Directive::kFinish);
    ASSERT_TRUE(step.done);
    Bytes none(1);
    EXPECT_TRUE(decoder->step(ByteView(packed).first(step.produced), none).frame_ended);
  }
}

TEST(Zstd, ADecoderWaitsAsLongAsItMust) {
  const Bytes src = text_like(3000);
  const Bytes frame = compressed(src);
  const auto decoder = zstd().decoder({});
  Bytes room(src.size() + 1);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(decoder->step({}, room).produced, 0u);
  const DecodeStep half = decoder->step(ByteView(frame).first(frame.size() / 2), room);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(decoder->step({}, MutableByteView(room).subspan(half.produced)).consumed, 0u);
  std::size_t at = frame.size() / 2;
  for (int i = 0; i < 50; ++i) at += decoder->step(ByteView(frame).subspan(at), {}).consumed;
  const DecodeStep rest = decoder->step(ByteView(frame).subspan(at), MutableByteView(room).subspan(half.produced));
  EXPECT_TRUE(rest.frame_ended);
  EXPECT_EQ(half.produced + rest.produced, src.size());
  decoder->step(ByteView(frame).first(20), room);
  decoder->reset();
  EXPECT_TRUE(decoder->step(frame, room).frame_ended);
}

TEST(Zstd, NextFrame) {
  const auto decoder = zstd().decoder({});
  std::size_t skip = 0;
  const auto ask = [&](const Bytes& rest) { return decoder->next_frame(rest, skip); };
  EXPECT_EQ(ask({0x28, 0xb5}), NextFrame::kNeedMore);
  EXPECT_EQ(ask({0x5f, 0x2a, 0x4d}), NextFrame::kNeedMore);
  EXPECT_EQ(ask({0x28, 0xb5, 0x2f, 0xfd}), NextFrame::kYes);
  EXPECT_EQ(ask(skippable(1)), NextFrame::kYes);
  EXPECT_EQ(ask({0x28, 0xb4}), NextFrame::kNo);
  EXPECT_EQ(ask({0}), NextFrame::kNo);
  EXPECT_EQ(skip, 0u);
}

TEST(Zstd, TheNumberOfThreadsDoesNotShow) {
  if (!zstd().threads) GTEST_SKIP() << "the library has no threads";
  for (const std::size_t n : {0u, 100u, 600000u, 9u << 20}) {
    const Bytes src = text_like(n);
    for (const bool checksum : {false, true}) {
      const Bytes two = compressed(src, at_level(1, checksum, 2));
      EXPECT_EQ(ZSTD_getFrameContentSize(two.data(), two.size()), n);
      for (const std::uint32_t threads : {3u, 5u}) EXPECT_EQ(compressed(src, at_level(1, checksum, threads)), two);
      EXPECT_EQ(decompressed(two), src);
    }
    const Bytes stream = encoded(src, 70000, 1 << 17, at_level(1, false, 2), n / 2);
    EXPECT_EQ(encoded(src, 70000, 1 << 17, at_level(1, false, 4), n / 2), stream);
    EXPECT_EQ(decompressed(stream), src);
  }
}

TEST(Zstd, AContextWithThreadsSurvivesAFork) {
  if (!zstd().threads) GTEST_SKIP() << "the library has no threads";
  const Bytes src = text_like(5 << 20);
  const auto compressor = zstd().compressor(at_level(1, false, 2));
  const auto encoder = zstd().encoder(at_level(1, false, 2));
  Bytes dst(compressor->bound(src.size()));
  const std::uint64_t size = compressor->compress(src, dst);
  Bytes part(1 << 20);
  encoder->step(src, part, Directive::kContinue);
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);
    bool right = compressor->compress(src, dst) == size;
    try {
      encoder->step(src, part, Directive::kContinue);
      right = false;
    } catch (const Error&) {
    }
    _exit(right ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(compressor->compress(src, dst), size);
}

TEST(Zstd, OutTooSmallToCompressInto) {
  const Bytes src = random_bytes(1000);
  for (const CompressOptions& options : {at_level(3), at_level(3, true)}) {
    const auto compressor = zstd().compressor(options);
    Bytes dst(500);
    expect_error(error_of([&] { compressor->compress(src, dst); }), ErrorKind::kInvalidArgument,
                 concat("out holds 500 bytes, compressing 1000 bytes with zstd may need up to ", compressor->bound(1000)));
    Bytes enough(compressor->bound(src.size()));
    enough.resize(compressor->compress(src, enough));
    EXPECT_EQ(decompressed(enough), src);
  }
  EXPECT_EQ(zstd().compressor(at_level(3))->bound(UINT64_MAX), UINT64_MAX);
}

}  // namespace
}  // namespace haagenti
