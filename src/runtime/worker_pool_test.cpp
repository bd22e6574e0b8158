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

// A pool whose one thread is busy until release() is called.
struct BusyPool {
  BusyPool() {
    EXPECT_TRUE(pool.try_submit([this] {
      started.count_down();
      held.wait();
    }));
    started.wait();
  }
  void release() { held.count_down(); }

  std::latch started{1}, held{1};
  WorkerPool pool{"passwords", 1, 100};
};

// Runs work of each caller's in the order in which it was asked for; what ran, and the errors.
struct Callers {
  explicit Callers(WorkerPool& its_pool) : pool(its_pool) {}

  static Task<> ask(Callers& self, Turn turn) {
    const std::string caller = turn.caller;
    auto work = [&self, caller] { self.ran += caller; };  // the pool has one thread
    try {
      co_await self.pool.run(work, std::move(turn));
    } catch (const Overloaded& error) {
      self.errors += std::string(error.what()) + ";";
    }
  }
  void ask(Turn turn) { group.spawn(shards[0].executor(), "ask", ask(*this, std::move(turn))); }
  void wait_until_queued(std::size_t count) {
    for (int i = 0; i < 10'000 && pool.queued() != count; ++i) std::this_thread::sleep_for(1ms);
    ASSERT_EQ(pool.queued(), count);
  }

  WorkerPool& pool;
  std::string ran, errors;
  TaskGroup group{[](const std::string&, const std::exception&) {}};
  ShardSet shards{1};
};

TEST(WorkerPool, CallersTakeTurns) {
  BusyPool busy;
  Callers callers(busy.pool);
  for (const char* caller : {"a", "a", "a", "b", "c", "b"}) callers.ask({.caller = caller});
  callers.wait_until_queued(6);
  busy.release();
  ASSERT_TRUE(callers.group.wait(10s));
  EXPECT_EQ(callers.ran, "abcaba");
}

TEST(WorkerPool, ACallerHasSoMuchWaitingAndNoMore) {
  BusyPool busy;
  Callers callers(busy.pool);
  for (const char* caller : {"a", "a", "a", "b"}) callers.ask({.caller = caller, .most_waiting = 2});
  callers.wait_until_queued(3);
  busy.release();
  ASSERT_TRUE(callers.group.wait(10s));
  EXPECT_EQ(callers.ran, "aba");
  EXPECT_EQ(callers.errors, "passwords is overloaded;");
  EXPECT_EQ(busy.pool.refused(), 1u);
}

TEST(WorkerPool, WorkThatWaitedTooLongIsNotBegun) {
  BusyPool busy;
  Callers callers(busy.pool);
  callers.ask({.caller = "a", .patience = 1ms});
  callers.ask({.caller = "b"});
  callers.wait_until_queued(2);
  std::this_thread::sleep_for(5ms);
  busy.release();
  ASSERT_TRUE(callers.group.wait(10s));
  EXPECT_EQ(callers.ran, "b");
  EXPECT_EQ(callers.errors, "passwords took too long;");
  EXPECT_EQ(busy.pool.late(), 1u);
}

TEST(WorkerPool, WorkNobodyWaitsForIsNotBegun) {
  BusyPool busy;
  Callers callers(busy.pool);
  std::stop_source gone;
  callers.ask({.caller = "a", .stop = gone.get_token()});
  callers.ask({.caller = "b"});
  callers.wait_until_queued(2);
  gone.request_stop();
  busy.release();
  ASSERT_TRUE(callers.group.wait(10s));
  EXPECT_EQ(callers.ran, "b");
  EXPECT_EQ(callers.errors, "nobody waits for passwords;");
}

}  // namespace
}  // namespace payam
