#include "base/disk_reserve.hpp"

#include <gtest/gtest.h>

namespace payam {
namespace {

constexpr std::uint64_t kGiB = 1 << 30;

TEST(DiskReserve, IsATwentiethOfTheDiskAndAGibibyteAtMost) {
  DiskReserve reserve(std::nullopt);
  reserve.measured(0, 2'000);
  EXPECT_EQ(reserve.reserve(), 100u);
  reserve.measured(0, 20 * kGiB);
  EXPECT_EQ(reserve.reserve(), kGiB);
  reserve.measured(0, 1000 * kGiB);
  EXPECT_EQ(reserve.reserve(), kGiB);
  reserve.measured(0, 0);
  EXPECT_EQ(reserve.reserve(), 0u);
}

TEST(DiskReserve, WhatTheOperatorSaysCountsWhateverTheDisk) {
  DiskReserve reserve(400);
  EXPECT_EQ(reserve.reserve(), 400u);
  reserve.measured(1, 20 * kGiB);
  EXPECT_EQ(reserve.reserve(), 400u);
}

TEST(DiskReserve, FilesStopAtItAndMessagesAtAQuarter) {
  DiskReserve reserve(400);
  struct Row {
    std::uint64_t free;
    bool files, messages;
  };
  for (const auto& [free, files, messages] : {Row{1'000, true, true}, Row{401, true, true}, Row{400, false, true},
                                              Row{100, false, true}, Row{99, false, false}, Row{0, false, false}}) {
    reserve.measured(free, 10'000);
    EXPECT_EQ(reserve.has_room_for_files(1), files) << free;
    EXPECT_EQ(reserve.take_for_files(1), files) << free;
    reserve.measured(free, 10'000);
    EXPECT_EQ(reserve.has_room_for_messages(), messages) << free;
  }
}

TEST(DiskReserve, FilesCountUntilTheDiskIsMeasuredAgain) {
  DiskReserve reserve(400);
  reserve.measured(1'000, 10'000);
  EXPECT_TRUE(reserve.take_for_files(500));
  EXPECT_FALSE(reserve.take_for_files(101));
  EXPECT_TRUE(reserve.take_for_files(100));
  EXPECT_FALSE(reserve.take_for_files(1));
  EXPECT_TRUE(reserve.has_room_for_messages());
  reserve.measured(401, 10'000);
  EXPECT_TRUE(reserve.take_for_files(1));
}

TEST(DiskReserve, WhatWasWrittenCountsUntilTheDiskIsMeasuredAgain) {
  DiskReserve reserve(400);
  reserve.measured(150, 10'000);
  reserve.wrote(50);
  EXPECT_TRUE(reserve.has_room_for_messages());
  reserve.wrote(1);
  EXPECT_FALSE(reserve.has_room_for_messages());
  reserve.wrote(1'000'000);
  EXPECT_EQ(reserve.free(), 0u);
  reserve.measured(150, 10'000);
  EXPECT_TRUE(reserve.has_room_for_messages());
}

TEST(DiskReserve, MoreThanThereIsHasNoRoomWithoutAReserveEither) {
  DiskReserve reserve(0);
  reserve.measured(10, 100);
  EXPECT_FALSE(reserve.take_for_files(11));
  EXPECT_TRUE(reserve.take_for_files(10));
  EXPECT_TRUE(reserve.has_room_for_messages());
}

TEST(DiskReserve, EverythingHasRoomBeforeTheFirstMeasurement) {
  DiskReserve reserve(400);
  EXPECT_TRUE(reserve.has_room_for_messages());
  EXPECT_TRUE(reserve.take_for_files(kGiB));
}

}  // namespace
}  // namespace payam
