// For tests: a coroutine on a shard, from outside.
#pragma once

#include <functional>
#include <future>
#include <utility>

#include "runtime/shard.hpp"
#include "runtime/task_group.hpp"

namespace payam::chat::testing {

// Runs it to its end; throws what it throws.
inline void run_on(TaskGroup& tasks, Shard& shard, std::function<Task<>()> work) {
  std::promise<void> done;
  auto run = [](std::function<Task<>()> body, std::promise<void>& ended) -> Task<> {
    try {
      co_await body();
      ended.set_value();
    } catch (...) {
      ended.set_exception(std::current_exception());
    }
  };
  tasks.spawn(shard.executor(), "test", run(std::move(work), done));
  done.get_future().get();
}

}  // namespace payam::chat::testing
