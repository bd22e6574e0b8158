#include "chat/search/fold.hpp"

#include <gmock/gmock.h>

namespace payam::chat::search {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::u32string> words(std::string_view text) {
  std::vector<std::u32string> list;
  for (const Piece& piece : fold(text)) list.push_back(piece.text);
  return list;
}
std::vector<Span> places(std::string_view text) {
  std::vector<Span> list;
  for (const Piece& piece : fold(text)) list.push_back(piece.origin());
  return list;
}

// Each line is one word in several spellings.
TEST(Fold, SpellingsOfOneWordAreOne) {
  const std::vector<std::vector<std::string>> lines = {
      {"Straße", "STRASSE", "strasse", "straẞe"},
      {"istanbul", "İstanbul", "ISTANBUL", "ıstanbul", "i\u0307stanbul"},
      {"café", "CAFE", "cafe\u0301", "ｃａｆé"},
      {"Łódź", "lodz"},
      {"Ωμέγα", "ωμεγα", "ΩΜΕΓΑ"},
      {"ёлка", "елка", "ЁЛКА"},
      {"ﬁle", "FILE"},
      {"کتابی", "كتابي", "کتابى", "ﮐﺘﺎﺑﯽ", "کـــتابی", "كِتابي"},
      {"مدرسه", "مدرسة", "مدرسۀ"},
      {"احمد", "أحمد", "آحمد", "إحمد", "ٱحمد", "أَحْمَدُ"},
      {"مسیول", "مسئول"},
      {"سوال", "سؤال"},
      {"1403", "۱۴۰۳", "١٤٠٣", "１４０３", "१४०३"},
      {"שלום", "שָׁלוֹם"},
      {"タワー", "ﾀﾜｰ"},
      {"が", "か\u3099"},
      {"👍", "👍🏽", "👍\ufe0f"},
      {"❤", "❤️"},
      {"soft", "so\u00adft", "so\u200bft", "so\u200cft"},
      {"각", "\u1100\u1161\u11a8"},
  };
  for (const auto& spellings : lines) {
    for (const std::string& spelling : spellings) {
      EXPECT_EQ(words(spelling), words(spellings[0])) << spelling;
      EXPECT_EQ(words(spelling).size(), 1u) << spelling;
    }
  }
}

TEST(Fold, WhatMeansSomethingElseStaysApart) {
  EXPECT_NE(words("か"), words("が"));
  EXPECT_NE(words("й"), words("и"));
  EXPECT_NE(words("कि"), words("की"));
  EXPECT_NE(words("ب"), words("پ"));
  EXPECT_NE(words("🇮🇷"), words("🇮🇶"));
}

TEST(Fold, SignsSeparateWords) {
  EXPECT_THAT(words("Hello, world! x_y a@b"), ElementsAre(U"hello", U"world", U"x", U"y", U"a", U"b"));
  EXPECT_THAT(words("سلام،دنیا؟"), ElementsAre(U"سلام", U"دنیا"));
  EXPECT_THAT(words(" ,.!\n\u064e"), IsEmpty());
  EXPECT_THAT(words(""), IsEmpty());
  EXPECT_THAT(words("a\xff"
                    "b"),
              ElementsAre(U"a", U"b"))
      << "a byte that is not UTF-8";
}

TEST(Fold, AnEmojiIsAWord) {
  EXPECT_THAT(words("hi👋there"), ElementsAre(U"hi", U"👋", U"there"));
  EXPECT_THAT(words("👍👍"), ElementsAre(U"👍", U"👍"));
  EXPECT_THAT(words("👨‍👩‍👧🇮🇷🇩🇪"), ElementsAre(U"👨👩👧", U"🇮🇷", U"🇩🇪"));
  EXPECT_THAT(words("1️⃣ ™"), ElementsAre(U"1", U"™"));
}

TEST(Fold, ScriptsWithoutSpacesComeInRuns) {
  const auto pieces = fold("東京タワーはTokyo Tower");
  ASSERT_EQ(pieces.size(), 3u);
  EXPECT_EQ(pieces[0].kind, Piece::Kind::run);
  EXPECT_EQ(pieces[0].text, U"東京タワーは");
  EXPECT_EQ(pieces[1].kind, Piece::Kind::word);
  EXPECT_EQ(pieces[1].gap, Piece::Gap::none);
}

TEST(Fold, SaysHowPersianWordsAreJoined) {
  const auto pieces = fold("می‌خواهم بروم، نه");
  ASSERT_EQ(pieces.size(), 4u);
  EXPECT_EQ(pieces[1].gap, Piece::Gap::zwnj);
  EXPECT_EQ(pieces[2].gap, Piece::Gap::space);
  EXPECT_EQ(pieces[3].gap, Piece::Gap::other);
  EXPECT_TRUE(pieces[1].arabic);
  EXPECT_FALSE(fold("abc")[0].arabic);
}

TEST(Fold, KnowsWhereEachWordStood) {
  EXPECT_THAT(places("Größe 👍🏽 x"), ElementsAre(Span{0, 5}, Span{6, 2}, Span{9, 1}));
  EXPECT_THAT(places("cafe\u0301 ﷺ"), ElementsAre(Span{0, 5}, Span{6, 1}, Span{6, 1}, Span{6, 1}, Span{6, 1}));
  EXPECT_THAT(places("می‌خواهم"), ElementsAre(Span{0, 2}, Span{3, 5}));
  EXPECT_EQ(fold("aßc")[0].origins, (std::vector<Span>{{0, 1}, {1, 1}, {1, 1}, {2, 1}}));
}

TEST(Fold, AThousandMarksOnALetterAreNoTrouble) {
  std::string text = "a";
  for (int i = 0; i < 20'000; ++i) text += "\u0301";
  EXPECT_THAT(words(text), ElementsAre(U"a"));
}

}  // namespace
}  // namespace payam::chat::search
