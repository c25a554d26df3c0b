// The grammar of encodings: what it takes, what it prints, what it refuses.
#include "haagenti/encoding/encoding_spec.h"

#include <gtest/gtest.h>

#include "haagenti/base/error.h"

namespace haagenti {
namespace {

TEST(EncodingSpec, CanonicalTexts) {
  const std::pair<const char*, const char*> cases[] = {
      {"int4", "int4(group_size=32)"},
      {" int4 ( group_size = 64 , scale = \"max\" ) ", "int4(group_size=64, scale=\"max\")"},
      {"int4()", "int4(group_size=32)"},
      {"int4(scale='search')", "int4(group_size=32)"},
      {"int8", "int8(group_size=\"row\")"},
      {"int8(group_size=128, group_axis=flat)", "int8(group_size=128, group_axis=\"flat\")"},
      {"raw", "raw(codec=\"zstd\")"},
      {"raw(codec=none)", "raw(codec=\"none\")"},
  };
  for (const auto& [text, canonical] : cases) {
    EXPECT_EQ(parse_encoding(text).text(), canonical);
    EXPECT_EQ(parse_encoding(canonical).text(), canonical);
  }
}

TEST(EncodingSpec, RefusesAndSaysWhatItExpected) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "a name"},
      {"int5", "unknown encoding 'int5'"},
      {"int4(", "a parameter's name"},
      {"int4(group_size)", "'='"},
      {"int4(group_size=33)", "expected one of 32, 64, 128"},
      {"int4(group_size=32", "')'"},
      {"int4(group_size=32)x", "the end"},
      {"int4(group=32)", "no parameter 'group'"},
      {"int4(scale='max)", "a closing quote"},
      {"int4(scale=max, scale=max)", "given twice"},
      {"raw(codec=brotli)", "zstd, lz4, none"},
  };
  for (const auto& [text, expected] : cases) {
    try {
      parse_encoding(text);
      ADD_FAILURE() << "accepted " << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInvalidArgument);
      EXPECT_NE(std::string(error.what()).find(expected), std::string::npos) << text << ": " << error.what();
    }
  }
}

TEST(EncodingSpec, StagesAndBack) {
  for (const Preset& preset : preset_table()) {
    // What the encoder measures, a caller may name as well; a record says what it became.
    const bool measures = parse_encoding(preset.name).hints().transform.automatic;
    const EncodingSpec spec = parse_encoding(measures ? concat(preset.name, "(transform=identity)") : std::string(preset.name));
    EXPECT_EQ(describe_stages(spec.stages()), spec.text());
  }
}

}  // namespace
}  // namespace haagenti
