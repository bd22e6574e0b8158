// The bridge from a callback on any thread to a coroutine on its shard.
#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "runtime/task.hpp"

namespace payam {

// Resumes the coroutine that waits in await_completion(). Call exactly one of the two, exactly once, on any thread:
// the coroutine goes on through its own executor, never inside the call. A pool's threads end before the loops they complete
// to. R may be std::monostate for "nothing".
template <class R>
class Completion {
 public:
  using Resume = std::move_only_function<void(std::exception_ptr, std::optional<R>)>;

  explicit Completion(Resume resume) : resume_(std::move(resume)) {}

  void operator()(R result) { resume_(nullptr, std::move(result)); }
  void fail(std::exception_ptr error) { resume_(std::move(error), std::nullopt); }

 private:
  Resume resume_;
};

// Calls `start(Completion<R>)` and waits until the completion is called. Not cancellable: what was begun is finished.
// `start` must not throw: Asio has no way for an exception out of an initiation; use Completion::fail.
template <class R, class Start>
Task<R> await_completion(Start start) {
  const Executor executor = co_await asio::this_coro::executor;
  auto initiation = [executor, &start](auto handler) {
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    // The work guard keeps the loop running while a pool holds the completion. Both go with the posted call, so that a
    // completion that is destroyed late, on the pool's thread, touches neither the loop nor the coroutine.
    auto guard = asio::make_work_guard(executor);
    auto resume = [executor, shared = std::move(shared), guard = std::move(guard)](std::exception_ptr error,
                                                                                   std::optional<R> result) mutable {
      asio::post(executor,
                 [shared = std::move(shared), guard = std::move(guard), error = std::move(error),
                  result = std::move(result)]() mutable { std::move (*shared)(std::move(error), std::move(result)); });
    };
    start(Completion<R>(std::move(resume)));
  };
  auto result =
      co_await asio::async_initiate<const asio::use_awaitable_t<Executor>, void(std::exception_ptr, std::optional<R>)>(
          initiation, use_task);
  co_return std::move(*result);
}

}  // namespace payam
