#include "chat/service/upload_quota.hpp"

#include <gtest/gtest.h>

namespace payam::chat {
namespace {

const UserId kAli("ali");

TEST(UploadQuota, UploadsAtOnceShareIt) {
  UploadQuota quota(100);
  auto one = quota.open(kAli), other = quota.open(kAli);
  one.begin(20);
  other.begin(20);
  EXPECT_TRUE(one.take(50));
  EXPECT_FALSE(other.take(31));
  EXPECT_TRUE(other.take(30));
  EXPECT_FALSE(one.take(1));
  EXPECT_TRUE(one.take(0));
}

TEST(UploadQuota, WhatBreaksOffIsGivenBack) {
  UploadQuota quota(100);
  auto stays = quota.open(kAli);
  stays.begin(0);
  {
    auto breaks = quota.open(kAli);
    breaks.begin(0);
    EXPECT_TRUE(breaks.take(100));
    EXPECT_FALSE(stays.take(1));
  }
  EXPECT_TRUE(stays.take(100));
}

TEST(UploadQuota, WhatIsKeptStaysTakenUntilTheStoreIsAskedAgain) {
  UploadQuota quota(100);
  auto slow = quota.open(kAli);
  slow.begin(0);
  {
    auto quick = quota.open(kAli);
    quick.begin(0);
    EXPECT_TRUE(quick.take(60));
    quick.keep();
  }
  {
    auto next = quota.open(kAli);
    next.begin(60);  // the store has it by now; it does not count twice
    EXPECT_FALSE(next.take(41));
    EXPECT_TRUE(next.take(40));
  }
  EXPECT_TRUE(slow.take(40));
}

TEST(UploadQuota, TheNextUploadAsksTheStoreAnew) {
  UploadQuota quota(100);
  {
    auto share = quota.open(kAli);
    share.begin(90);
    EXPECT_FALSE(share.take(11));
  }
  auto share = quota.open(kAli);
  share.begin(50);
  EXPECT_TRUE(share.take(50));
}

TEST(UploadQuota, OthersHaveTheirOwn) {
  UploadQuota quota(100);
  auto ali = quota.open(kAli), sara = quota.open(UserId("sara"));
  ali.begin(0);
  sara.begin(0);
  EXPECT_TRUE(ali.take(100));
  EXPECT_TRUE(sara.take(100));
}

TEST(UploadQuota, AMovedShareGivesBackOnce) {
  UploadQuota quota(100);
  auto stays = quota.open(kAli);
  stays.begin(0);
  {
    auto first = quota.open(kAli);
    first.begin(0);
    EXPECT_TRUE(first.take(60));
    const auto second = std::move(first);
    EXPECT_FALSE(stays.fits(41));
  }
  EXPECT_TRUE(stays.fits(100));
}

TEST(UploadQuota, WhoHasMoreThanItAllowsByNowTakesNothing) {
  UploadQuota quota(100);
  auto share = quota.open(kAli);
  share.begin(UINT64_MAX);
  EXPECT_FALSE(share.take(1));
  EXPECT_FALSE(share.take(UINT64_MAX));
}

TEST(UploadQuota, NoneIsAnyAmount) {
  UploadQuota quota(0);
  auto share = quota.open(kAli);
  EXPECT_TRUE(share.take(UINT64_MAX / 2));
  EXPECT_FALSE(quota.has_limit());
}

}  // namespace
}  // namespace payam::chat
