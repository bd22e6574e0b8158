#include "chat/app/server_options.hpp"

#include <gtest/gtest.h>

namespace payam::chat {
namespace {

using Bounds = Budget::Bounds;

TEST(ServerOptions, ConnectionsLeaveDescriptorsToOthers) {
  const Bounds wanted{.address = 1'000, .total = 16'000};
  EXPECT_EQ(within_descriptors(wanted, 1 << 20), wanted);
  EXPECT_EQ(within_descriptors(wanted, Budget::kUnbounded), wanted);
  EXPECT_EQ(within_descriptors(wanted, 4'096), (Bounds{.address = 1'000, .total = 3'840}));
  EXPECT_EQ(within_descriptors(wanted, 1'024), (Bounds{.address = 384, .total = 768}));
  EXPECT_EQ(within_descriptors(wanted, 100), (Bounds{.address = 25, .total = 50}));
  EXPECT_EQ(within_descriptors({.total = 16'000}, 1'024), (Bounds{.total = 768})) << "no bound an address where it is off";
}

TEST(ServerOptions, AreThoseOfTheOptions) {
  Options options;
  options.public_url = "https://chat.example.org";
  options.limits.holding.bodies = {.address = 1, .total = 2};
  options.limits.holding.replies = {.address = 3, .total = 4};
  const auto server = server_options(options);
  EXPECT_EQ(server.limits.bodies, (Bounds{.address = 1, .total = 2}));
  EXPECT_EQ(server.limits.replies, (Bounds{.address = 3, .total = 4}));
  EXPECT_TRUE(server.https_only);
  options.public_url = "http://localhost:8000";
  EXPECT_FALSE(server_options(options).https_only);
}

}  // namespace
}  // namespace payam::chat
