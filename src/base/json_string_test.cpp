#include "base/json_string.hpp"

#include <gtest/gtest.h>

namespace payam {
namespace {

std::string json_of(std::string_view text) {
  std::string out = "before ";
  append_json_string(out, text);
  EXPECT_TRUE(out.starts_with("before "));
  EXPECT_EQ(json_string_size(text), out.size() - 7);
  return out.substr(7);
}

TEST(JsonString, EscapesWhatJsonMustEscapeAndNothingElse) {
  EXPECT_EQ(json_of("a\"b\\c\b\f\n\r\t\x01\x1f/\x7f سلام 👋"), "\"a\\\"b\\\\c\\b\\f\\n\\r\\t\\u0001\\u001f/\x7f سلام 👋\"");
  EXPECT_EQ(json_of(""), "\"\"");
  EXPECT_EQ(json_of(std::string_view("\0", 1)), "\"\\u0000\"");
}

// Whatever byte it is, wherever it stands among those that are looked at together.
TEST(JsonString, FindsEachByteInEachPlace) {
  for (int byte = 0; byte < 256; ++byte) {
    std::string alone = json_of(std::string(1, static_cast<char>(byte)));
    alone = alone.substr(1, alone.size() - 2);
    EXPECT_EQ(alone.size() > 1, byte < 0x20 || byte == '"' || byte == '\\') << byte;
    for (std::size_t before = 0; before < 17; ++before) {
      for (const char around : {'x', ' ', '!', '#', '[', ']', '\xff'}) {
        const std::string text = std::string(before, around) + static_cast<char>(byte) + std::string(9, around);
        EXPECT_EQ(json_of(text), '"' + std::string(before, around) + alone + std::string(9, around) + '"')
            << byte << ' ' << before;
      }
    }
  }
}

}  // namespace
}  // namespace payam
