#include "base/clock.hpp"

#include <gtest/gtest.h>

namespace payam {
namespace {

using std::chrono::sys_days;
using namespace std::chrono_literals;

constexpr Timestamp kMoment = sys_days{2026y / 11 / 23} + 5h + 52min + 0s + 7ms;

TEST(Clock, WritesIso8601WithMillisecondsAndZ) { EXPECT_EQ(to_iso8601(kMoment), "2026-11-23T05:52:00.007Z"); }

TEST(Clock, WritesTimesBeforeTheEpoch) { EXPECT_EQ(to_iso8601(Timestamp{-1ms}), "1969-12-31T23:59:59.999Z"); }

TEST(Clock, ReadsWhatItWrites) { EXPECT_EQ(parse_iso8601("2026-11-23T05:52:00.007Z"), kMoment); }

TEST(Clock, RefusesOtherShapes) {
  for (const char* text : {"", "2026-11-23", "2026-13-23T05:52:00.007Z", "2026-02-30T05:52:00.007Z", "2026-11-23T24:00:00.000Z",
                           "2026-11-23T05:52:00.007+", "2026-11-23T05:52:0x.007Z"}) {
    EXPECT_FALSE(parse_iso8601(text)) << text;
  }
}

TEST(Clock, WritesHttpDates) { EXPECT_EQ(to_http_date(kMoment), "Mon, 23 Nov 2026 05:52:00 GMT"); }

}  // namespace
}  // namespace payam
