#include "chat/emoji.hpp"

#include <gtest/gtest.h>

namespace payam::chat {
namespace {

struct OneEmoji {
  const char* what;
  const char* text;
};

// From emoji-test.txt of Unicode 15.
constexpr OneEmoji kEmojis[] = {
    {"a face", "\U0001F600"},
    {"a skin tone", "\U0001F44D\U0001F3FD"},
    {"a flag", "\U0001F1EE\U0001F1F7"},
    {"a flag made of tags", "\U0001F3F4\U000E0067\U000E0062\U000E0065\U000E006E\U000E0067\U000E007F"},
    {"a keycap", "1\uFE0F\u20E3"},
    {"a heart, with its selector", "\u2764\uFE0F"},
    {"a family", "\U0001F468\u200D\U0001F469\u200D\U0001F467\u200D\U0001F466"},
    {"a joined one with skin tones", "\U0001F469\U0001F3FB\u200D\u2764\uFE0F\u200D\U0001F48B\u200D\U0001F468\U0001F3FF"},
    {"a rainbow flag", "\U0001F3F3\uFE0F\u200D\U0001F308"},
    {"copyright", "\u00A9\uFE0F"},
};

TEST(Emoji, IsKeptAsRecommended) {
  for (const auto& [what, text] : kEmojis) EXPECT_EQ(parse_emoji(text), text) << what;
}

TEST(Emoji, IsTheSameWithAndWithoutSelectors) {
  EXPECT_EQ(parse_emoji("\u2764"), "\u2764\uFE0F");
  EXPECT_EQ(parse_emoji("\U0001F44D\uFE0F"), "\U0001F44D");
  EXPECT_EQ(parse_emoji("\U0001F3F3\u200D\U0001F308"), "\U0001F3F3\uFE0F\u200D\U0001F308");
}

TEST(Emoji, NothingElseIsOne) {
  const std::string_view others[] = {
      "",
      " ",
      "a",
      "1",
      "#",
      "ok",
      ":)",
      "\uFE0F",
      "\u200D",
      "\U0001F3FD"
      "a",
      " \U0001F600",
      "\U0001F600\n",
      "\U0001F600\U0001F600",        // two
      "\U0001F1EE",                  // half a flag
      "\U0001F1FD\U0001F1FD",        // the flag of nowhere
      "\U0001F600\u200D\U0001F600",  // joined by nobody's recommendation
      "\u2764\uFE0F\U0001F3FD",      // a tone for what has none
      "\xF0\x9F\x98",
      "\xED\xA0\xBD",  // not UTF-8
      "\u0633\u0644\u0627\u0645",
      "<script>",
  };
  for (const std::string_view text : others) EXPECT_EQ(parse_emoji(text), std::nullopt) << text;
  EXPECT_EQ(parse_emoji(std::string(100'000, 'x')), std::nullopt);
  std::string long_one = "\u2764";
  for (int i = 0; i < 100; ++i) long_one += "\uFE0F";
  EXPECT_EQ(parse_emoji(long_one), std::nullopt);
}

}  // namespace
}  // namespace payam::chat
