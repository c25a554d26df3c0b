// Frames that others write: every option of LZ4F, skippable and legacy frames, frames behind each other.
#include "bytecodec_lz4_samples.h"

namespace haagenti {
namespace {

using namespace lz4_samples;

// Decodes in every way there is.
void expect_decodes(const Bytes& frames, const Bytes& data, const Bytes& dictionary = {}, const std::string& what = "") {
  DecompressOptions options;
  if (!dictionary.empty()) options.dictionary = std::make_shared<const Dictionary>(dictionary);
  for (const std::uint32_t threads : {1U, 3U}) {
    options.threads = threads;
    ASSERT_EQ(decompress(lz4_codec(), frames, options), data) << what;
    Bytes exact(data.size());
    FixedOutput out(exact);
    lz4_codec().stream.decompressor(options)->decompress(frames, out);
    ASSERT_EQ(exact, data) << what;
  }
  for (const std::size_t n : {std::size_t{1}, std::size_t{997}, std::size_t{5} << 20}) {
    if (n == 1 && data.size() > 300000) continue;
    ASSERT_EQ(decode(lz4_codec(), frames, n, n, options), data) << what;
  }
  ASSERT_EQ(decode(lz4_codec(), frames, std::size_t{5} << 20, 1000, options), data) << what;
}

void try_options(const Bytes& data, const Bytes& dictionary) {
  for (unsigned bits = 0; bits < 4 * 32; ++bits) {
    LZ4F_preferences_t preferences = LZ4F_INIT_PREFERENCES;
    preferences.frameInfo.blockSizeID = static_cast<LZ4F_blockSizeID_t>(4 + bits % 4);
    preferences.frameInfo.blockMode = (bits & 4) != 0 ? LZ4F_blockIndependent : LZ4F_blockLinked;
    preferences.frameInfo.blockChecksumFlag = (bits & 8) != 0 ? LZ4F_blockChecksumEnabled : LZ4F_noBlockChecksum;
    preferences.frameInfo.contentChecksumFlag = (bits & 16) != 0 ? LZ4F_contentChecksumEnabled : LZ4F_noContentChecksum;
    preferences.frameInfo.contentSize = (bits & 32) != 0 ? data.size() : 0;
    preferences.frameInfo.dictID = !dictionary.empty() && (bits & 16) != 0 ? 77 : 0;
    preferences.autoFlush = (bits & 64) != 0;
    const std::size_t chunk = preferences.autoFlush ? 50001 : data.size();
    expect_decodes(foreign_frame(data, preferences, chunk, dictionary), data, dictionary, "options " + std::to_string(bits));
    if (::testing::Test::HasFatalFailure()) return;
  }
}

TEST(Lz4ForeignTest, EveryOption) {
  try_options(text_bytes(600000), {});
  try_options(bf16_bytes(70000), {});
}

TEST(Lz4ForeignTest, EveryOptionWithADictionary) { try_options(text_bytes(300000), text_bytes(80000)); }

TEST(Lz4ForeignTest, ManySmallLinkedBlocksReachIntoTheDictionary) {
  const Bytes dictionary = random_bytes(70000);
  Bytes data;
  for (int i = 0; i < 400; ++i) data = data + Bytes(dictionary.end() - 60000 + i * 30, dictionary.end() - 60000 + i * 30 + 400);
  for (const LZ4F_blockMode_t mode : {LZ4F_blockLinked, LZ4F_blockIndependent}) {
    LZ4F_preferences_t preferences = LZ4F_INIT_PREFERENCES;
    preferences.frameInfo.blockMode = mode;
    preferences.autoFlush = 1;
    expect_decodes(foreign_frame(data, preferences, 333, dictionary), data, dictionary);
  }
}

TEST(Lz4ForeignTest, FramesBehindEachOtherWithSkippableOnes) {
  const Bytes data = text_bytes(200000);
  const Bytes frame = foreign_frame(data, LZ4F_INIT_PREFERENCES, 70000);
  expect_decodes(skippable(0, 0) + frame + skippable(7, 300) + frame + frame + skippable(15, 1), data + data + data);
  expect_decodes(skippable(3, 5) + skippable(4, 0), {});
  const Bytes empty = foreign_frame({}, LZ4F_INIT_PREFERENCES, 1);
  expect_decodes(empty + frame + empty, data);
}

TEST(Lz4ForeignTest, LegacyFrames) {
  const Bytes full = text_bytes(std::size_t{8} << 20);
  const Bytes rest = bf16_bytes(100000);
  const Bytes frame = foreign_frame(rest, LZ4F_INIT_PREFERENCES, rest.size());
  expect_decodes(legacy_frame({}), {});
  expect_decodes(legacy_frame({rest}), rest);
  expect_decodes(legacy_frame({full, full, rest}), full + full + rest);
  expect_decodes(legacy_frame({rest, rest}), rest + rest);
  expect_decodes(frame + legacy_frame({rest}) + legacy_frame({rest}) + skippable(1, 9) + frame, rest + rest + rest + rest);
}

TEST(Lz4ForeignTest, TrailingBytes) {
  const Bytes data = text_bytes(1000);
  const Bytes frame = foreign_frame(data, LZ4F_INIT_PREFERENCES, data.size());
  for (const Bytes& tail : {Bytes{1}, Bytes{0, 0, 0, 0}, Bytes(100, 'x')}) {
    expect_error(ErrorKind::kCorrupt, std::to_string(frame.size()), [&] { decompress(lz4_codec(), frame + tail); });
    HeapOutput out;
    const DecompressOptions options{.threads = 1, .allow_trailing = true, .dictionary = nullptr};
    EXPECT_EQ(lz4_codec().stream.decompressor(options)->decompress(frame + tail, out), frame.size());
    EXPECT_EQ(Bytes(out.data(), out.data() + out.size()), data);
  }
}

TEST(Lz4ForeignTest, AFrameThatNamesADictionaryNeedsOne) {
  LZ4F_preferences_t preferences = LZ4F_INIT_PREFERENCES;
  preferences.frameInfo.dictID = 12345;
  const Bytes frame = foreign_frame(text_bytes(1000), preferences, 1000);
  expect_error(ErrorKind::kDecompression, "12345", [&] { decompress(lz4_codec(), frame); });
  expect_error(ErrorKind::kDecompression, "12345", [&] { decode(lz4_codec(), frame, 5, 5); });
}

}  // namespace
}  // namespace haagenti
