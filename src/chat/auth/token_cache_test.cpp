#include "chat/auth/token_cache.hpp"

#include <gtest/gtest.h>

namespace payam::chat {
namespace {

using namespace std::chrono_literals;

constexpr Timestamp kNow{1'790'000'000'000ms};

Principal someone(const char* user, const char* session, Timestamp expires_at = kNow + 1min) {
  return {UserId(user), std::string(user) + "@example.com", user, SessionId(session), Audience::api, expires_at};
}

TEST(TokenCache, FindsWhatWasPutIn) {
  TokenCache cache(2);
  EXPECT_EQ(cache.find("t1", kNow), std::nullopt);
  cache.insert("t1", someone("sara", "S1"), cache.generation());
  EXPECT_EQ(cache.find("t1", kNow), someone("sara", "S1"));
  EXPECT_EQ(cache.find("t2", kNow), std::nullopt);
}

TEST(TokenCache, NeverOutlivesTheToken) {
  TokenCache cache(2);
  cache.insert("t1", someone("sara", "S1", kNow + 1s), cache.generation());
  EXPECT_TRUE(cache.find("t1", kNow + 999ms));
  EXPECT_FALSE(cache.find("t1", kNow + 1s));
  EXPECT_EQ(cache.size(), 0u);
}

TEST(TokenCache, LetsTheLeastRecentlyUsedGo) {
  TokenCache cache(2);
  cache.insert("t1", someone("sara", "S1"), cache.generation());
  cache.insert("t2", someone("omid", "S2"), cache.generation());
  EXPECT_TRUE(cache.find("t1", kNow));
  cache.insert("t3", someone("nima", "S3"), cache.generation());
  EXPECT_EQ(cache.size(), 2u);
  EXPECT_TRUE(cache.find("t1", kNow));
  EXPECT_FALSE(cache.find("t2", kNow));
  EXPECT_TRUE(cache.find("t3", kNow));
}

TEST(TokenCache, ForgetsASessionOrAUser) {
  TokenCache cache(10);
  cache.insert("t1", someone("sara", "S1"), cache.generation());
  cache.insert("t2", someone("sara", "S1"), cache.generation());
  cache.insert("t3", someone("sara", "S2"), cache.generation());
  cache.insert("t4", someone("omid", "S3"), cache.generation());
  cache.forget(SessionId("S1"));
  EXPECT_EQ(cache.size(), 2u);
  cache.forget(UserId("sara"));
  EXPECT_FALSE(cache.find("t3", kNow));
  EXPECT_TRUE(cache.find("t4", kNow));
}

TEST(TokenCache, TakesNothingVerifiedBeforeARevocation) {
  TokenCache cache(10);
  const auto generation = cache.generation();
  cache.forget(SessionId("S1"));
  cache.insert("t1", someone("sara", "S1"), generation);
  EXPECT_FALSE(cache.find("t1", kNow));
}

}  // namespace
}  // namespace payam::chat
