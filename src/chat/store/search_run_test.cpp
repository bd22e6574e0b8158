#include "chat/store/search_run.hpp"

#include <gtest/gtest.h>

#include "runtime/unavailable.hpp"

namespace payam::chat {
namespace {

constexpr SearchEffort kPlenty{.bytes = 1 << 30, .time = Millis(3'600'000)};

SearchQuery query_of(std::string text, int limit = 50) {
  return {.text = std::move(text), .room = {}, .before = {}, .limit = limit};
}

std::optional<Message> message(int number, std::string content) {
  Message one;
  one.id = MessageId(std::to_string(number));
  one.content = std::move(content);
  return one;
}

TEST(SearchRun, APageOfAllThereIsHasNoNext) {
  SearchRun run(query_of("a", 2), kPlenty, {});
  for (int i = 9; i > 7; --i) {
    ASSERT_TRUE(run.goes_on());
    ASSERT_TRUE(run.look_at(message(i, "a")));
  }
  const SearchPage page = run.finish();
  EXPECT_EQ(page.hits.size(), 2u);
  EXPECT_EQ(page.next, std::nullopt);
}

TEST(SearchRun, AFullPageGoesOnBeforeItsLast) {
  SearchRun run(query_of("a", 2), kPlenty, {});
  for (const int i : {9, 8}) {
    ASSERT_TRUE(run.goes_on());
    ASSERT_TRUE(run.look_at(message(i, "a")));
  }
  EXPECT_FALSE(run.goes_on()) << "one more is on offer";
  EXPECT_EQ(run.cut_off().next, MessageId("8"));
}

TEST(SearchRun, AHitThatDoesNotFitIsTheNextPagesFirst) {
  SearchQuery query = query_of("a");
  query.bytes = 1'000;
  SearchRun run(query, kPlenty, {});
  EXPECT_TRUE(run.look_at(message(9, "a " + std::string(2'000, 'x')))) << "the first always fits";
  EXPECT_TRUE(run.look_at(message(8, "none")));
  EXPECT_FALSE(run.look_at(message(7, "a")));
  const SearchPage page = run.cut_off();
  EXPECT_EQ(page.hits.size(), 1u);
  EXPECT_EQ(page.next, MessageId("8"));
}

TEST(SearchRun, HighlightsCountAsWell) {
  SearchQuery query = query_of("一");
  query.bytes = 2'500;
  SearchRun run(query, kPlenty, {});
  std::string many;
  for (int i = 0; i < 100; ++i) many += "一";
  EXPECT_TRUE(run.look_at(message(9, many)));
  EXPECT_FALSE(run.look_at(message(8, many))) << "300 bytes of text, 1,500 of highlights";
}

TEST(SearchRun, WhatIsComparedIsBoundedAndOneIsComparedInAnyCase) {
  SearchRun run(query_of("a"), {.bytes = 1'000, .time = Millis(3'600'000)}, {});
  ASSERT_TRUE(run.goes_on());
  ASSERT_TRUE(run.look_at(message(9, std::string(500, 'x'))));
  ASSERT_TRUE(run.goes_on());
  ASSERT_TRUE(run.look_at(message(8, std::string(500, 'x'))));
  EXPECT_FALSE(run.goes_on());
  const SearchPage page = run.cut_off();
  EXPECT_TRUE(page.hits.empty());
  EXPECT_EQ(page.next, MessageId("8"));
}

TEST(SearchRun, OutOfTimeItEndsAfterTheFirst) {
  SearchRun run(query_of("a"), {.bytes = 1 << 30, .time = Millis(0)}, {});
  EXPECT_TRUE(run.is_over());
  ASSERT_TRUE(run.goes_on());
  ASSERT_TRUE(run.look_at(message(9, "a")));
  EXPECT_FALSE(run.goes_on());
  EXPECT_EQ(run.cut_off().next, MessageId("9"));
}

TEST(SearchRun, WithNothingToGoOnFromItIsRefused) {
  SearchRun run(query_of("a"), {.bytes = 1 << 30, .time = Millis(0)}, {});
  ASSERT_TRUE(run.look_at(std::nullopt));
  EXPECT_THROW(run.cut_off(), Overloaded);
}

TEST(SearchRun, ItIsOverOnceNobodyWaits) {
  std::stop_source gone;
  SearchRun run(query_of("a"), kPlenty, gone.get_token());
  ASSERT_TRUE(run.look_at(message(9, "a")));
  EXPECT_TRUE(run.goes_on());
  gone.request_stop();
  EXPECT_TRUE(run.is_over());
  EXPECT_FALSE(run.goes_on());
}

}  // namespace
}  // namespace payam::chat
