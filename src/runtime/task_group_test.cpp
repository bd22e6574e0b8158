#include "runtime/task_group.hpp"

#include <gtest/gtest.h>

#include <latch>
#include <stdexcept>

#include "runtime/completion.hpp"
#include "runtime/shard_set.hpp"

namespace payam {
namespace {

using namespace std::chrono_literals;

Task<> fails() {
  throw std::runtime_error("disk on fire");
  co_return;
}

// Waits for what never comes.
Task<> waits(std::latch& waiting, std::optional<Completion<int>>& held) {
  auto start = [&](Completion<int> done) {
    held.emplace(std::move(done));
    waiting.count_down();
  };
  co_await await_completion<int>(start);
}

TEST(TaskGroup, ReportsWhatATaskThrew) {
  std::string report;
  TaskGroup group([&](const std::string& name, const std::exception& error) { report = name + ": " + error.what(); });
  ShardSet shards(1);
  group.spawn(shards[0].executor(), "burn", fails());
  EXPECT_TRUE(group.wait(10s));
  EXPECT_EQ(report, "burn: disk on fire");
}

TEST(TaskGroup, ATaskThatIsDestroyedWithItsLoopHasEnded) {
  TaskGroup group([](const std::string&, const std::exception&) {});
  {
    std::latch waiting(1);
    std::optional<Completion<int>> held;
    ShardSet shards(1);
    group.spawn(shards[0].executor(), "wait", waits(waiting, held));
    waiting.wait();
    EXPECT_FALSE(group.wait(1ms));
    EXPECT_EQ(group.running(), 1u);
    shards.stop();
    shards.join();
    held.reset();
  }
  EXPECT_EQ(group.running(), 0u);
}

}  // namespace
}  // namespace payam
