#include "chat/service/login_throttle.hpp"

#include <gtest/gtest.h>

namespace payam::chat {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime kStart{std::chrono::hours(1000)};

// How many of `count` attempts pass at one moment.
int passing(LoginThrottle& throttle, int count, const std::string& account, const std::string& address, SteadyTime now) {
  int passed = 0;
  for (int i = 0; i < count; ++i) passed += throttle.attempt(account, address, now) ? 0 : 1;
  return passed;
}

TEST(LoginThrottle, StopsGuessesWellBefore30AMinute) {
  LoginThrottle throttle;
  int passed = 0;
  for (auto now = kStart; now < kStart + 60s; now += 1s) passed += passing(throttle, 1, "sara", "192.0.2.1", now);
  EXPECT_GE(passed, 10);
  EXPECT_LT(passed, 30);
}

TEST(LoginThrottle, SaysHowLongToWaitAndKeepsItsWord) {
  LoginThrottle throttle;
  EXPECT_EQ(passing(throttle, 30, "sara", "192.0.2.1", kStart), 10);
  const auto wait = throttle.attempt("sara", "192.0.2.1", kStart);
  EXPECT_EQ(wait, 6s);
  EXPECT_TRUE(throttle.attempt("sara", "192.0.2.1", kStart + 5s));
  EXPECT_FALSE(throttle.attempt("sara", "192.0.2.1", kStart + *wait));
}

TEST(LoginThrottle, ARightPasswordCostsNothing) {
  LoginThrottle throttle;
  for (int i = 0; i < 1000; ++i) {
    EXPECT_FALSE(throttle.attempt("sara", "192.0.2.1", kStart));
    throttle.succeeded("sara", "192.0.2.1", kStart);
  }
}

TEST(LoginThrottle, OneAddressGuessesNotAtManyAccounts) {
  LoginThrottle throttle;
  int passed = 0;
  for (int i = 0; i < 500; ++i) passed += passing(throttle, 1, "user" + std::to_string(i), "192.0.2.1", kStart);
  EXPECT_EQ(passed, 60);
}

TEST(LoginThrottle, ManyAddressesGuessNotAtOneAccount) {
  LoginThrottle throttle;
  int passed = 0;
  for (int i = 0; i < 500; ++i) passed += passing(throttle, 1, "sara", "address" + std::to_string(i), kStart);
  EXPECT_EQ(passed, 20);
}

TEST(LoginThrottle, NeverLocksTheVictimOutOfAKnownPlace) {
  LoginThrottle throttle;
  EXPECT_FALSE(throttle.attempt("sara", "home", kStart));
  throttle.succeeded("sara", "home", kStart);
  for (auto now = kStart; now <= kStart + 600s; now += 1s) {
    for (int i = 0; i < 10; ++i) passing(throttle, 1, "sara", "address" + std::to_string(i), now);
  }
  EXPECT_TRUE(throttle.attempt("sara", "elsewhere", kStart + 600s));
  EXPECT_FALSE(throttle.attempt("sara", "home", kStart + 600s));
}

TEST(LoginThrottle, OthersAreNotTouched) {
  LoginThrottle throttle;
  passing(throttle, 100, "sara", "192.0.2.1", kStart);
  EXPECT_FALSE(throttle.attempt("omid", "192.0.2.2", kStart));
}

TEST(LoginThrottle, ItsMemoryIsBounded) {
  LoginThrottle throttle;
  passing(throttle, 30, "sara", "192.0.2.1", kStart);
  // A flood of new names pushes old ones out; it never fails, and the newest still count.
  for (int i = 0; i < 50'000; ++i) throttle.attempt("user" + std::to_string(i), "address" + std::to_string(i), kStart);
  EXPECT_EQ(passing(throttle, 30, "omid", "192.0.2.2", kStart), 10);
}

}  // namespace
}  // namespace payam::chat
