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
  Limits limits(true);
  EXPECT_EQ(taken_at_once(limits, Act::send, kSara, "192.0.2.1", kStart), 500);
  EXPECT_EQ(limits.take(Act::send, kSara, "192.0.2.1", kStart), 10ms) << "100 a second";
  EXPECT_EQ(limits.take(Act::send, kSara, "192.0.2.2", kStart), 10ms) << "also from elsewhere";
  EXPECT_EQ(taken_at_once(limits, Act::send, kSara, "192.0.2.1", kStart + 2s), 200);
}

TEST(Limits, UsersAndActsAreCountedApart) {
  Limits limits(true);
  taken_at_once(limits, Act::send, kSara, "192.0.2.1", kStart);
  EXPECT_EQ(taken_at_once(limits, Act::send, kOmid, "192.0.2.1", kStart), 500);
  EXPECT_EQ(taken_at_once(limits, Act::join, kSara, "192.0.2.1", kStart), 500);
  EXPECT_EQ(taken_at_once(limits, Act::typing, kSara, "192.0.2.1", kStart), 50);
}

TEST(Limits, AnAddressIsCountedOverItsUsers) {
  Limits limits(true);
  int all = 0;
  for (int i = 0; i < 20; ++i) all += taken_at_once(limits, Act::send, UserId(std::to_string(i)), "192.0.2.1", kStart);
  EXPECT_EQ(all, 5'000);
  EXPECT_EQ(taken_at_once(limits, Act::send, UserId("19"), "192.0.2.2", kStart), 500)
      << "what the address refused is not counted for the user";
}

TEST(Limits, NothingIsTooOftenWhenTheyAreOff) {
  Limits limits(false);
  EXPECT_EQ(taken_at_once(limits, Act::send, kSara, "192.0.2.1", kStart), 20'000);
}

}  // namespace
}  // namespace payam::chat
