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
    for (const auto* text : {"a", "bc", ""}) outbox.push(message(text));
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
  for (int i = 0; i < 5; ++i) outbox.push(message("x"));
  EXPECT_EQ(gathered(outbox, 2),
            "\x81\x02"
            "4x"
            "\x81\x02"
            "4x");
  EXPECT_EQ(outbox.count(), 5u);
}

TEST(Outbox, NeverDropsTheRestOfAFrameBegun) {
  Outbox outbox;
  outbox.push(message("begun"));
  outbox.push(message("later"));
  outbox.consume(3);
  outbox.drop_unsent();
  EXPECT_EQ(gathered(outbox), "begun");
  EXPECT_EQ(outbox.bytes(), 8u);
  outbox.consume(5);
  EXPECT_TRUE(outbox.empty());

  outbox.push(message("whole"));
  outbox.drop_unsent();
  EXPECT_TRUE(outbox.empty());
}

TEST(Outbox, StaysInOrderWhenItNeverRunsEmpty) {
  Outbox outbox;
  std::string expected, read;
  outbox.push(message("start"));
  for (int i = 0; i < 1000; ++i) {
    const std::string text = std::to_string(i);
    outbox.push(message(text));
    std::string first;
    outbox.gather(1, [&](std::string_view piece) { first = piece; });
    read += first.substr(3) + " ";
    outbox.consume(first.size());
    expected += (i == 0 ? "start" : std::to_string(i - 1)) + " ";
    EXPECT_EQ(outbox.count(), 1u);
  }
  EXPECT_EQ(read, expected);
}

TEST(Outbox, GoesOnInOrderAfterABurstOfAnyLength) {
  for (std::size_t burst = 1; burst <= 100; ++burst) {
    Outbox outbox;
    for (int round = 0; round < 3; ++round) {
      std::string expected;
      for (std::size_t i = 0; i < burst; ++i) {
        const PacketRef packet = message(std::to_string(i));
        expected += packet->frame();
        outbox.push(packet);
      }
      EXPECT_EQ(outbox.count(), burst);
      EXPECT_EQ(gathered(outbox), expected);
      outbox.consume(expected.size());
      EXPECT_TRUE(outbox.empty());
      EXPECT_EQ(outbox.bytes(), 0u);
    }
  }
}

}  // namespace
}  // namespace payam::eio
