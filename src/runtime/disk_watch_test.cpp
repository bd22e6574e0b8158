#include "runtime/disk_watch.hpp"

#include <gtest/gtest.h>

#include <filesystem>

namespace payam {
namespace {

TEST(DiskWatch, HasLookedWhenItIsMadeAndEndsAtOnce) {
  DiskReserve reserve(std::nullopt);
  const SteadyTime began = steady_now();
  {
    const DiskWatch watch(std::filesystem::temp_directory_path(), reserve, Millis{3'600'000});
    const auto size = std::filesystem::space(std::filesystem::temp_directory_path()).capacity;
    EXPECT_LE(reserve.free(), size);
    EXPECT_GT(reserve.reserve(), 0u);
  }
  EXPECT_LT(steady_now() - began, Millis{60'000});
}

TEST(DiskWatch, LooksAgain) {
  DiskReserve reserve(0);
  const DiskWatch watch(std::filesystem::temp_directory_path(), reserve, Millis{1});
  constexpr std::uint64_t kNever = 1;
  reserve.measured(kNever, kNever);
  const SteadyTime until = steady_now() + Millis{60'000};
  while (reserve.free() == kNever && steady_now() < until) std::this_thread::yield();
  EXPECT_NE(reserve.free(), kNever);
}

TEST(DiskWatch, ADirectoryThatCannotBeMeasuredChangesNothing) {
  DiskReserve reserve(400);
  const DiskWatch watch("/nowhere/at/all", reserve);
  EXPECT_TRUE(reserve.has_room_for_messages());
}

}  // namespace
}  // namespace payam
