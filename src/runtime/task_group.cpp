#include "runtime/task_group.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <cassert>

namespace payam {

TaskGroup::TaskGroup(ErrorSink on_error) : on_error_(std::move(on_error)) {}

TaskGroup::~TaskGroup() { assert(running_ == 0); }

void TaskGroup::spawn(Executor executor, std::string name, Task<> task) {
  {
    const std::lock_guard lock(mutex_);
    ++running_;
  }
  asio::co_spawn(executor, std::move(task), [this, name = std::move(name)](std::exception_ptr thrown) {
    if (thrown) {
      try {
        std::rethrow_exception(thrown);
      } catch (const boost::system::system_error& error) {
        if (error.code() != asio::error::operation_aborted) on_error_(name, error);
      } catch (const std::exception& error) {
        on_error_(name, error);
      }
    }
    ended();
  });
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
