#include "chat/service/rate_limits.hpp"

#include <gtest/gtest.h>

namespace payam::chat {
namespace {

RateLimits parsed(std::string_view text) {
  const auto limits = parse_rate_limits(text);
  EXPECT_TRUE(limits && *limits) << text;
  return limits && *limits ? **limits : RateLimits{};
}

TEST(RateLimits, OnIsTheDefaultsAndOffIsNone) {
  EXPECT_EQ(parsed("on").sends.burst, 500);
  const auto off = parse_rate_limits("off");
  ASSERT_TRUE(off);
  EXPECT_FALSE(*off);
}

TEST(RateLimits, AKindIsSetAndTheOthersStay) {
  const RateLimits limits = parsed("sends=20/s,logins=5/min:10,signups=3/h");
  EXPECT_EQ(limits.sends.burst, 20);
  EXPECT_EQ(limits.sends.per_second, 20);
  EXPECT_EQ(limits.logins.burst, 10);
  EXPECT_DOUBLE_EQ(limits.logins.per_second, 5.0 / 60);
  EXPECT_EQ(limits.signups.burst, 3);
  EXPECT_DOUBLE_EQ(limits.signups.per_second, 3.0 / 3600);
  EXPECT_EQ(limits.joins.burst, 500);
}

TEST(RateLimits, WhatCannotBeReadIsNamed) {
  for (const char* text :
       {"", "maybe", "sends", "sends=", "sends=20", "sends=20/day", "sends=0/s", "sends=-1/s", "sends=1/s:", "sends=1/s:0",
        "sends=1.5/s", "sends=99999999/s", "sends=20/s,", "sends=20/s,,joins=1/s", "on,off"}) {
    EXPECT_FALSE(parse_rate_limits(text)) << text;
  }
  EXPECT_EQ(parse_rate_limits("sends=20/s,joins=x").error().message, "'joins=x' is not like sends=20/s or logins=5/min:10");
  EXPECT_EQ(
      parse_rate_limits("send=20/s").error().message,
      "'send=20/s' is not on, off or kind=count/s, where kind is one of: logins, signups, handshakes, sends, joins, reads, "
      "typing, uploads, events");
}

}  // namespace
}  // namespace payam::chat
