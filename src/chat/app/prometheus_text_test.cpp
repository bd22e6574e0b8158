#include "chat/app/prometheus_text.hpp"

#include <gtest/gtest.h>

#include <array>

namespace payam::chat {
namespace {

TEST(PrometheusText, AFamilySaysWhatItIsAndThenItsSamples) {
  PrometheusText text;
  text.gauge("payam_connections", "Open connections");
  text.sample(std::uint64_t{3}, {{"transport", "websocket"}});
  text.sample(0.5, {});
  EXPECT_EQ(text.take(),
            "# HELP payam_connections Open connections\n# TYPE payam_connections gauge\n"
            "payam_connections{transport=\"websocket\"} 3\npayam_connections 0.5\n");
}

TEST(PrometheusText, BucketsAreCumulatedAndEndWithAll) {
  PrometheusText text;
  text.histogram("x_seconds", "Time");
  text.buckets(std::array{0.1, 2.5}, std::array<std::uint64_t, 3>{4, 0, 2}, 7.25, {{"route", "/a"}});
  EXPECT_EQ(
      text.take(),
      "# HELP x_seconds Time\n# TYPE x_seconds histogram\n"
      "x_seconds_bucket{route=\"/a\",le=\"0.1\"} 4\nx_seconds_bucket{route=\"/a\",le=\"2.5\"} 4\n"
      "x_seconds_bucket{route=\"/a\",le=\"+Inf\"} 6\nx_seconds_sum{route=\"/a\"} 7.25\nx_seconds_count{route=\"/a\"} 6\n");
}

TEST(PrometheusText, LabelsAreEscaped) {
  PrometheusText text;
  text.gauge("x", "y");
  text.sample(std::uint64_t{1}, {{"a", "say \"no\"\\\n"}});
  EXPECT_EQ(text.take(), "# HELP x y\n# TYPE x gauge\nx{a=\"say \\\"no\\\"\\\\\\n\"} 1\n");
}

}  // namespace
}  // namespace payam::chat
