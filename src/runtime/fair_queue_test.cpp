#include "runtime/fair_queue.hpp"

#include <gmock/gmock.h>

#include <string>

namespace payam {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr SteadyTime kStart{1h};

std::vector<std::string> all_of(FairQueue<std::string>& queue) {
  std::vector<std::string> jobs;
  while (!queue.empty()) jobs.push_back(queue.pop());
  return jobs;
}

TEST(FairQueue, OneCallersJobsComeInTheirOrder) {
  FairQueue<std::string> queue;
  for (const char* job : {"1", "2", "3"}) queue.push("sara", job);
  EXPECT_EQ(queue.size(), 3u);
  EXPECT_THAT(all_of(queue), ElementsAre("1", "2", "3"));
  EXPECT_EQ(queue.size(), 0u);
}

TEST(FairQueue, CallersTakeTurns) {
  FairQueue<std::string> queue;
  for (const char* job : {"s1", "s2", "s3"}) queue.push("sara", job);
  queue.push("omid", "o1");
  queue.push("neda", "n1");
  queue.push("neda", "n2");
  EXPECT_THAT(all_of(queue), ElementsAre("s1", "o1", "n1", "s2", "n2", "s3"));
}

TEST(FairQueue, WhoComesLateWaitsForOneJobOfEachOther) {
  FairQueue<std::string> queue;
  for (int i = 0; i < 1'000; ++i) queue.push("greedy", "g");
  queue.push("late", "l");
  EXPECT_EQ(queue.pop(), "g");
  EXPECT_EQ(queue.pop(), "l");
  EXPECT_EQ(queue.waiting_for("greedy"), 999u);
  EXPECT_EQ(queue.waiting_for("late"), 0u);
}

TEST(FairQueue, WhatHasWaitedTooLongIsTakenOut) {
  FairQueue<std::string> queue;
  queue.push("sara", "s1", kStart + 1s);
  queue.push("sara", "s2", kStart + 3s);
  queue.push("omid", "o1", kStart + 1s);
  queue.push("neda", "n1");
  EXPECT_THAT(queue.take_late(kStart), IsEmpty());
  EXPECT_THAT(queue.take_late(kStart + 2s), ElementsAre("s1", "o1"));
  EXPECT_EQ(queue.size(), 2u);
  EXPECT_EQ(queue.waiting_for("omid"), 0u);
  EXPECT_THAT(all_of(queue), ElementsAre("s2", "n1"));
}

}  // namespace
}  // namespace payam
