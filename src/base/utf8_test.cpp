#include "base/utf8.hpp"

#include <gtest/gtest.h>

namespace payam {
namespace {

TEST(Utf8, TakesEveryLengthOfSequence) {
  for (const char* text : {"", "plain", "سلام دنیا", "日本語", "🙂", "\xf4\x8f\xbf\xbf", "\xed\x9f\xbf", "\xee\x80\x80"}) {
    EXPECT_TRUE(is_valid_utf8(text)) << text;
  }
}

TEST(Utf8, RefusesWhatRfc3629Forbids) {
  for (const char* text : {"\x80", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
                           "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "ab\xe2\x82", "\xe2\x28\xa1"}) {
    EXPECT_FALSE(is_valid_utf8(text)) << text;
  }
}

TEST(Utf8, ChecksPiecesCutInsideASequence) {
  const std::string text = "aaaaaaaa سلام 🙂";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    Utf8Checker checker;
    EXPECT_TRUE(checker.feed(std::string_view(text).substr(0, cut)));
    EXPECT_TRUE(checker.feed(std::string_view(text).substr(cut)));
    EXPECT_TRUE(checker.complete());
  }
}

TEST(Utf8, CutsBetweenCodePoints) {
  for (const char* text : {"", "a", "سلام", "日本語", "🙂a"}) {
    EXPECT_EQ(utf8_prefix(text, 100), text);
    EXPECT_EQ(utf8_prefix(text, 0), "");
  }
  EXPECT_EQ(utf8_prefix("سلام", 2), "سل");
  EXPECT_EQ(utf8_prefix("a🙂b", 2), "a🙂");
}

TEST(Utf8, CountsCodePoints) {
  EXPECT_EQ(utf8_length(""), 0u);
  EXPECT_EQ(utf8_length("سلام"), 4u);
  EXPECT_EQ(utf8_length("a🙂b"), 3u);
}

}  // namespace
}  // namespace payam
