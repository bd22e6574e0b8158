#include "chat/service/log.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace payam::chat::log {
namespace {

TEST(Log, ALineNamesWhatHappenedAndThenItsFields) {
  EXPECT_EQ(to_line(Format::text, "request", {{"method", "GET"}, {"status", 200}, {"ms", 1.25}}),
            "request method=GET status=200 ms=1.250");
}

TEST(Log, TextIsQuotedWhereItsEndCouldNotBeSeen) {
  EXPECT_EQ(
      to_line(Format::text, "x", {{"a", ""}, {"b", "two words"}, {"c", "a=b"}, {"d", "line\nbreak"}, {"e", "say \"no\""}}),
      R"(x a="" b="two words" c="a=b" d="line\nbreak" e="say \"no\"")");
}

TEST(Log, ALineOfJsonIsAnObjectsMembers) {
  const std::string line = to_line(Format::json, "request", {{"route", "/chat/\"x\""}, {"status", 404}, {"ms", 0.5}});
  EXPECT_EQ(boost::json::parse('{' + line + '}'),
            (boost::json::value{{"what", "request"}, {"route", "/chat/\"x\""}, {"status", 404}, {"ms", 0.5}}));
}

TEST(Log, ABreakInATextMakesNoSecondLine) {
  for (const Format format : {Format::text, Format::json}) {
    EXPECT_EQ(to_line(format, "x", {{"forged", "a\nerror request"}}).find('\n'), std::string::npos);
  }
}

}  // namespace
}  // namespace payam::chat::log
