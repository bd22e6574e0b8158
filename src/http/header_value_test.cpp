#include "http/header_value.hpp"

#include <gmock/gmock.h>

#include <array>

namespace payam::http {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(HeaderValue, HasParametersPlainAndQuoted) {
  const auto parsed = parse_header_value(R"( text/html ; charset=utf-8;x="a;\"b" ; flag; y= z )");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->value, "text/html");
  EXPECT_THAT(parsed->parameters, ElementsAre(Pair("charset", "utf-8"), Pair("x", "a;\"b"), Pair("flag", ""), Pair("y", "z")));
  EXPECT_EQ(parsed->parameter("CHARSET"), "utf-8");
}

TEST(HeaderValue, RefusesWhatDoesNotEnd) {
  EXPECT_FALSE(parse_header_value(R"(a; b="c)"));
  EXPECT_FALSE(parse_header_value("a; =c"));
  EXPECT_TRUE(parse_header_value("a;;"));
  EXPECT_TRUE(parse_header_value(""));
}

TEST(HeaderValue, FormNamesKeepBackslashesAndDecodeQuotes) {
  const auto parsed = parse_header_value(R"(form-data; a="C:\dir\n"; b="x%22y%0d%0A%41"; c="q\"r")", Quoting::form_data);
  ASSERT_TRUE(parsed);
  EXPECT_THAT(parsed->parameters, ElementsAre(Pair("a", "C:\\dir\\n"), Pair("b", "x\"y\r\n%41"), Pair("c", "q\"r")));
}

TEST(Accept, TheMostWantedIsChosenAndATieGoesToTheFirst) {
  static constexpr std::array<std::string_view, 2> kOffered{"application/json", "text/html"};
  EXPECT_EQ(negotiate(std::nullopt, kOffered), 0u);
  EXPECT_EQ(negotiate("*/*", kOffered), 0u);
  EXPECT_EQ(negotiate("text/html", kOffered), 1u);
  EXPECT_EQ(negotiate("text/*;q=0.5, application/json;q=0.4", kOffered), 1u);
  EXPECT_EQ(negotiate("TEXT/HTML;level=1;q=0.3, */*;q=0.2", kOffered), 1u);
  EXPECT_EQ(negotiate("text/html;q=0, */*", kOffered), 0u);  // the closest range counts, not the first
  EXPECT_EQ(negotiate("image/png", kOffered), std::nullopt);
}

TEST(Accept, BrowsersGetThePageAndProgramsTheJson) {
  EXPECT_TRUE(prefers_html("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"));
  EXPECT_FALSE(prefers_html("*/*"));
  EXPECT_FALSE(prefers_html("application/json, text/plain, */*"));
  EXPECT_FALSE(prefers_html(std::nullopt));
}

TEST(Accept, GzipOnlyWhereItIsWanted) {
  EXPECT_TRUE(accepts_gzip("gzip, deflate, br"));
  EXPECT_TRUE(accepts_gzip("*"));
  EXPECT_TRUE(accepts_gzip("br;q=1, GZIP;q=0.001"));
  EXPECT_FALSE(accepts_gzip("gzip;q=0"));
  EXPECT_FALSE(accepts_gzip("gzip;q=0, *"));
  EXPECT_FALSE(accepts_gzip("identity"));
  EXPECT_FALSE(accepts_gzip(std::nullopt));
}

TEST(Link, TargetsAreJoined) {
  const std::array<std::pair<std::string, std::string>, 2> targets{{{"/m?before=5", "prev"}, {"/m?after=9", "next"}}};
  EXPECT_EQ(link_value(targets), R"(</m?before=5>; rel="prev", </m?after=9>; rel="next")");
}

}  // namespace
}  // namespace payam::http
