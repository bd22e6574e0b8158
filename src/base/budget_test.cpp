#include "base/budget.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace payam {
namespace {

const Caller kSara{"192.0.2.1", "sara"}, kSaraElsewhere{"192.0.2.2", "sara"}, kOmid{"192.0.2.1", "omid"},
    kStranger{"192.0.2.1"};

TEST(Budget, AUserHasTheSameBoundFromEverywhere) {
  Budget budget({.user = 10});
  const auto first = budget.take(kSara, 6);
  ASSERT_TRUE(first);
  EXPECT_EQ(budget.take(kSaraElsewhere, 5).error(), Budget::Over::user);
  EXPECT_TRUE(budget.take(kSaraElsewhere, 4));
  EXPECT_TRUE(budget.take(kOmid, 10)) << "another one's is another bound";
}

TEST(Budget, AnAddressIsCountedOverItsUsersAndStrangers) {
  Budget budget({.address = 10});
  const auto first = budget.take(kSara, 4), second = budget.take(kOmid, 4);
  EXPECT_EQ(budget.take(kStranger, 3).error(), Budget::Over::address);
  EXPECT_TRUE(budget.take(kStranger, 2));
  EXPECT_TRUE(budget.take(kSaraElsewhere, 10));
}

TEST(Budget, TheTotalBindsEverybody) {
  Budget budget({.total = 10});
  const auto first = budget.take(kSara, 10);
  EXPECT_EQ(budget.take(kSaraElsewhere).error(), Budget::Over::total);
  EXPECT_EQ(budget.take(Caller{}).error(), Budget::Over::total);
  EXPECT_EQ(budget.held(), 10u);
}

TEST(Budget, WhatIsHeldIsGivenBack) {
  Budget budget({.user = 10, .address = 10, .total = 10});
  {
    auto held = budget.take(kSara, 10);
    ASSERT_TRUE(held);
    Budget::Held moved = std::move(*held);
    EXPECT_FALSE(budget.take(kSara));
    EXPECT_EQ(moved.amount(), 10u);
    moved.shrink(4);
    EXPECT_EQ(budget.held(), 6u);
    EXPECT_TRUE(budget.take(kSara, 4));
  }
  EXPECT_EQ(budget.held(), 0u);
  EXPECT_TRUE(budget.take(kSara, 10));
}

TEST(Budget, WhatIsHeldMayMoveToAnotherCaller) {
  Budget budget({.user = 10, .address = 5, .total = 10});
  auto held = budget.take({}, 5);
  ASSERT_TRUE(held);
  EXPECT_FALSE(held->move_to(kSara));
  EXPECT_EQ(budget.take(kSara).error(), Budget::Over::address);
  auto other = budget.take(kSaraElsewhere, 5);
  ASSERT_TRUE(other) << "it is counted once in all";
  EXPECT_EQ(other->move_to(kSara), Budget::Over::address);
  EXPECT_EQ(budget.take(kSaraElsewhere).error(), Budget::Over::user) << "and then nothing has changed";
  EXPECT_FALSE(other->move_to(kSaraElsewhere)) << "to where it is";
  EXPECT_FALSE(held->move_to({}));
  EXPECT_FALSE(other->move_to(kSara));
  EXPECT_EQ(budget.held(), 10u);
  other->release();
  held->release();
  EXPECT_EQ(budget.held(), 0u);
  EXPECT_TRUE(budget.take(kSara, 5));
}

TEST(Budget, ARefusalTakesNothing) {
  Budget budget({.user = 10, .address = 5, .total = 100});
  EXPECT_FALSE(budget.take(kSara, 6));
  auto held = budget.take(kSara, 5);
  ASSERT_TRUE(held);
  EXPECT_EQ(held->grow(1), Budget::Over::address);
  EXPECT_EQ(held->amount(), 5u);
  EXPECT_EQ(budget.held(), 5u);
  EXPECT_TRUE(budget.take(kSaraElsewhere, 5)) << "what the address refused is not counted for the user";
}

TEST(Budget, HoldingNothingIsHoldingStill) {
  Budget budget({.user = 10, .address = 10});
  auto first = budget.take(kSara, 0), second = budget.take(kSara, 3);
  ASSERT_TRUE(first && second);
  second->release();
  EXPECT_EQ(first->grow(10), std::nullopt);
  EXPECT_EQ(first->grow(1), Budget::Over::user);
}

TEST(Budget, AHugeAmountIsRefusedAndDoesNotWrapAround) {
  Budget budget({.user = 10, .address = 10, .total = 10});
  const auto some = budget.take(kSara, 5);
  EXPECT_FALSE(budget.take(kSara, Budget::kUnbounded));
  EXPECT_FALSE(budget.take(kSara, Budget::kUnbounded - 4));
  EXPECT_EQ(budget.held(), 5u);
}

TEST(Budget, RefusalsAreCountedByWhoseBoundItWas) {
  Budget budget({.user = 1, .address = 2, .total = 3});
  std::vector<Budget::Held> held;
  for (const auto& caller : {kSara, kSara, kOmid, kStranger, kSaraElsewhere, Caller{"192.0.2.3"}, Caller{"192.0.2.4"}}) {
    if (auto some = budget.take(caller)) held.push_back(std::move(*some));
  }
  EXPECT_EQ(held.size(), 3u);
  EXPECT_EQ(budget.refused(Budget::Over::user), 2u);
  EXPECT_EQ(budget.refused(Budget::Over::address), 1u);
  EXPECT_EQ(budget.refused(Budget::Over::total), 1u);
}

}  // namespace
}  // namespace payam
