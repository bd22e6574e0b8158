#include "http/message.hpp"

#include <gmock/gmock.h>

#include "http/percent.hpp"

namespace payam::http {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(Headers, AreFoundWithoutCaseAndTheFirstOneCounts) {
  Headers headers;
  headers.add("Accept", "a");
  headers.add("accept", "b");
  EXPECT_EQ(headers.find("ACCEPT"), "a");
  EXPECT_FALSE(headers.has("Accept-Encoding"));
}

TEST(Headers, SetReplacesEveryFieldOfThatName) {
  Headers headers;
  headers.add("Vary", "Origin");
  headers.add("X", "1");
  headers.add("vary", "Accept");
  headers.set("VARY", "Cookie");
  EXPECT_THAT(headers.all(), ElementsAre(Pair("X", "1"), Pair("VARY", "Cookie")));
}

TEST(Headers, ATokenIsFoundInACommaSeparatedList) {
  EXPECT_TRUE(has_token("keep-alive, Upgrade", "upgrade"));
  EXPECT_TRUE(has_token("websocket", "WebSocket"));
  EXPECT_TRUE(has_token(" , close\t", "close"));
  EXPECT_FALSE(has_token("closed", "close"));
  EXPECT_FALSE(has_token("", "close"));
}

TEST(Headers, VaryKeepsWhatIsThereAndSaysNothingTwice) {
  Headers headers;
  headers.add("Vary", "Accept, origin");
  headers.add("Vary", "Accept-Encoding");
  add_vary(headers, "Accept-Encoding");
  add_vary(headers, "Origin");
  add_vary(headers, "Cookie");
  EXPECT_THAT(headers.all(),
              ElementsAre(Pair("Vary", "Accept, origin"), Pair("Vary", "Accept-Encoding"), Pair("Vary", "Cookie")));
}

TEST(Method, IsComparedWithCase) {
  EXPECT_EQ(parse_method("DELETE"), Method::del);
  EXPECT_EQ(parse_method("get"), Method::other);
  EXPECT_EQ(parse_method(""), Method::other);
  EXPECT_EQ(to_string(Method::patch), "PATCH");
}

TEST(Query, DecodesNamesAndValues) {
  const auto query = Query::parse("q=%D8%B3%D9%84%D8%A7%D9%85+x&a%26b=1%3D2&flag&=v&&q=second");
  EXPECT_THAT(query.all(),
              ElementsAre(Pair("q", "سلام x"), Pair("a&b", "1=2"), Pair("flag", ""), Pair("", "v"), Pair("q", "second")));
  EXPECT_EQ(query.find("q"), "سلام x");
  EXPECT_FALSE(query.find("b"));
}

TEST(Percent, WhatIsNoCodingStaysAsItIs) {
  EXPECT_EQ(percent_decode("100%"), "100%");
  EXPECT_EQ(percent_decode("%4"), "%4");
  EXPECT_EQ(percent_decode("%zz%41%4a"), "%zzAJ");
  EXPECT_EQ(percent_decode("a+b"), "a+b");
  EXPECT_EQ(percent_decode("a+b", Plus::space), "a b");
  EXPECT_EQ(percent_decode("%00%ff"), std::string("\0\xff", 2));
}

TEST(Percent, EncodesAllButTheUnreserved) {
  EXPECT_EQ(percent_encode("a-B_1.~"), "a-B_1.~");
  EXPECT_EQ(percent_encode("عکس 1/2.png"), "%D8%B9%DA%A9%D8%B3%201%2F2.png");
}

}  // namespace
}  // namespace payam::http
