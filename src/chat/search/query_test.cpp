#include "chat/search/query.hpp"

#include <gmock/gmock.h>

#include <ctime>
#include <functional>

#include "base/utf8.hpp"

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

TEST(Query, AWordAskedTwiceIsOne) {
  EXPECT_EQ(Query("foo foo bar foo").words(), 3u) << "the last may be a beginning";
  EXPECT_EQ(Query("東京 京都 東京").words(), 2u);
  EXPECT_EQ(match("foo foo", "foo food"), (Marks{{0, 3}, {4, 4}}));
}

TEST(Query, ARunIsFoundWhereverItBegins) {
  struct Case {
    const char* query;
    const char* content;
    std::optional<Marks> expected;
  };
  const Case cases[] = {
      {"一一", "一一一一", Marks{{0, 4}}},
      {"一二一", "一二一二一", Marks{{0, 5}}},
      {"一二一", "一二一一二一", Marks{{0, 3}, {3, 3}}},
      {"一一二", "一一一一二", Marks{{2, 3}}},
      {"一二一三", "一二一二一三", Marks{{2, 4}}},
      {"一二", "二一", std::nullopt},
      {"一", "二一二一", Marks{{1, 1}, {3, 1}}},
      {"一二三", "一二", std::nullopt},
  };
  for (const Case& c : cases) EXPECT_EQ(match(c.query, c.content), c.expected) << c.query << " in " << c.content;
}

TEST(Query, ALongRunAsksForAFewOfItsPairs) {
  std::string run;
  for (int i = 0; i < 20; ++i) run += "一二三四五六七八九十百千万上下左右中";
  const auto clauses = Query(run).clauses();
  ASSERT_EQ(clauses.size(), 1u);
  EXPECT_EQ(clauses[0].at(0).size(), 16u);
  EXPECT_EQ(Query("一一一一").clauses()[0].at(0).size(), 1u) << "each once";
  EXPECT_TRUE(index_finds(run, run));
}

// Processor time.
double seconds(const std::function<void()>& work) {
  const std::clock_t began = std::clock();
  work();
  return static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC;
}

std::string repeat(std::string_view text, std::size_t characters) {
  std::string result;
  const std::size_t each = utf8_length(text);
  for (std::size_t i = 0; i + each <= characters; i += each) result += text;
  return result;
}

// What one search or one message costs grows with its length and no faster: sixteen times as much takes about sixteen times as
// long, where a loop within a loop would take 256 times.
TEST(Query, TheWorstTextCostsNoMoreThanItsLength) {
  constexpr std::size_t kShort = 1'250;  // and sixteen times that is the longest message
  struct Case {
    const char* text;
    std::string query;
  };
  const Case cases[] = {
      {"ب\u200c", repeat("ب ", 80)},       // one compound of ten thousand parts
      {"ب ", repeat("ب ", 80)},            // each a word by itself, and with its neighbours
      {"一", repeat("一", 199) + "二"},    // a find that fails at its last letter, everywhere
      {"一二", repeat("一二一二 ", 200)},  // finds that overlap
      {"a\u0301", "a"},                    // marks without end
      {"👩\u200d", "👩"},                  // one emoji of ten thousand
      {"\u1100\u1161\u11a8", "각"},        // letters that are put together
  };
  for (const auto& [text, query] : cases) {
    const Query asked(query);
    const auto cost = [&asked](const std::string& content) {
      return seconds([&] {
        static_cast<void>(index_terms(content));
        static_cast<void>(asked.match(content));
      });
    };
    const std::string some = repeat(text, kShort), more = repeat(text, 16 * kShort);
    const double least = std::max(std::min({cost(some), cost(some), cost(some)}), 0.0005);
    // A busy machine has more than one try.
    const bool grows_slowly = cost(more) < 40 * least || cost(more) < 40 * least || cost(more) < 40 * least;
    EXPECT_TRUE(grows_slowly) << text;
  }
}

TEST(Query, TheWorstQueryIsMadeAtOnce) {
  for (const char* text : {"\ufdfa", "a ", "ب ", "一 a", "👍", "ب\u200c"}) {
    EXPECT_LT(seconds([&] { static_cast<void>(Query(repeat(text, 200)).clauses()); }), 1.0) << text;
  }
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
