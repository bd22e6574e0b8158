#include "base/held_bytes.hpp"

#include <gmock/gmock.h>

namespace payam {
namespace {

constexpr std::size_t kKiB = 1024;

TEST(HeldBytes, ALittleIsFreeAndTheRestGoesInSteps) {
  Budget budget({.address = 64 * kKiB, .total = 64 * kKiB});
  HeldBytes held;
  const auto caller = [] { return Caller{"192.0.2.1"}; };
  EXPECT_FALSE(held.set(budget, 4 * kKiB, caller));
  EXPECT_EQ(budget.held(), 0u);
  EXPECT_EQ(held.covered(), 4 * kKiB);
  EXPECT_FALSE(held.set(budget, 4 * kKiB + 1, caller));
  EXPECT_EQ(budget.held(), 16 * kKiB);
  EXPECT_EQ(held.covered(), 16 * kKiB);
  EXPECT_FALSE(held.set(budget, 16 * kKiB + 1, caller));
  EXPECT_EQ(budget.held(), 32 * kKiB);
  EXPECT_FALSE(held.set(budget, 64 * kKiB, caller));
  EXPECT_EQ(held.set(budget, 64 * kKiB + 1, caller), Budget::Over::address);
  EXPECT_EQ(budget.held(), 64 * kKiB);
  EXPECT_FALSE(held.set(budget, 20 * kKiB, caller));
  EXPECT_EQ(budget.held(), 32 * kKiB);
  EXPECT_FALSE(held.set(budget, 0, caller));
  EXPECT_EQ(budget.held(), 0u);
}

TEST(HeldBytes, GivesBackWhenItDies) {
  Budget budget({.address = 64 * kKiB});
  {
    HeldBytes held;
    EXPECT_FALSE(held.set(budget, 10 * kKiB, [] { return Caller{"192.0.2.1"}; }));
    HeldBytes other;
    EXPECT_EQ(other.set(budget, 64 * kKiB, [] { return Caller{"192.0.2.1"}; }), Budget::Over::address);
    EXPECT_FALSE(other.set(budget, 64 * kKiB, [] { return Caller{"192.0.2.2"}; }));
  }
  EXPECT_EQ(budget.held(), 0u);
}

}  // namespace
}  // namespace payam
