#include "chat/search/query.hpp"

#include <gmock/gmock.h>

namespace payam::chat::search {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Not;

using Marks = std::vector<Highlight>;

std::optional<Marks> match(std::string_view query, std::string_view content) { return Query(query).match(content); }

// Whether an index of whole terms would offer the message.
bool index_finds(std::string_view query, std::string_view content) {
  const auto terms = index_terms(content);
  const auto has = [&](const Term& term) {
    return std::ranges::any_of(
        terms, [&](const std::string& one) { return term.prefix ? one.starts_with(term.text) : one == term.text; });
  };
  return std::ranges::all_of(Query(query).clauses(), [&](const Query::Clause& clause) {
    return std::ranges::any_of(clause, [&](const auto& terms) { return std::ranges::all_of(terms, has); });
  });
}

TEST(Query, AllWordsInAnyOrderTheLastAsABeginning) {
  const char* content = "The quick brown fox";
  EXPECT_EQ(match("fox quick", content), (Marks{{4, 5}, {16, 3}}));
  EXPECT_EQ(match("QUICK bro", content), (Marks{{4, 5}, {10, 5}}));
  EXPECT_FALSE(match("qui brown", content)) << "only the last may be cut";
  EXPECT_FALSE(match("fox cat", content));
  EXPECT_FALSE(match("rown", content));
  EXPECT_FALSE(match("?!", content));
  EXPECT_FALSE(match("", content));
}

TEST(Query, EveryPlaceIsShownOnce) {
  EXPECT_EQ(match("na", "na na batman"), (Marks{{0, 2}, {3, 2}}));
  EXPECT_EQ(match("foo foo f", "foo fo"), (Marks{{0, 3}, {4, 2}}));
}

TEST(Query, PersianWordsTogetherApartAndHalfApartAreTheSame) {
  const std::vector<std::string> spellings = {"می‌خواهم", "می خواهم", "میخواهم", "مي‌خواهم"};
  for (const auto& query : spellings) {
    for (const auto& content : spellings) {
      EXPECT_TRUE(match(query, "من " + content + " بروم")) << query << " in " << content;
      EXPECT_TRUE(index_finds(query, "من " + content + " بروم")) << query << " in " << content;
      EXPECT_TRUE(match("بروم " + query, content + "، بروم"));
    }
  }
  EXPECT_EQ(match("میخواهم", "من می‌خواهم"), (Marks{{3, 8}}));
  EXPECT_EQ(match("میخوا", "من می خواهم"), (Marks{{3, 8}})) << "while it is being typed";
  EXPECT_FALSE(match("میخواهم", "می، خواهم"));
}

TEST(Query, ACompoundOfManyPartsIsFoundWhole) {
  for (const char* query :
       {"کتاب‌خانه‌ها", "کتابخانه‌ها", "کتابخانهها", "کتاب خانه ها", "خانه", "کتاب"}) {
    EXPECT_TRUE(match(query, "در کتاب‌خانه‌ها بود")) << query;
    EXPECT_TRUE(index_finds(query, "در کتاب‌خانه‌ها بود")) << query;
  }
  EXPECT_TRUE(match("کتاب خانه ها", "کتابخانهها"));
}

TEST(Query, ABeginningWithinTheFirstWordMarksThatAlone) { EXPECT_EQ(match("سل", "سلام دنیا"), (Marks{{0, 4}})); }

TEST(Query, OtherScriptsKeepTheirSpaces) {
  EXPECT_FALSE(match("icecream", "ice cream"));
  EXPECT_FALSE(match("ice cream", "icecream"));
}

TEST(Query, ScriptsWithoutSpacesMatchByParts) {
  const char* content = "昨日東京タワーに登った";
  for (const char* query : {"東京", "京タ", "東京タワー", "ﾀﾜｰ", "東", "た", "登った 昨日"}) {
    EXPECT_TRUE(match(query, content)) << query;
    EXPECT_TRUE(index_finds(query, content)) << query;
  }
  EXPECT_EQ(match("ﾀﾜｰ", content), (Marks{{4, 3}}));
  EXPECT_EQ(match("あ", "ああ"), (Marks{{0, 1}, {1, 1}}));
  EXPECT_FALSE(match("京都", content));
  EXPECT_FALSE(match("東京都", "東京 京都")) << "its parts are there, but not side by side";
  EXPECT_TRUE(index_finds("東京都", "東京 京都"));
  EXPECT_TRUE(match("ภาษา", "ฉันพูดภาษาไทย"));
}

TEST(Query, AnEmojiIsFound) {
  EXPECT_EQ(match("👍", "ok 👍🏽!"), (Marks{{3, 2}}));
  EXPECT_EQ(match("party 🎉", "🎉🎉 party"), (Marks{{0, 1}, {1, 1}, {3, 5}}));
  EXPECT_FALSE(match("👎", "👍"));
}

TEST(Query, MarksPointIntoTheTextAsItWasWritten) {
  EXPECT_EQ(match("cafe", "un cafe\u0301 noir"), (Marks{{3, 5}}));
  EXPECT_EQ(match("strasse", "Die Straße"), (Marks{{4, 6}}));
  EXPECT_EQ(match("istanbul", "😀 İSTANBUL'da"), (Marks{{2, 8}}));
  EXPECT_EQ(match("1403", "سال ۱۴۰۳"), (Marks{{4, 4}}));
}

TEST(Query, ALongWordIsFoundByItsWholeAndByItsBeginning) {
  const std::string word(500, 'x');
  EXPECT_TRUE(index_finds(word, word));
  EXPECT_TRUE(match(word, word));
  EXPECT_TRUE(index_finds(std::string(450, 'x'), word));
  EXPECT_TRUE(index_finds(word + "y", word)) << "the index holds its beginning alone";
  EXPECT_FALSE(match(word + "y", word));
  for (const auto& one : index_terms(word)) EXPECT_LE(one.size(), kMaxTerm);
}

TEST(Query, TermsHoldNothingAnIndexWouldCut) {
  const auto terms = index_terms("a_b#1️⃣ \"c\" d'e 東京。 می‌خواهم 👍🏽 x*y ::");
  for (const auto& one : terms) {
    for (const char c : one) {
      EXPECT_TRUE((c & 0x80) != 0 || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) << one;
    }
  }
  EXPECT_THAT(terms, Contains("میخواهم"));
  EXPECT_THAT(terms, Not(Contains("")));
  EXPECT_THAT(index_terms("b a b"), ElementsAre("a", "b"));
}

}  // namespace
}  // namespace payam::chat::search
