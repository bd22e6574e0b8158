#include "chat/service/limits.hpp"

#include <gtest/gtest.h>

namespace payam::chat {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime kStart{1h};
const UserId kSara("sara"), kOmid("omid");

int taken_at_once(Limits& limits, Act act, const UserId& user, const std::string& address, SteadyTime now) {
  int count = 0;
  while (count < 20'000 && !limits.take(act, user, address, now)) ++count;
  return count;
}

TEST(Limits, AUserHasABurstAndThenARate) {
  Limits limits(RateLimits{});
  EXPECT_EQ(taken_at_once(limits, Act::send, kSara, "192.0.2.1", kStart), 500);
  EXPECT_EQ(limits.take(Act::send, kSara, "192.0.2.1", kStart), 10ms) << "100 a second";
  EXPECT_EQ(limits.take(Act::send, kSara, "192.0.2.2", kStart), 10ms) << "also from elsewhere";
  EXPECT_EQ(taken_at_once(limits, Act::send, kSara, "192.0.2.1", kStart + 2s), 200);
}

TEST(Limits, WithoutAUserTheAddressAloneCounts) {
  Limits limits(RateLimits{});
  EXPECT_EQ(taken_at_once(limits, Act::stranger, UserId(), "192.0.2.1", kStart), 1000);
  EXPECT_EQ(taken_at_once(limits, Act::stranger, UserId(), "192.0.2.2", kStart), 1000);
  EXPECT_EQ(limits.take(Act::stranger, UserId(), "192.0.2.1", kStart), 10ms);
}

TEST(Limits, UsersAndActsAreCountedApart) {
  Limits limits(RateLimits{});
  taken_at_once(limits, Act::send, kSara, "192.0.2.1", kStart);
  EXPECT_EQ(taken_at_once(limits, Act::send, kOmid, "192.0.2.1", kStart), 500);
  EXPECT_EQ(taken_at_once(limits, Act::join, kSara, "192.0.2.1", kStart), 500);
  EXPECT_EQ(taken_at_once(limits, Act::typing, kSara, "192.0.2.1", kStart), 50);
}

TEST(Limits, AnAddressIsCountedOverItsUsers) {
  Limits limits(RateLimits{});
  int all = 0;
  for (int i = 0; i < 20; ++i) all += taken_at_once(limits, Act::send, UserId(std::to_string(i)), "192.0.2.1", kStart);
  EXPECT_EQ(all, 5'000);
  EXPECT_EQ(taken_at_once(limits, Act::send, UserId("19"), "192.0.2.2", kStart), 500)
      << "what the address refused is not counted for the user";
}

TEST(Limits, AFloodIsToldFromABusyConnection) {
  Limits limits(RateLimits{.events = {.burst = 100, .per_second = 10}});
  FloodGuard busy, flooding;
  EXPECT_FALSE(limits.is_flood(busy, 100, kStart));
  EXPECT_FALSE(limits.is_flood(busy, 20, kStart + 2s));
  EXPECT_TRUE(limits.is_flood(busy, 1, kStart + 2s));
  EXPECT_TRUE(limits.is_flood(flooding, 101, kStart));
  EXPECT_EQ(limits.floods(), 2u);
}

TEST(Limits, WhatWasRefusedIsCountedByKind) {
  Limits limits(RateLimits{.sends = {.burst = 2, .per_second = 1}});
  for (int i = 0; i < 5; ++i) limits.take(Act::send, kSara, "192.0.2.1", kStart);
  EXPECT_EQ(limits.refused(Act::send), 3u);
  EXPECT_EQ(limits.refused(Act::join), 0u);
}

TEST(Limits, NothingIsTooOftenWhenTheyAreOff) {
  Limits limits(std::nullopt);
  EXPECT_EQ(taken_at_once(limits, Act::send, kSara, "192.0.2.1", kStart), 20'000);
}

}  // namespace
}  // namespace payam::chat
