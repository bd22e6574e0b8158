#include "engineio/poll_queue.hpp"

#include <gtest/gtest.h>

#include <string>

namespace payam::eio {
namespace {

PacketRef message(std::string_view text) { return EncodedPacket::text(PacketType::message, text); }

TEST(PollQueue, LeavesTheRestForTheNextPoll) {
  PollQueue queue;
  for (const char* text : {"a", "b", "c"}) queue.push(message(text), false);
  const auto first = queue.take(2);
  ASSERT_EQ(first.size(), 2u);
  EXPECT_EQ(first[0]->payload(), "4a");
  EXPECT_EQ(first[1]->payload(), "4b");
  EXPECT_EQ(queue.count(), 1u);
  EXPECT_EQ(queue.bytes(), message("c")->frame().size());
  EXPECT_EQ(queue.take(2).size(), 1u);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.bytes(), 0u);
}

TEST(PollQueue, GivesAllWithWhatIsSaidOfEach) {
  PollQueue queue;
  queue.push(message("taken"), false);
  queue.push(message("a"), true);
  queue.push(message("b"), false);
  queue.take(1);
  const auto all = queue.take_all();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].packet->payload(), "4a");
  EXPECT_TRUE(all[0].compress);
  EXPECT_EQ(all[1].packet->payload(), "4b");
  EXPECT_FALSE(all[1].compress);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.bytes(), 0u);
}

TEST(PollQueue, StaysInOrderWhenItNeverRunsEmpty) {
  PollQueue queue;
  queue.push(message("0"), false);
  for (int i = 1; i < 1000; ++i) {
    queue.push(message(std::to_string(i)), false);
    const auto first = queue.take(1);
    ASSERT_EQ(first.size(), 1u);
    EXPECT_EQ(first[0]->payload(), "4" + std::to_string(i - 1));
    EXPECT_EQ(queue.count(), 1u);
  }
}

}  // namespace
}  // namespace payam::eio
