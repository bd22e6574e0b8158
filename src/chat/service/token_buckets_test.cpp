#include "chat/service/token_buckets.hpp"

#include <gtest/gtest.h>

namespace payam::chat {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime kStart{std::chrono::hours(1000)};

// How many of `count` are let through at one moment.
int passing(TokenBuckets& buckets, int count, const std::string& key, SteadyTime now) {
  int passed = 0;
  for (int i = 0; i < count; ++i) passed += buckets.take(key, now) ? 0 : 1;
  return passed;
}

TEST(TokenBuckets, LetsTheBurstThroughAndThenTheRate) {
  TokenBuckets buckets({.burst = 5, .per_second = 2});
  EXPECT_EQ(passing(buckets, 100, "a", kStart), 5);
  EXPECT_EQ(passing(buckets, 100, "a", kStart + 499ms), 0);
  EXPECT_EQ(passing(buckets, 100, "a", kStart + 500ms), 1);
  EXPECT_EQ(passing(buckets, 100, "a", kStart + 1500ms), 2);
  EXPECT_EQ(passing(buckets, 100, "a", kStart + 1h), 5) << "never more than the burst";
}

TEST(TokenBuckets, SaysHowLongToWaitAndKeepsItsWord) {
  TokenBuckets buckets({.burst = 1, .per_second = 0.25});
  EXPECT_EQ(buckets.take("a", kStart), std::nullopt);
  EXPECT_EQ(buckets.take("a", kStart), 4000ms);
  EXPECT_EQ(buckets.take("a", kStart + 1s), 3000ms) << "a refusal costs nothing";
  EXPECT_EQ(buckets.take("a", kStart + 4s), std::nullopt);
}

TEST(TokenBuckets, CountsEachKeyAlone) {
  TokenBuckets buckets({.burst = 2, .per_second = 1});
  EXPECT_EQ(passing(buckets, 10, "a", kStart), 2);
  EXPECT_EQ(passing(buckets, 10, "b", kStart), 2);
}

TEST(TokenBuckets, TakesATokenBack) {
  TokenBuckets buckets({.burst = 2, .per_second = 1});
  EXPECT_EQ(passing(buckets, 10, "a", kStart), 2);
  buckets.put_back("a", kStart);
  EXPECT_EQ(passing(buckets, 10, "a", kStart), 1);
  for (int i = 0; i < 10; ++i) buckets.put_back("a", kStart);
  EXPECT_EQ(passing(buckets, 10, "a", kStart), 2);
}

TEST(TokenBuckets, ATimeBeforeTheLastOneFillsNothing) {
  TokenBuckets buckets({.burst = 2, .per_second = 1});
  EXPECT_EQ(passing(buckets, 10, "a", kStart), 2);
  EXPECT_EQ(passing(buckets, 10, "a", kStart - 10s), 0);
  EXPECT_EQ(passing(buckets, 10, "a", kStart + 1s), 1) << "nor twice afterwards";
}

TEST(TokenBuckets, ForgetsTheOneTouchedLongestAgo) {
  TokenBuckets buckets({.burst = 1, .per_second = 1}, 2);
  buckets.take("a", kStart);
  buckets.take("b", kStart);
  EXPECT_TRUE(buckets.take("a", kStart));
  buckets.take("c", kStart);
  EXPECT_TRUE(buckets.take("a", kStart));
  EXPECT_FALSE(buckets.take("b", kStart));
}

TEST(TokenBuckets, WaitsAreToldInWholeSeconds) {
  EXPECT_EQ(retry_after(0ms), 1s);
  EXPECT_EQ(retry_after(1ms), 1s);
  EXPECT_EQ(retry_after(1000ms), 1s);
  EXPECT_EQ(retry_after(1001ms), 2s);
}

TEST(TokenBuckets, AnAddressIsAHouseholds) {
  EXPECT_EQ(network_of("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(network_of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  EXPECT_EQ(network_of("2001:db8:1:2:ffff::"), "2001:db8:1:2::/64");
  EXPECT_EQ(network_of("::ffff:192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(network_of("::1"), "::/64");
  EXPECT_EQ(network_of("somewhere"), "somewhere");
}

}  // namespace
}  // namespace payam::chat
