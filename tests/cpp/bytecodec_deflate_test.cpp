// deflate, zlib and gzip as users meet them: round trips, streams in small steps, threads, limits, messages.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

#include "haagenti/base/error.h"
#include "haagenti/bytecodec/byte_codec.h"

namespace haagenti {

ByteCodecFunctions deflate_codec();
ByteCodecFunctions zlib_codec();
ByteCodecFunctions gzip_codec();

namespace {

using Bytes = std::vector<std::uint8_t>;

struct Format {
  const char* name;
  StreamFunctions stream;
};

std::vector<Format> formats() { return {{"deflate", deflate_codec().stream}, {"zlib", zlib_codec().stream}, {"gzip", gzip_codec().stream}}; }

CompressOptions pack(int level, std::uint32_t threads = 1, std::shared_ptr<const Dictionary> dictionary = nullptr) {
  return {.level = level, .threads = threads, .checksum = false, .dictionary = std::move(dictionary)};
}

DecompressOptions unpack(std::uint32_t threads, bool allow_trailing = false, std::shared_ptr<const Dictionary> dictionary = nullptr) {
  return {.threads = threads, .allow_trailing = allow_trailing, .dictionary = std::move(dictionary)};
}

constexpr const char* kWords[] = {"weight ", "bias ", "layer.", "norm ", "0.125 ", "attention ", "the ", "\n"};

Bytes make_data(int kind, std::size_t n) {
  std::mt19937 random(static_cast<unsigned>(n + static_cast<std::size_t>(kind)));
  std::normal_distribution<float> normal(0, 0.02f);
  Bytes data;
  data.reserve(n + 16);
  while (data.size() < n) {
    if (kind == 0) data.push_back(static_cast<std::uint8_t>(random()));
    if (kind == 1) {
      for (const char* c = kWords[random() % 8]; *c != 0; ++c) data.push_back(static_cast<std::uint8_t>(*c));
    }
    if (kind == 2) data.push_back(0);
    if (kind == 3) {
      const auto bits = std::bit_cast<std::uint32_t>(normal(random)) >> 16;
      data.push_back(static_cast<std::uint8_t>(bits & 0xff));
      data.push_back(static_cast<std::uint8_t>(bits >> 8));
    }
  }
  data.resize(n);
  return data;
}

Bytes compress(const StreamFunctions& stream, const CompressOptions& options, ByteView src) {
  const auto compressor = stream.compressor(options);
  Bytes packed(compressor->bound(src.size()));
  packed.resize(compressor->compress(src, packed));
  return packed;
}

Bytes decompress(const StreamFunctions& stream, ByteView src, const DecompressOptions& options = {}, std::size_t limit = SIZE_MAX) {
  HeapOutput out(limit);
  EXPECT_LE(stream.decompressor(options)->decompress(src, out), src.size());
  return {out.view().begin(), out.view().end()};
}

Bytes encode(Encoder& encoder, ByteView src, std::size_t n_in, std::size_t n_out, bool flush = false) {
  Bytes packed;
  Bytes room(n_out);
  for (std::size_t at = 0;;) {
    const std::size_t n = std::min(n_in, src.size() - at);
    const bool last = at + n == src.size();
    const Directive directive = last ? Directive::kFinish : flush ? Directive::kFlush : Directive::kContinue;
    std::size_t taken = 0;
    for (int calls = 0;; ++calls) {
      const EncodeStep step = encoder.step(src.subspan(at + taken, n - taken), room, directive);
      taken += step.consumed;
      packed.insert(packed.end(), room.begin(), room.begin() + static_cast<std::ptrdiff_t>(step.produced));
      if (step.done) break;
      EXPECT_LT(calls, 1 << 22);
    }
    EXPECT_EQ(taken, n);
    at += n;
    if (last) return packed;
  }
}

Bytes decode(Decoder& decoder, ByteView src, std::size_t n_in, std::size_t n_out) {
  Bytes data;
  Bytes room(n_out);
  std::size_t at = 0;
  decoder.reset();
  for (;;) {
    const DecodeStep step = decoder.step(src.subspan(at, std::min(n_in, src.size() - at)), room);
    at += step.consumed;
    data.insert(data.end(), room.begin(), room.begin() + static_cast<std::ptrdiff_t>(step.produced));
    if (step.frame_ended) {
      if (at == src.size()) return data;
      std::size_t skip = 0;
      if (decoder.next_frame(src.subspan(at), skip) != NextFrame::kYes) fail(ErrorKind::kCorrupt, "not another frame at ", at);
      at += skip;
    } else if (step.consumed == 0 && step.produced == 0) {
      fail(ErrorKind::kTruncated, "no progress at ", at);
    }
  }
}

template <class Function>
std::string error_of(ErrorKind kind, Function&& function) {
  try {
    function();
  } catch (const Error& error) {
    EXPECT_EQ(static_cast<int>(error.kind()), static_cast<int>(kind)) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return "";
}

#define EXPECT_HAS(text, part) EXPECT_NE(std::string(text).find(part), std::string::npos) << (text)

TEST(Deflate, RoundTrips) {
  for (const Format& format : formats()) {
    for (const std::size_t n : {0, 1, 2, 31, 32, 33, 65535, 65536, 65537, 1 << 20}) {
      for (int kind = 0; kind < 4; ++kind) {
        const Bytes data = make_data(kind, n);
        for (const int level : {0, 6}) {
          const Bytes packed = compress(format.stream, pack(level), data);
          ASSERT_EQ(decompress(format.stream, packed), data) << format.name << n << kind;
          Bytes exact(n);
          FixedOutput out(exact);
          ASSERT_EQ(format.stream.decompressor({})->decompress(packed, out), packed.size());
          ASSERT_EQ(exact, data);
        }
      }
    }
  }
}

TEST(Deflate, EveryLevelAndThreadsGiveTheSameBytes) {
  const Bytes data = make_data(1, 60000);
  for (const Format& format : formats()) {
    for (int level = 0; level <= 12; ++level) {
      ASSERT_EQ(decompress(format.stream, compress(format.stream, pack(level), data)), data);
      const Bytes packed = compress(format.stream, pack(level, 2), data);
      ASSERT_EQ(packed, compress(format.stream, pack(level, 5), data));
      ASSERT_EQ(decompress(format.stream, packed), data);
    }
  }
}

TEST(Deflate, PiecesRoundTrip) {
  for (const Format& format : formats()) {
    for (const std::size_t n : {0u, 1u, (512u << 10) + 1, (2u << 20) + 77}) {
      for (const int kind : {0, 1, 3}) {
        const Bytes data = make_data(kind, n);
        const Bytes packed = compress(format.stream, pack(1, 2), data);
        ASSERT_EQ(decompress(format.stream, packed), data) << format.name << n << kind;
        ASSERT_EQ(decompress(format.stream, packed, unpack(3)), data);
        ASSERT_EQ(decode(*format.stream.decoder({}), packed, 70000, 50000), data);
        ASSERT_EQ(encode(*format.stream.encoder(pack(1, 2)), data, 300000, 100000), packed);
      }
    }
  }
}

TEST(Deflate, StreamsInStepsOfAnySize) {
  for (const Format& format : formats()) {
    const auto encoder = format.stream.encoder(pack(6));
    const auto decoder = format.stream.decoder({});
    for (const std::size_t n : {0u, 1u, 33u, 5000u, 140000u}) {
      for (int kind = 0; kind < 4; ++kind) {
        const Bytes data = make_data(kind, n);
        const Bytes packed = encode(*encoder, data, 10000, 3000);
        ASSERT_EQ(decompress(format.stream, packed), data);
        ASSERT_EQ(decode(*decoder, packed, 1000, 333), data);
        ASSERT_EQ(encode(*encoder, data, 70000, 1000), encode(*encoder, data, 200000, 200000));
        if (n > 5000) continue;
        ASSERT_EQ(decode(*decoder, packed, 1, 1), data) << format.name << n << kind;
        ASSERT_EQ(decode(*decoder, packed, 1, 100000), data);
        ASSERT_EQ(decode(*decoder, packed, 100000, 1), data);
        ASSERT_EQ(encode(*encoder, data, 1, 1), encode(*encoder, data, 100000, 100000));
        ASSERT_EQ(decompress(format.stream, encode(*encoder, data, 1, 1, true)), data);
      }
    }
  }
}

TEST(Deflate, AFlushGivesAllThatWasPutIn) {
  for (const Format& format : formats()) {
    for (const std::uint32_t threads : {1u, 2u}) {
      const auto encoder = format.stream.encoder(pack(6, threads));
      const auto decoder = format.stream.decoder({});
      for (int round = 0; round < 5; ++round) {
        const Bytes data = make_data(1, 3000);
        Bytes packed(10000);
        const EncodeStep step = encoder->step(data, packed, Directive::kFlush);
        ASSERT_TRUE(step.done);
        Bytes out(10000);
        const DecodeStep decoded = decoder->step(ByteView(packed).first(step.produced), out);
        ASSERT_EQ(decoded.produced, data.size());
        const EncodeStep again = encoder->step({}, packed, Directive::kFlush);
        ASSERT_TRUE(again.done);
        decoder->step(ByteView(packed).first(again.produced), out);
      }
    }
  }
}

TEST(Deflate, EveryTruncationIsSaid) {
  const Bytes data = make_data(1, 400);
  for (const Format& format : formats()) {
    for (const std::uint32_t threads : {1u, 2u}) {
      const Bytes packed = compress(format.stream, pack(6, threads), data);
      for (std::size_t n = 0; n < packed.size(); ++n) {
        const ByteView cut = ByteView(packed).first(n);
        EXPECT_HAS(error_of(ErrorKind::kTruncated, [&] { decompress(format.stream, cut); }), n == 0 ? "input is empty" : "truncated");
        Bytes exact(data.size());
        FixedOutput out(exact);
        error_of(ErrorKind::kTruncated, [&] { format.stream.decompressor({})->decompress(cut, out); });
        error_of(ErrorKind::kTruncated, [&] { decode(*format.stream.decoder({}), cut, 7, 50); });
      }
    }
  }
}

TEST(Deflate, FlippedBitsNeverPassAChecksum) {
  const Bytes data = make_data(1, 300);
  for (const Format& format : formats()) {
    for (const std::uint32_t threads : {1u, 2u}) {
      const Bytes packed = compress(format.stream, pack(6, threads), data);
      const auto decoder = format.stream.decoder({});
      for (std::size_t bit = 0; bit < packed.size() * 8; ++bit) {
        Bytes bad = packed;
        bad[bit / 8] = static_cast<std::uint8_t>(bad[bit / 8] ^ (1u << (bit % 8)));
        for (int way = 0; way < 3; ++way) {
          try {
            const Bytes got = way == 2 ? decode(*decoder, bad, 5, 64) : decompress(format.stream, bad, unpack(way == 1 ? 2 : 1), 100000);
            EXPECT_TRUE(got == data || format.stream.checksum == ChecksumChoice::kNever) << format.name << bit;
          } catch (const Error&) {
          }
        }
      }
    }
  }
}

TEST(Deflate, LimitsAreKept) {
  const Bytes zeros(3 << 20);
  for (const Format& format : formats()) {
    const Bytes packed = compress(format.stream, pack(6), zeros);
    EXPECT_EQ(decompress(format.stream, packed, {}, zeros.size()), zeros);
    EXPECT_HAS(error_of(ErrorKind::kDecompression, [&] { decompress(format.stream, packed, {}, zeros.size() - 1); }), "max_size");
    Bytes small(zeros.size() - 1);
    FixedOutput out(small);
    error_of(ErrorKind::kInvalidArgument, [&] { format.stream.decompressor({})->decompress(packed, out); });
    Bytes none;
    FixedOutput nowhere(none);
    const Bytes empty = compress(format.stream, pack(6), {});
    EXPECT_EQ(format.stream.decompressor({})->decompress(empty, nowhere), empty.size());
    const auto compressor = format.stream.compressor(pack(6));
    Bytes tiny(10);
    EXPECT_HAS(error_of(ErrorKind::kInvalidArgument, [&] { compressor->compress(make_data(0, 100), tiny); }), "compressing 100 bytes");
  }
}

TEST(Deflate, DictionariesShortenAndAreChecked) {
  const Bytes words = make_data(1, 2000);
  const auto dictionary = std::make_shared<Dictionary>(words);
  const auto other = std::make_shared<Dictionary>(make_data(1, 50));
  const Bytes data(words.begin() + 100, words.begin() + 900);
  for (const Format& format : formats()) {
    EXPECT_EQ(format.stream.dictionary, std::string_view(format.name) != "gzip");
    if (!format.stream.dictionary) continue;
    const auto compressor = format.stream.compressor(pack(6, 1, dictionary));
    Bytes packed(compressor->bound(data.size()));
    ASSERT_EQ(compressor->compress(data, packed), compressor->compress(data, packed));
    packed.resize(compressor->compress(data, packed));
    EXPECT_LT(packed.size(), 60u);
    EXPECT_EQ(encode(*format.stream.encoder(pack(6, 1, dictionary)), data, 1, 1), packed);
    EXPECT_EQ(decompress(format.stream, packed, unpack(1, false, dictionary)), data);
    EXPECT_EQ(decode(*format.stream.decoder(unpack(1, false, dictionary)), packed, 1, 1), data);
    error_of(ErrorKind::kInvalidArgument, [&] { format.stream.compressor(pack(10, 1, dictionary)); });
    if (format.stream.checksum == ChecksumChoice::kNever) continue;
    EXPECT_HAS(error_of(ErrorKind::kDecompression, [&] { decompress(format.stream, packed); }), "none is given");
    EXPECT_HAS(error_of(ErrorKind::kDecompression, [&] { decompress(format.stream, packed, unpack(1, false, other)); }), "the one given has 0x");
  }
}

TEST(Deflate, WhatFollowsTheEnd) {
  const Bytes data = make_data(1, 500);
  for (const Format& format : formats()) {
    const bool is_gzip = std::string_view(format.name) == "gzip";
    Bytes packed = compress(format.stream, pack(6), data);
    const std::size_t end = packed.size();
    packed.insert(packed.end(), 3, 0xaa);
    EXPECT_HAS(error_of(ErrorKind::kCorrupt, [&] { decompress(format.stream, packed); }), "3 bytes after the end");
    HeapOutput out;
    EXPECT_EQ(format.stream.decompressor(unpack(1, true))->decompress(packed, out), end);
    if (!is_gzip) continue;
    packed.resize(end);
    packed.insert(packed.end(), 5, 0);
    EXPECT_EQ(decompress(format.stream, packed), data);
    packed.insert(packed.end(), packed.begin(), packed.begin() + static_cast<std::ptrdiff_t>(end));
    EXPECT_EQ(decompress(format.stream, packed).size(), 2 * data.size());
    EXPECT_EQ(decode(*format.stream.decoder({}), packed, packed.size(), 77).size(), 2 * data.size());
  }
}

}  // namespace
}  // namespace haagenti
