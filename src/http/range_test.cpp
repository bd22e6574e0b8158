#include "http/range.hpp"

#include <gtest/gtest.h>

namespace payam::http {
namespace {

struct Case {
  const char* field;
  std::uint64_t size;
  RangeKind kind;
  ByteRange range;
};

// Examples of RFC 9110 section 14.1.2 and their borders.
TEST(Range, IsReadAsTheSpecificationSays) {
  const ByteRange none{};
  const Case cases[] = {
      {"bytes=0-499", 10000, RangeKind::part, {0, 500}},
      {"bytes=500-999", 10000, RangeKind::part, {500, 500}},
      {"bytes=-500", 10000, RangeKind::part, {9500, 500}},
      {"bytes=9500-", 10000, RangeKind::part, {9500, 500}},
      {"Bytes= 0 - 0 ", 10000, RangeKind::part, {0, 1}},
      {"bytes=0-20000", 10000, RangeKind::part, {0, 10000}},
      {"bytes=-20000", 10000, RangeKind::part, {0, 10000}},
      {"bytes=9999-", 10000, RangeKind::part, {9999, 1}},
      {"bytes=0-99999999999999999999999", 10000, RangeKind::part, {0, 10000}},
      {"bytes=10000-", 10000, RangeKind::unsatisfiable, none},
      {"bytes=99999999999999999999999-", 10000, RangeKind::unsatisfiable, none},
      {"bytes=-0", 10000, RangeKind::unsatisfiable, none},
      {"bytes=0-", 0, RangeKind::unsatisfiable, none},
      {"bytes=-1", 0, RangeKind::unsatisfiable, none},
      {"bytes=5-4", 10000, RangeKind::whole, none},
      {"bytes=0-1,5-6", 10000, RangeKind::whole, none},
      {"bytes=-", 10000, RangeKind::whole, none},
      {"bytes=", 10000, RangeKind::whole, none},
      {"bytes=a-b", 10000, RangeKind::whole, none},
      {"bytes=1-b", 10000, RangeKind::whole, none},
      {"bytes=--1", 10000, RangeKind::whole, none},
      {"bytes=+1-2", 10000, RangeKind::whole, none},
      {"items=0-1", 10000, RangeKind::whole, none},
      {"", 10000, RangeKind::whole, none},
  };
  for (const Case& c : cases) {
    ByteRange range;
    EXPECT_EQ(parse_range(c.field, c.size, range), c.kind) << c.field;
    EXPECT_EQ(range, c.range) << c.field;
  }
}

Response serve(std::initializer_list<std::pair<const char*, const char*>> headers) {
  Request request;
  for (const auto& [name, value] : headers) request.headers.add(name, value);
  return serve_file(request, FileBody{nullptr, 0, 100}, "\"v1\"");
}

TEST(ServeFile, GivesTheWholeWithWhatACacheNeeds) {
  const Response response = serve({});
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.find("ETag"), "\"v1\"");
  EXPECT_EQ(response.headers.find("Accept-Ranges"), "bytes");
  EXPECT_EQ(std::get<FileBody>(response.body).length, 100u);
}

TEST(ServeFile, GivesAPart) {
  const Response response = serve({{"Range", "bytes=10-19"}});
  EXPECT_EQ(response.status, 206);
  EXPECT_EQ(response.headers.find("Content-Range"), "bytes 10-19/100");
  EXPECT_EQ(std::get<FileBody>(response.body).offset, 10u);
  EXPECT_EQ(std::get<FileBody>(response.body).length, 10u);
}

TEST(ServeFile, SaysHowLongItIsWhenAskedForMore) {
  const Response response = serve({{"Range", "bytes=100-"}});
  EXPECT_EQ(response.status, 416);
  EXPECT_EQ(response.headers.find("Content-Range"), "bytes */100");
}

TEST(ServeFile, GivesAPartOnlyOfWhatTheClientHas) {
  EXPECT_EQ(serve({{"Range", "bytes=10-19"}, {"If-Range", "\"v1\""}}).status, 206);
  EXPECT_EQ(serve({{"Range", "bytes=10-19"}, {"If-Range", "\"v0\""}}).status, 200);
}

TEST(ServeFile, SendsNothingThatIsKnown) {
  for (const char* known : {"\"v1\"", "\"v0\", \"v1\"", "W/\"v1\"", "*"})
    EXPECT_EQ(serve({{"If-None-Match", known}}).status, 304) << known;
  EXPECT_EQ(serve({{"If-None-Match", "\"v0\""}}).status, 200);
  EXPECT_EQ(serve({{"If-None-Match", "\"v1\""}, {"Range", "bytes=0-1"}}).status, 304);
}

}  // namespace
}  // namespace payam::http
