#include "chat/store/pages.hpp"

#include <gtest/gtest.h>

namespace payam::chat {
namespace {

Message message(std::int64_t seq, std::string content) {
  Message one;
  one.seq = Seq{seq};
  one.content = std::move(content);
  return one;
}

TEST(Pages, AMessageWeighsWhatItsTextTakesInJson) {
  const std::size_t empty = bytes_of(message(1, ""));
  EXPECT_EQ(bytes_of(message(1, "abc")), empty + 3);
  EXPECT_EQ(bytes_of(message(1, "سلام")), empty + 8);
  EXPECT_EQ(bytes_of(message(1, "\n\"\\")), empty + 6);
  EXPECT_EQ(bytes_of(message(1, std::string(20'000, '\x01'))), empty + 120'000);
  Message full = message(1, "");
  full.sender = "ali@example.com";
  full.mentions = {"sara@example.com"};
  full.reactions = {{"👍", {"ali@example.com", "sara@example.com"}}};
  full.attachments = {{UploadId("f"), UserId("u"), std::string(100, 'x'), "image/png", 1, {}, {}, Timestamp{}}};
  EXPECT_GT(bytes_of(full), empty + 15 + 16 + 4 + 15 + 16 + 4 * 100) << "file_url may hold the name percent-encoded";
}

TEST(Pages, TheFirstAlwaysFitsAndNoneAfterOneThatDoesNot) {
  PageBytes page(10);
  EXPECT_TRUE(page.take(50));
  EXPECT_FALSE(page.take(1));
  PageBytes another(10);
  EXPECT_TRUE(another.take(4));
  EXPECT_TRUE(another.take(6));
  EXPECT_FALSE(another.take(1));
}

TEST(Pages, NoMoreIsReadThanThePageTakes) {
  int read = 0;
  std::int64_t seq = 501;
  const NextMessage older = [&]() -> std::optional<Message> {
    ++read;
    return message(--seq, std::string(80'000, 'x'));
  };
  const NextMessage none = [] { return std::nullopt; };
  const HistoryRange range = history_range({HistoryQuery::From::newest, {}, 500}, Seq{500});
  const HistoryPage page = fill_page(range, kPageBytes, older, none);
  EXPECT_EQ(page.messages.size(), 13u) << "1,048,576 / 80,402";
  EXPECT_EQ(page.messages.front().seq, Seq{488});
  EXPECT_TRUE(page.has_older);
  EXPECT_FALSE(page.has_newer);
  EXPECT_EQ(read, 14);
}

TEST(Pages, LongOnesAreReadFewAtATime) {
  ReadSteps steps;
  EXPECT_EQ(steps.next(), 32);
  steps.note(32, 32 * std::size_t{100});
  EXPECT_EQ(steps.next(), 250);
  ReadSteps of_long_ones;
  of_long_ones.note(32, 32 * std::size_t{120'000});
  EXPECT_EQ(of_long_ones.next(), 4) << "half a page";
  of_long_ones.note(1, 100 << 20);
  EXPECT_EQ(of_long_ones.next(), 1);
}

TEST(Pages, AListShowsTheBeginningOfALongMessage) {
  Message one = message(1, "سلام");
  cut_for_list(one);
  EXPECT_EQ(one.content, "سلام");
  std::string long_text, beginning;
  for (int i = 0; i < 501; ++i) long_text += "😀";
  for (int i = 0; i < 500; ++i) beginning += "😀";
  one.content = long_text;
  cut_for_list(one);
  EXPECT_EQ(one.content, beginning);
}

}  // namespace
}  // namespace payam::chat
