#include "chat/service/rate_limits.hpp"

#include <gtest/gtest.h>

namespace payam::chat {
namespace {

RateLimits parsed(std::string_view text) {
  const auto limits = parse_caller_limits(text);
  EXPECT_TRUE(limits && limits->rates) << text;
  return limits && limits->rates ? *limits->rates : RateLimits{};
}

TEST(RateLimits, OnIsTheDefaultsAndOffIsNone) {
  EXPECT_EQ(parsed("on").sends.burst, 500);
  const auto off = parse_caller_limits("off");
  ASSERT_TRUE(off);
  EXPECT_FALSE(off->rates);
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

TEST(RateLimits, OffLeavesTheBoundsOnAllCallersTogether) {
  const auto on = parse_caller_limits("on"), off = parse_caller_limits("off");
  ASSERT_TRUE(on && off);
  EXPECT_EQ(on->holding.connections, (Budget::Bounds{.address = 1'000, .total = 16'000}));
  EXPECT_EQ(off->holding.connections, (Budget::Bounds{.total = 16'000}));
  EXPECT_EQ(off->holding.reads, (Budget::Bounds{.total = 20'000}));
  EXPECT_EQ(off->holding.searches, (Budget::Bounds{.total = 256}));
  EXPECT_EQ(off->holding.uploads, (Budget::Bounds{.total = 1'000}));
}

TEST(RateLimits, WhatMayBeHeldAtOnceIsSetToo) {
  const auto limits = parse_caller_limits("connections=5000,body_bytes=64M,searches=1,sends=20/s");
  ASSERT_TRUE(limits && limits->rates);
  EXPECT_EQ(limits->holding.connections, (Budget::Bounds{.address = 5'000, .total = 16'000}));
  EXPECT_EQ(limits->holding.bodies.address, 64u << 20);
  EXPECT_EQ(limits->holding.searches.user, 1u);
  EXPECT_EQ(limits->rates->sends.burst, 20);
}

TEST(RateLimits, WhatCannotBeReadIsNamed) {
  for (const char* text : {"",
                           "maybe",
                           "sends",
                           "sends=",
                           "sends=20",
                           "sends=20/day",
                           "sends=0/s",
                           "sends=-1/s",
                           "sends=1/s:",
                           "sends=1/s:0",
                           "sends=1.5/s",
                           "sends=99999999/s",
                           "sends=20/s,",
                           "sends=20/s,,joins=1/s",
                           "on,off",
                           "connections",
                           "connections=",
                           "connections=0",
                           "connections=5/s",
                           "body_bytes=M",
                           "body_bytes=5T",
                           "searches=-1"}) {
    EXPECT_FALSE(parse_caller_limits(text)) << text;
  }
  EXPECT_EQ(parse_caller_limits("sends=20/s,joins=x").error().message, "'joins=x' is not like sends=20/s or logins=5/min:10");
  EXPECT_EQ(parse_caller_limits("connections=x").error().message,
            "'connections=x' is not like connections=500 or body_bytes=16M");
  EXPECT_EQ(parse_caller_limits("send=20/s").error().message,
            "'send=20/s' is not on, off, kind=count/s with one of: logins, signups, checks, handshakes, sends, joins, reads, "
            "typing, uploads, downloads, lists, people, profile, strangers, events; or kind=count with one of: connections, "
            "body_bytes, reply_bytes, attachment_bytes, passwords, "
            "reads_at_once, searches, uploads_at_once");
}

}  // namespace
}  // namespace payam::chat
