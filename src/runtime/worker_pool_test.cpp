#include "runtime/worker_pool.hpp"

#include <gtest/gtest.h>

#include <latch>
#include <stdexcept>

#include "runtime/shard_set.hpp"
#include "runtime/task_group.hpp"

namespace payam {
namespace {

using namespace std::chrono_literals;

// Runs `task` on a shard and gives the first exception's text, or "".
std::string run_on_shard(Task<> task) {
  std::string report;
  TaskGroup group([&](const std::string&, const std::exception& error) { report = error.what(); });
  ShardSet shards(1);
  group.spawn(shards[0].executor(), "test", std::move(task));
  if (!group.wait(10s)) report = "timed out";
  return report;
}

Task<> compute(WorkerPool& pool, std::thread::id& worker, std::thread::id& after, int& result) {
  result = co_await pool.run([&] {
    worker = std::this_thread::get_id();
    return 42;
  });
  after = std::this_thread::get_id();
}

TEST(WorkerPool, RunsElsewhereAndComesBackToTheShard) {
  WorkerPool pool("test", 2, 10);
  std::thread::id worker, after;
  int result = 0;
  EXPECT_EQ(run_on_shard(compute(pool, worker, after, result)), "");
  EXPECT_EQ(result, 42);
  EXPECT_NE(worker, after);
}

Task<> fail_inside(WorkerPool& pool) {
  co_await pool.run([] { throw std::runtime_error("disk on fire"); });
}

TEST(WorkerPool, ThrowsWhatTheWorkThrew) {
  WorkerPool pool("test", 1, 10);
  EXPECT_EQ(run_on_shard(fail_inside(pool)), "disk on fire");
}

Task<> one_more(WorkerPool& pool) {
  co_await pool.run([] {});
}

TEST(WorkerPool, SaysSoWhenItsQueueIsFull) {
  std::latch started(1), release(1);
  WorkerPool pool("passwords", 1, 1);
  ASSERT_TRUE(pool.try_submit([&] {
    started.count_down();
    release.wait();
  }));
  started.wait();
  ASSERT_TRUE(pool.try_submit([] {}));
  EXPECT_EQ(run_on_shard(one_more(pool)), "passwords is overloaded");
  release.count_down();
}

}  // namespace
}  // namespace payam
