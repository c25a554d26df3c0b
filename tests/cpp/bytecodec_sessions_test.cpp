// Streams in small steps, pieces, growing outputs and the table of byte codecs: what all codecs share.
// Not responsible for what a codec does by itself: bytecodec_<family>_test.cpp.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <random>
#include <string>

#include "bytecodec_samples.h"
#include "haagenti/base/error.h"
#include "haagenti/base/executor.h"
#include "haagenti/bytecodec/options.h"
#include "haagenti/bytecodec/pieces.h"
#include "haagenti/bytecodec/sessions.h"

namespace haagenti {
namespace {

using namespace samples;

Bytes copy_of(const HeapOutput& out) { return {out.data(), out.data() + out.size()}; }

ErrorKind kind_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.kind();
  }
  ADD_FAILURE() << "no error";
  return ErrorKind::kIo;
}

std::vector<const ByteCodec*> algorithms() {
  std::vector<const ByteCodec*> rows;
  for (const ByteCodec& codec : byte_codec_table()) {
    if (codec.functions.stream.compressor != nullptr) rows.push_back(&codec);
  }
  return rows;
}

std::vector<const ByteCodec*> streaming_algorithms() {
  std::vector<const ByteCodec*> rows;
  for (const ByteCodec* codec : algorithms()) {
    if (codec->functions.stream.encoder != nullptr) rows.push_back(codec);
  }
  return rows;
}

CompressOptions fast_options(const ByteCodec& codec, long long threads = 1) {
  return compress_options(codec, codec.functions.stream.levels.fast, std::nullopt, threads, nullptr);
}

Bytes compress(const ByteCodec& codec, ByteView src, const CompressOptions& options) {
  const auto compressor = codec.functions.stream.compressor(options);
  Bytes packed(compressor->bound(src.size()));
  packed.resize(compressor->compress(src, packed));
  return packed;
}

Bytes decompress(const ByteCodec& codec, ByteView packed, std::size_t size, std::uint32_t threads = 1) {
  DecompressOptions options;
  options.threads = threads;
  HeapOutput out;
  if (codec.functions.stream.needs_size) out.reserve(size);
  codec.functions.stream.decompressor(options)->decompress(packed, out);
  return copy_of(out);
}

TEST(Output, GrowsFromSixtyFourKibToItsLimitAndNoFurther) {
  HeapOutput out(100'000);
  out.grow();
  EXPECT_EQ(out.capacity(), 65536u);
  out.grow();
  EXPECT_EQ(out.capacity(), 100'000u);
  EXPECT_EQ(kind_of([&] { out.grow(); }), ErrorKind::kDecompression);
}

TEST(Output, ClaimsBeyondWhatIsEarnedReserveNothing) {
  HeapOutput out;
  EXPECT_FALSE(out.reserve_claimed(std::uint64_t{1} << 40, 1 << 20));
  EXPECT_EQ(out.capacity(), 0u);
  EXPECT_TRUE(out.reserve_claimed(1000, 1 << 20));
  EXPECT_EQ(out.capacity(), 1000u);
}

TEST(Output, ACallersBufferThatIsTooSmallIsTheCallersMistake) {
  Bytes buffer(10);
  FixedOutput out(buffer);
  EXPECT_EQ(kind_of([&] { out.reserve(11); }), ErrorKind::kInvalidArgument);
}

TEST(Pieces, OrderAndErrorsSurviveAnyNumberOfThreads) {
  for (const std::size_t threads : {1u, 2u, 7u}) {
    std::vector<std::atomic<int>> seen(100);
    parallel_for_on(threads, seen.size(), [&](std::size_t i, std::size_t thread) {
      EXPECT_LT(thread, threads);
      ++seen[i];
    });
    for (const auto& count : seen) EXPECT_EQ(count.load(), 1);
    EXPECT_THROW(parallel_for_on(threads, 10, [](std::size_t i, std::size_t) {
                   if (i == 3) throw std::runtime_error("three");
                 }),
                 std::runtime_error);
  }
}

// A format of pieces that are stored as they are, behind one byte of length, with a sum of the input at the end.
class StoredPieces final : public PieceFormat {
 public:
  class Copy final : public PieceCompressor {
   public:
    Piece compress(ByteView src, std::uint8_t* dst) override {
      if (src[0] == 255) fail(ErrorKind::kCorrupt, "the piece to fail at");
      dst[0] = static_cast<std::uint8_t>(src.size());
      std::copy(src.begin(), src.end(), dst + 1);
      return {src.size() + 1, src[0]};
    }
  };
  std::uint64_t piece_size() const override { return 10; }
  std::uint64_t piece_bound(std::uint64_t n_bytes) const override { return n_bytes + 1; }
  std::uint64_t frame_bound() const override { return 2; }
  std::unique_ptr<PieceCompressor> make_compressor() const override { return std::make_unique<Copy>(); }
  void begin(Bytes& dst, std::optional<std::uint64_t>) override {
    sum_ = 0;
    dst.push_back('(');
  }
  void absorb(ByteView, const Piece& piece) override { sum_ += piece.checksum; }
  void end(Bytes& dst) override { dst.push_back(static_cast<std::uint8_t>(sum_)); }

 private:
  std::uint32_t sum_ = 0;
};

Bytes in_pieces(std::uint32_t threads, ByteView src) {
  const auto compressor = piece_compressor(std::make_unique<StoredPieces>(), threads);
  Bytes packed(compressor->bound(src.size()));
  packed.resize(compressor->compress(src, packed));
  return packed;
}

TEST(Pieces, TheSameBytesFromEveryNumberOfThreads) {
  for (const std::size_t n : {0u, 1u, 9u, 10u, 11u, 1000u}) {
    const Bytes src = text_like(n);
    const Bytes packed = in_pieces(1, src);
    EXPECT_EQ(packed.size(), n + (n + 9) / 10 + 2);
    for (const std::uint32_t threads : {2u, 3u, 8u}) EXPECT_EQ(in_pieces(threads, src), packed) << n << " bytes, " << threads << " threads";
  }
}

TEST(Pieces, AFailingPieceEndsTheCallAndTheCompressorGoesOn) {
  Bytes src = text_like(500);
  const auto compressor = piece_compressor(std::make_unique<StoredPieces>(), 3);
  Bytes packed(compressor->bound(src.size()));
  src[200] = 255;
  EXPECT_EQ(kind_of([&] { compressor->compress(src, packed); }), ErrorKind::kCorrupt);
  src[200] = 0;
  EXPECT_EQ(compressor->compress(src, packed), 500u + 50 + 2);
  EXPECT_EQ(kind_of([&] { compressor->compress(src, {packed.data(), 300}); }), ErrorKind::kInvalidArgument);
}

// Runs a stream through an encoder in pieces of the input, then through a decoder in pieces of the packed bytes and of the output.
Bytes through_sessions(const ByteCodec& codec, ByteView src, std::size_t chunk, std::uint32_t threads, std::uint64_t max_length) {
  EncodeSession encoder(codec.functions.stream.encoder(fast_options(codec, threads)));
  HeapOutput packed;
  for (std::size_t at = 0; at < src.size(); at += chunk) {
    encoder.write(src.subspan(at, std::min(chunk, src.size() - at)), packed);
    if (at / chunk == 3) encoder.flush(packed);
  }
  encoder.finish(packed);
  EXPECT_EQ(kind_of([&] { encoder.write({}, packed); }), ErrorKind::kInvalidArgument);

  DecodeSession decoder(codec.functions.stream.decoder({}), {.max_size = src.size()});
  HeapOutput out;
  const auto drain = [&](ByteView bytes) {
    decoder.write(bytes, max_length, out);
    while (!decoder.needs_input() && !(decoder.eof() && !decoder.unused_data().empty())) {
      const std::size_t before = out.size();
      decoder.write({}, max_length, out);
      EXPECT_LE(out.size() - before, max_length);
    }
  };
  for (std::size_t at = 0; at < packed.size(); at += chunk) drain(packed.view().subspan(at, std::min(chunk, packed.size() - at)));
  EXPECT_TRUE(decoder.eof());
  decoder.finish(out);
  return copy_of(out);
}

TEST(Sessions, EveryAlgorithmInStepsOfEverySize) {
  for (const ByteCodec* codec : streaming_algorithms()) {
    for (const std::size_t n : {0u, 1u, 3000u, 70'000u}) {
      const Bytes src = text_like(n);
      for (const std::size_t chunk : {1u, 100u, 65'537u}) {
        if (n > 10'000 && chunk == 1) continue;
        EXPECT_EQ(through_sessions(*codec, src, chunk, 1, UINT64_MAX), src) << codec->name << " " << n << " bytes by " << chunk;
        EXPECT_EQ(through_sessions(*codec, src, chunk, 1, 7), src) << codec->name << " " << n << " bytes by " << chunk << ", 7 out";
        if (codec->functions.stream.threads) {
          EXPECT_EQ(through_sessions(*codec, src, chunk, 2, 1000), src) << codec->name << " " << n << " bytes by " << chunk << ", threads";
        }
      }
    }
  }
}

TEST(Sessions, SmallChunksCostNoCompression) {
  const Bytes src = text_like(300'000);
  for (const ByteCodec* codec : streaming_algorithms()) {
    std::size_t sizes[2];
    for (const std::size_t chunk : {std::size_t{100}, src.size()}) {
      EncodeSession encoder(codec->functions.stream.encoder(fast_options(*codec)));
      HeapOutput packed;
      for (std::size_t at = 0; at < src.size(); at += chunk) encoder.write(ByteView(src).subspan(at, std::min(chunk, src.size() - at)), packed);
      encoder.finish(packed);
      sizes[chunk == src.size()] = packed.size();
    }
    EXPECT_LE(sizes[0], sizes[1] * 11 / 10) << codec->name;
  }
}

TEST(Sessions, MoreThanMaxSizeIsAnErrorAndExactlyMaxSizeIsNot) {
  const Bytes src = text_like(5000);
  for (const ByteCodec* codec : streaming_algorithms()) {
    const Bytes packed = compress(*codec, src, fast_options(*codec));
    for (const std::uint64_t limit : {0u, 1u, 4999u}) {
      DecodeSession decoder(codec->functions.stream.decoder({}), {.max_size = limit});
      HeapOutput out;
      EXPECT_EQ(kind_of([&] { decoder.write(packed, UINT64_MAX, out); }), ErrorKind::kDecompression) << codec->name << " " << limit;
      EXPECT_LE(out.size(), limit);
      EXPECT_EQ(kind_of([&] { decoder.write(packed, UINT64_MAX, out); }), ErrorKind::kInvalidArgument) << "an error ends the stream";
    }
    DecodeSession decoder(codec->functions.stream.decoder({}), {.max_size = 5000});
    HeapOutput out;
    decoder.write(packed, UINT64_MAX, out);
    decoder.finish(out);
    EXPECT_EQ(copy_of(out), src) << codec->name;
  }
}

TEST(Sessions, WhatFollowsTheLastFrameIsUnusedData) {
  const Bytes src = text_like(100);
  for (const ByteCodec* codec : streaming_algorithms()) {
    Bytes packed = compress(*codec, src, fast_options(*codec));
    const std::size_t size = packed.size();
    for (const std::uint8_t byte : {1, 2, 3, 4, 5, 6, 7}) packed.push_back(byte);
    for (const std::size_t chunk : {std::size_t{1}, packed.size()}) {
      DecodeSession lenient(codec->functions.stream.decoder({}), {.allow_trailing = true});
      DecodeSession strict(codec->functions.stream.decoder({}), {});
      HeapOutput out, other;
      for (std::size_t at = 0; at < packed.size(); at += chunk) {
        lenient.write(ByteView(packed).subspan(at, chunk), UINT64_MAX, out);
        strict.write(ByteView(packed).subspan(at, chunk), UINT64_MAX, other);
      }
      EXPECT_TRUE(lenient.eof());
      EXPECT_EQ(Bytes(lenient.unused_data().begin(), lenient.unused_data().end()), Bytes(packed.begin() + static_cast<long>(size), packed.end())) << codec->name;
      lenient.finish(out);
      EXPECT_EQ(copy_of(out), src) << codec->name;
      EXPECT_EQ(kind_of([&] { strict.finish(other); }), ErrorKind::kCorrupt) << codec->name;
    }
  }
}

TEST(Sessions, AStreamThatEndsEarlyIsTruncatedWhereverItEnds) {
  const Bytes src = text_like(200);
  for (const ByteCodec* codec : streaming_algorithms()) {
    const Bytes packed = compress(*codec, src, fast_options(*codec));
    for (std::size_t n = 0; n < packed.size(); ++n) {
      DecodeSession decoder(codec->functions.stream.decoder({}), {});
      HeapOutput out;
      decoder.write(ByteView(packed).first(n), UINT64_MAX, out);
      EXPECT_FALSE(decoder.eof()) << codec->name << " " << n;
      EXPECT_EQ(kind_of([&] { decoder.finish(out); }), ErrorKind::kTruncated) << codec->name << " " << n << " of " << packed.size();
    }
  }
}

TEST(Sessions, ASingleFrameLeavesTheNextOneAlone) {
  const Bytes src = text_like(100);
  for (const ByteCodec* codec : streaming_algorithms()) {
    Bytes packed = compress(*codec, src, fast_options(*codec));
    const std::size_t size = packed.size();
    packed.insert(packed.end(), packed.begin(), packed.begin() + static_cast<long>(size));
    DecodeSession decoder(codec->functions.stream.decoder({}), {.single_frame = true});
    HeapOutput out;
    decoder.write(packed, UINT64_MAX, out);
    EXPECT_TRUE(decoder.eof());
    EXPECT_EQ(decoder.unused_data().size(), size) << codec->name;
    decoder.finish(out);
    EXPECT_EQ(copy_of(out), src);
  }
}

TEST(Table, EveryAlgorithmRoundTripsWithOneThreadAndTwo) {
  for (const ByteCodec* codec : algorithms()) {
    for (const std::size_t n : {0u, 1u, 31u, 65'535u, 65'536u, 65'537u, 3'000'000u}) {
      const Bytes src = text_like(n);
      for (const long long threads : {1, 2}) {
        if (threads > 1 && !codec->functions.stream.threads) continue;
        const Bytes packed = compress(*codec, src, fast_options(*codec, threads));
        EXPECT_EQ(decompress(*codec, packed, n), src) << codec->name << " " << n << " bytes, " << threads << " threads";
        EXPECT_EQ(decompress(*codec, packed, n, 2), src) << codec->name << " " << n << " bytes, " << threads << " threads, decoded by 2";
        if (threads == 1) continue;
        EXPECT_EQ(compress(*codec, src, fast_options(*codec, 5)), packed) << codec->name << ": the bytes depend on the threads";
      }
    }
  }
}

TEST(Table, TheEndsOfEveryRangeOfLevelsWork) {
  const Bytes src = text_like(2000);
  for (const ByteCodec* codec : algorithms()) {
    const Levels& levels = codec->functions.stream.levels;
    for (const int level : {levels.lowest, levels.fast, levels.standard, levels.best, levels.highest}) {
      EXPECT_EQ(checked_level(*codec, level, false), level) << codec->name;
      EXPECT_EQ(decompress(*codec, compress(*codec, src, compress_options(*codec, level, std::nullopt, 1, nullptr)), src.size()), src) << codec->name << " " << level;
    }
    EXPECT_EQ(kind_of([&] { checked_level(*codec, levels.highest + 1, false); }), ErrorKind::kInvalidArgument);
    EXPECT_EQ(kind_of([&] { checked_level(*codec, levels.lowest - 1, false); }), ErrorKind::kInvalidArgument);
  }
}

TEST(Table, FormatsAreRecognisedByTheirFirstBytes) {
  const Bytes src = text_like(300);
  for (const char* name : {"zstd", "lz4", "gzip", "zlib"}) {
    const ByteCodec& codec = algorithm_named(name);
    Bytes packed = compress(codec, src, fast_options(codec));
    EXPECT_EQ(detect_byte_codec(packed), &codec) << name;
    if (codec.id == CodecId::kGzip || codec.id == CodecId::kZlib) continue;
    const Bytes skippable = {0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 'a', 'b', 'c'};
    packed.insert(packed.begin(), skippable.begin(), skippable.end());
    EXPECT_EQ(detect_byte_codec(packed), &codec) << name;
    EXPECT_EQ(decompress(codec, packed, src.size()), src) << name;
  }
  EXPECT_EQ(detect_byte_codec({}), nullptr);
  EXPECT_EQ(detect_byte_codec(src), nullptr);
}

TEST(Table, RecordsKnowOnlyTheirOwnCodecs) {
  EXPECT_EQ(byte_codec_from_wire(2, 1).name, "lz4");
  for (const std::uint16_t id : {3, 4, 5, 6, 7, 8, 99}) EXPECT_EQ(kind_of([&] { byte_codec_from_wire(id, 1); }), ErrorKind::kUnsupported) << id;
}

TEST(Options, WhatACodecCannotDoIsRefusedByName) {
  const ByteCodec& brotli = algorithm_named("brotli");
  EXPECT_EQ(kind_of([&] { compress_options(brotli, 5, std::nullopt, 2, nullptr); }), ErrorKind::kUnsupported);
  EXPECT_EQ(kind_of([&] { compress_options(brotli, 5, true, 1, nullptr); }), ErrorKind::kInvalidArgument);
  EXPECT_EQ(kind_of([&] { compress_options(algorithm_named("gzip"), 5, false, 1, nullptr); }), ErrorKind::kInvalidArgument);
  EXPECT_EQ(kind_of([&] { algorithm_named("none"); }), ErrorKind::kInvalidArgument);
  EXPECT_EQ(level_of_word(algorithm_named("gzip"), "best", true), 9);
  EXPECT_EQ(level_of_word(algorithm_named("gzip"), "best", false), 12);
  try {
    level_of_word(algorithm_named("zlib"), "hard", false);
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "zlib: level 'hard', expected 0 to 12, or 'fast', 'default', 'best'");
  }
}

}  // namespace
}  // namespace haagenti
