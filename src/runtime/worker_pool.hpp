// A bounded pool of threads for work that blocks or computes long: bcrypt, database reads, pictures. Shards never wait. Work
// that waits for a thread is served in turn by who it is for.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <type_traits>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "runtime/completion.hpp"
#include "runtime/fair_queue.hpp"
#include "runtime/task.hpp"
#include "runtime/unavailable.hpp"

namespace payam {

// How work waits for a thread.
struct Turn {
  std::string caller = {};                                             // whom it is for; "" is one caller, too
  std::size_t most_waiting = std::numeric_limits<std::size_t>::max();  // of this caller; one more is refused
  Millis patience = Millis::max();                                     // then it is refused; noticed when a thread comes free
  std::stop_token stop = {};                                           // once requested it is not begun any more
};

class WorkerPool {
 public:
  // `name` is for error texts; `queue_limit` bounds the jobs that wait.
  WorkerPool(std::string name, int threads, std::size_t queue_limit);
  // Finishes what is queued, then joins.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // Runs `work()` on a pool thread and gives its result back on the caller's executor; what it throws is thrown here.
  // Throws Overloaded if the queue is full, at once, and if the work was not begun as `turn` has it.
  template <class F>
  Task<std::invoke_result_t<F&>> run(F work, Turn turn = {}) {
    using R = std::invoke_result_t<F&>;
    if constexpr (std::is_void_v<R>) {
      auto wrapped = [&work] {
        work();
        return std::monostate{};
      };
      co_await run_value<std::monostate>(wrapped, turn);
    } else {
      co_return co_await run_value<R>(work, turn);
    }
  }

  using Job = std::move_only_function<void()>;
  // Any thread. `job` must not throw. False when the queue is full or the pool is stopping; the job is destroyed.
  bool try_submit(Job job, std::string caller = {}) {
    return enqueue([job = std::move(job)](Outcome) mutable { job(); }, {.caller = std::move(caller)});
  }

  std::size_t queued() const;
  // Work that was refused as too much was waiting, and work that waited too long, since the start; any thread.
  std::uint64_t refused() const { return refused_.load(std::memory_order_relaxed); }
  std::uint64_t late() const { return late_.load(std::memory_order_relaxed); }

 private:
  // Called once, on a pool thread: it runs the work, or tells that it waited too long. Throws nothing.
  enum class Outcome : std::uint8_t { run, late };
  using Work = std::move_only_function<void(Outcome)>;

  // False when too much waits or the pool is stopping; the work is destroyed.
  bool enqueue(Work work, const Turn& turn);

  // `work` and `turn` are locals of the caller's coroutine frame, which is suspended until the completion.
  template <class R, class F>
  Task<R> run_value(F& work, const Turn& turn) {
    auto start = [this, &work, &turn](Completion<R> done) {
      auto shared = std::make_shared<Completion<R>>(std::move(done));
      auto job = [this, &work, shared, stop = turn.stop](Outcome outcome) {
        if (outcome == Outcome::late) return shared->fail(std::make_exception_ptr(Overloaded(name_ + " took too long")));
        if (stop.stop_requested()) return shared->fail(std::make_exception_ptr(Overloaded("nobody waits for " + name_)));
        try {
          (*shared)(work());
        } catch (...) {
          shared->fail(std::current_exception());
        }
      };
      if (!enqueue(std::move(job), turn)) shared->fail(std::make_exception_ptr(Overloaded(name_ + " is overloaded")));
    };
    co_return co_await await_completion<R>(start);
  }

  void work_loop();

  const std::string name_;
  const std::size_t queue_limit_;
  mutable std::mutex mutex_;
  std::condition_variable ready_;
  FairQueue<Work> queue_;
  bool stopping_ = false;
  std::atomic<std::uint64_t> refused_{0}, late_{0};
  std::vector<std::thread> threads_;
};

}  // namespace payam
