// The owner of spawned coroutines: every one of them belongs to a group, which reports what they throw and can wait for them.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <string>

#include "base/clock.hpp"
#include "runtime/task.hpp"

namespace payam {

class TaskGroup {
 public:
  // Called on the thread where the task ended; must not throw. Not called for a task that was merely cancelled.
  using ErrorSink = std::function<void(const std::string& name, const std::exception& error)>;

  explicit TaskGroup(ErrorSink on_error);
  // All tasks must have ended: wait() first; or their loops are destroyed, and they with them.
  ~TaskGroup();
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  // Runs `task` on `executor`; any thread. `name` appears in reports. On the executor's own thread the task starts at once.
  void spawn(Executor executor, std::string name, Task<> task);

  std::size_t running() const;

  // Waits until no task runs or the time is over; true in the first case. Not from a thread the tasks need.
  bool wait(Millis limit);

 private:
  class Running;
  void began();
  void ended();

  ErrorSink on_error_;
  mutable std::mutex mutex_;
  std::condition_variable idle_;
  std::size_t running_ = 0;
};

}  // namespace payam
