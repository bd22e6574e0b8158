#include "base/ulid.hpp"

#include <gtest/gtest.h>

namespace payam {
namespace {

using namespace std::chrono_literals;

TEST(Ulid, WritesTimeThenEntropy) {
  EXPECT_EQ(make_ulid(Timestamp{1469918176385ms}, {}), "01ARYZ6S410000000000000000");  // the specification's example time
  UlidEntropy ones;
  ones.fill(0xff);
  EXPECT_EQ(make_ulid(Timestamp{0ms}, ones), "0000000000ZZZZZZZZZZZZZZZZ");
}

TEST(Ulid, SortsByCreationWithinAMillisecondAndWhenTheClockStepsBack) {
  std::string last;
  for (int i = 0; i < 5000; ++i) {
    const auto id = new_ulid(Timestamp{1'000'000ms} - (i > 2500 ? 10ms : 0ms));
    ASSERT_LT(last, id);
    ASSERT_EQ(id.size(), 26u);
    last = id;
  }
}

}  // namespace
}  // namespace payam
