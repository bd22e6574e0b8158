#include "runtime/task_group.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <cassert>
#include <utility>

namespace payam {

TaskGroup::TaskGroup(ErrorSink on_error) : on_error_(std::move(on_error)) {}

// Counts one task for as long as its completion handler exists: until that was called, or was destroyed with a loop that will
// not run again.
class TaskGroup::Running {
 public:
  explicit Running(TaskGroup& group) : group_(&group) { group.began(); }
  Running(Running&& other) noexcept : group_(std::exchange(other.group_, nullptr)) {}
  Running& operator=(Running&&) = delete;
  ~Running() {
    if (group_ != nullptr) group_->ended();
  }

  void report(const std::string& name, const std::exception& error) const { group_->on_error_(name, error); }

 private:
  TaskGroup* group_;
};

TaskGroup::~TaskGroup() { assert(running_ == 0); }

void TaskGroup::spawn(Executor executor, std::string name, Task<> task) {
  auto done = [name = std::move(name), running = Running(*this)](std::exception_ptr thrown) {
    if (!thrown) return;
    try {
      std::rethrow_exception(thrown);
    } catch (const boost::system::system_error& error) {
      if (error.code() != asio::error::operation_aborted) running.report(name, error);
    } catch (const std::exception& error) {
      running.report(name, error);
    }
  };
  asio::co_spawn(executor, std::move(task), std::move(done));
}

void TaskGroup::began() {
  const std::lock_guard lock(mutex_);
  ++running_;
}

void TaskGroup::ended() {
  const std::lock_guard lock(mutex_);
  if (--running_ == 0) idle_.notify_all();
}

std::size_t TaskGroup::running() const {
  const std::lock_guard lock(mutex_);
  return running_;
}

bool TaskGroup::wait(Millis limit) {
  std::unique_lock lock(mutex_);
  return idle_.wait_for(lock, limit, [this] { return running_ == 0; });
}

}  // namespace payam
