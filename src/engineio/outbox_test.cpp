#include "engineio/outbox.hpp"

#include <gtest/gtest.h>

namespace payam::eio {
namespace {

PacketRef message(std::string_view text) { return EncodedPacket::text(PacketType::message, text); }

std::string gathered(const Outbox& outbox, std::size_t limit = 100) {
  std::string out;
  outbox.gather(limit, [&](std::string_view piece) { out += piece; });
  return out;
}

TEST(Outbox, GivesWhatIsLeftAfterEveryPossibleShortWrite) {
  const std::string all =
      "\x81\x02"
      "4a"
      "\x81\x03"
      "4bc"
      "\x81\x01"
      "4";
  for (std::size_t cut = 0; cut <= all.size(); ++cut) {
    Outbox outbox;
    for (const auto* text : {"a", "bc", ""}) outbox.push(message(text), false);
    EXPECT_EQ(outbox.bytes(), all.size());
    outbox.consume(cut);
    EXPECT_EQ(gathered(outbox), all.substr(cut));
    EXPECT_EQ(outbox.empty(), cut == all.size());
    outbox.consume(all.size() - cut);
    EXPECT_TRUE(outbox.empty());
    EXPECT_EQ(outbox.bytes(), 0u);
  }
}

TEST(Outbox, GathersNoMoreThanAsked) {
  Outbox outbox;
  for (int i = 0; i < 5; ++i) outbox.push(message("x"), false);
  EXPECT_EQ(gathered(outbox, 2),
            "\x81\x02"
            "4x"
            "\x81\x02"
            "4x");
  EXPECT_EQ(outbox.count(), 5u);
}

TEST(Outbox, NeverDropsTheRestOfAFrameBegun) {
  Outbox outbox;
  outbox.push(message("begun"), false);
  outbox.push(message("later"), false);
  outbox.consume(3);
  outbox.drop_unsent();
  EXPECT_EQ(gathered(outbox), "begun");
  EXPECT_EQ(outbox.bytes(), 8u);
  outbox.consume(5);
  EXPECT_TRUE(outbox.empty());

  outbox.push(message("whole"), false);
  outbox.drop_unsent();
  EXPECT_TRUE(outbox.empty());
}

TEST(Outbox, LeavesTheRestForTheNextPoll) {
  Outbox outbox;
  for (const char* text : {"a", "b", "c"}) outbox.push(message(text), false);
  const auto first = outbox.take(2);
  ASSERT_EQ(first.size(), 2u);
  EXPECT_EQ(first[0]->payload(), "4a");
  EXPECT_EQ(first[1]->payload(), "4b");
  EXPECT_EQ(outbox.count(), 1u);
  EXPECT_EQ(outbox.bytes(), message("c")->frame().size());
  EXPECT_EQ(outbox.take(2).size(), 1u);
  EXPECT_TRUE(outbox.empty());
  EXPECT_EQ(outbox.bytes(), 0u);
}

TEST(Outbox, StaysInOrderWhenItNeverRunsEmpty) {
  Outbox outbox;
  std::string expected, read;
  outbox.push(message("start"), false);
  for (int i = 0; i < 1000; ++i) {
    const std::string text = std::to_string(i);
    outbox.push(message(text), false);
    std::string first;
    outbox.gather(1, [&](std::string_view piece) { first = piece; });
    read += first.substr(3) + " ";
    outbox.consume(first.size());
    expected += (i == 0 ? "start" : std::to_string(i - 1)) + " ";
    EXPECT_EQ(outbox.count(), 1u);
  }
  EXPECT_EQ(read, expected);
}

}  // namespace
}  // namespace payam::eio
