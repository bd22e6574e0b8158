// A bounded pool of threads for work that blocks or computes long: bcrypt, database reads, pictures. Shards never wait.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <type_traits>
#include <variant>
#include <vector>

#include "runtime/completion.hpp"
#include "runtime/task.hpp"
#include "runtime/unavailable.hpp"

namespace payam {

class WorkerPool {
 public:
  using Job = std::move_only_function<void()>;

  // `name` is for error texts; `queue_limit` bounds the jobs that wait.
  WorkerPool(std::string name, int threads, std::size_t queue_limit);
  // Finishes what is queued, then joins.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // Runs `work()` on a pool thread and gives its result back on the caller's executor; what it throws is thrown here.
  // Throws Overloaded at once when the queue is full. Not cancellable.
  template <class F>
  Task<std::invoke_result_t<F&>> run(F work) {
    using R = std::invoke_result_t<F&>;
    if constexpr (std::is_void_v<R>) {
      auto wrapped = [&work] {
        work();
        return std::monostate{};
      };
      co_await run_value<std::monostate>(wrapped);
    } else {
      co_return co_await run_value<R>(work);
    }
  }

  // Any thread. `job` must not throw. False when the queue is full or the pool is stopping; the job is destroyed.
  bool try_submit(Job job);

  std::size_t queued() const;

 private:
  // `work` is a local of the caller's coroutine frame, which is suspended until the completion.
  template <class R, class F>
  Task<R> run_value(F& work) {
    auto start = [this, &work](Completion<R> done) {
      auto shared = std::make_shared<Completion<R>>(std::move(done));
      auto job = [&work, shared] {
        try {
          (*shared)(work());
        } catch (...) {
          shared->fail(std::current_exception());
        }
      };
      if (!try_submit(std::move(job))) shared->fail(std::make_exception_ptr(Overloaded(name_ + " is overloaded")));
    };
    co_return co_await await_completion<R>(start);
  }

  void work_loop();

  const std::string name_;
  const std::size_t queue_limit_;
  mutable std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<Job> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace payam
