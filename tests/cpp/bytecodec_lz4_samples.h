// Data, frames of the C library and ways to decode, for the tests of the LZ4 family.
#pragma once

#include <gtest/gtest.h>

#define LZ4F_STATIC_LINKING_ONLY
#include <lz4.h>
#include <lz4frame.h>

#include <algorithm>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "haagenti/base/error.h"
#include "haagenti/bytecodec/byte_codec.h"

namespace haagenti {

ByteCodecFunctions lz4_codec();
ByteCodecFunctions lz4hc_codec();
ByteCodecFunctions lz4_block_codec();

namespace lz4_samples {

using Bytes = std::vector<std::uint8_t>;

inline Bytes random_bytes(std::size_t n) {
  std::mt19937 random(1);
  Bytes bytes(n);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
  return bytes;
}

inline Bytes text_bytes(std::size_t n) {
  static constexpr std::string_view kWords[] = {"weight ", "scale ", "layer.", "mlp ", "attention\n", "0.125 ", "bias "};
  std::mt19937 random(7);
  Bytes bytes;
  while (bytes.size() < n) {
    const std::string_view word = kWords[random() % std::size(kWords)];
    bytes.insert(bytes.end(), word.begin(), word.end());
    if (random() % 4 == 0) bytes.push_back(static_cast<std::uint8_t>(random()));
  }
  bytes.resize(n);
  return bytes;
}

// Low byte random, high byte one of few.
inline Bytes bf16_bytes(std::size_t n) {
  std::mt19937 random(3);
  Bytes bytes(n);
  for (std::size_t i = 0; i < n; ++i) bytes[i] = static_cast<std::uint8_t>(i % 2 == 0 ? random() : 0x3c + random() % 3);
  return bytes;
}

inline std::vector<Bytes> data_of_size(std::size_t n) { return {random_bytes(n), text_bytes(n), Bytes(n, 0), bf16_bytes(n)}; }

inline constexpr std::size_t kSizes[] = {0, 1, 2, 31, 32, 33, 65535, 65536, 65537, 1 << 20};

inline Bytes compress(const ByteCodecFunctions& codec, const Bytes& data, const CompressOptions& options) {
  const auto compressor = codec.stream.compressor(options);
  Bytes packed(compressor->bound(data.size()));
  packed.resize(compressor->compress(data, packed));
  return packed;
}

inline Bytes decompress(const ByteCodecFunctions& codec, const Bytes& packed, const DecompressOptions& options = {}) {
  HeapOutput out;
  EXPECT_EQ(codec.stream.decompressor(options)->decompress(packed, out), packed.size());
  return {out.data(), out.data() + out.size()};
}

// Through a Decoder, with at most so many bytes of input and output a step.
inline Bytes decode(const ByteCodecFunctions& codec, const Bytes& packed, std::size_t n_in, std::size_t n_out,
                    const DecompressOptions& options = {}) {
  const auto decoder = codec.stream.decoder(options);
  Bytes data;
  Bytes room(n_out);
  std::size_t at = 0;
  bool ended = true;
  while (at < packed.size() || !ended) {
    const std::size_t n = std::min(n_in, packed.size() - at);
    std::size_t skip = 0;
    if (ended && decoder->next_frame(ByteView(packed).subspan(at), skip) != NextFrame::kYes) break;
    const DecodeStep step = decoder->step(ByteView(packed).subspan(at, n), room);
    at += step.consumed;
    data.insert(data.end(), room.begin(), room.begin() + static_cast<std::ptrdiff_t>(step.produced));
    ended = step.frame_ended;
    if (step.consumed == 0 && step.produced == 0 && !ended) {
      EXPECT_EQ(n, 0U);
      break;
    }
  }
  EXPECT_TRUE(ended);
  EXPECT_EQ(at, packed.size());
  return data;
}

inline void drive(Encoder& encoder, ByteView src, std::size_t n_in, std::size_t n_out, Directive directive, Bytes& packed) {
  Bytes room(n_out);
  for (bool done = false; !done;) {
    const std::size_t n = std::min(n_in, src.size());
    const EncodeStep step = encoder.step(src.first(n), room, n == src.size() ? directive : Directive::kContinue);
    packed.insert(packed.end(), room.begin(), room.begin() + static_cast<std::ptrdiff_t>(step.produced));
    src = src.subspan(step.consumed);
    done = step.done && n == step.consumed && src.empty();
  }
}

inline Error error_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error";
  return Error(ErrorKind::kIo, "");
}

inline void expect_error(ErrorKind kind, const std::string& part, const std::function<void()>& call) {
  const Error error = error_of(call);
  EXPECT_EQ(error.kind(), kind) << error.what();
  EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
}

// A frame of the C library; every `chunk` bytes are handed over, and flushed where autoFlush is set.
inline Bytes foreign_frame(const Bytes& data, const LZ4F_preferences_t& preferences, std::size_t chunk, const Bytes& dictionary = {}) {
  LZ4F_cctx* context = nullptr;
  LZ4F_createCompressionContext(&context, LZ4F_VERSION);
  LZ4F_CDict* digested = dictionary.empty() ? nullptr : LZ4F_createCDict(dictionary.data(), dictionary.size());
  Bytes frame(LZ4F_HEADER_SIZE_MAX + LZ4F_compressBound(chunk, &preferences));
  frame.resize(LZ4F_compressBegin_usingCDict(context, frame.data(), frame.size(), digested, &preferences));
  Bytes part(LZ4F_compressBound(chunk, &preferences));
  for (std::size_t at = 0; at < data.size(); at += chunk) {
    const std::size_t n = LZ4F_compressUpdate(context, part.data(), part.size(), data.data() + at, std::min(chunk, data.size() - at),
                                              nullptr);
    EXPECT_FALSE(LZ4F_isError(n));
    frame.insert(frame.end(), part.begin(), part.begin() + static_cast<std::ptrdiff_t>(n));
  }
  const std::size_t n = LZ4F_compressEnd(context, part.data(), part.size(), nullptr);
  EXPECT_FALSE(LZ4F_isError(n)) << LZ4F_getErrorName(n);
  frame.insert(frame.end(), part.begin(), part.begin() + static_cast<std::ptrdiff_t>(n));
  LZ4F_freeCDict(digested);
  LZ4F_freeCompressionContext(context);
  return frame;
}

// What the C library decodes the frame to.
inline Bytes foreign_decode(const Bytes& frame, std::size_t n_data, const Bytes& dictionary = {}) {
  LZ4F_dctx* context = nullptr;
  LZ4F_createDecompressionContext(&context, LZ4F_VERSION);
  Bytes data(n_data + 1);
  std::size_t at = 0;
  std::size_t written = 0;
  std::size_t hint = 1;
  while (hint != 0 && at < frame.size()) {
    std::size_t n_src = frame.size() - at;
    std::size_t n_dst = data.size() - written;
    hint = LZ4F_decompress_usingDict(context, data.data() + written, &n_dst, frame.data() + at, &n_src, dictionary.data(),
                                     dictionary.size(), nullptr);
    EXPECT_FALSE(LZ4F_isError(hint)) << LZ4F_getErrorName(hint);
    if (LZ4F_isError(hint)) break;
    at += n_src;
    written += n_dst;
  }
  EXPECT_EQ(hint, 0U);
  EXPECT_EQ(at, frame.size());
  LZ4F_freeDecompressionContext(context);
  data.resize(written);
  return data;
}

inline Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

inline Bytes word_bytes(std::uint32_t word) {
  Bytes bytes(4);
  store_le(bytes.data(), word);
  return bytes;
}

inline Bytes skippable(std::uint32_t kind, std::size_t n) {
  return word_bytes(0x184d2a50 + kind) + word_bytes(static_cast<std::uint32_t>(n)) + Bytes(n, 0xee);
}

inline Bytes legacy_block(const Bytes& data) {
  Bytes packed(static_cast<std::size_t>(LZ4_compressBound(static_cast<int>(data.size()))));
  packed.resize(static_cast<std::size_t>(LZ4_compress_default(reinterpret_cast<const char*>(data.data()),
                                                              reinterpret_cast<char*>(packed.data()),
                                                              static_cast<int>(data.size()), static_cast<int>(packed.size()))));
  return word_bytes(static_cast<std::uint32_t>(packed.size())) + packed;
}

inline Bytes legacy_frame(const std::vector<Bytes>& blocks) {
  Bytes frame = word_bytes(0x184c2102);
  for (const Bytes& block : blocks) frame = frame + legacy_block(block);
  return frame;
}

}  // namespace lz4_samples
}  // namespace haagenti
