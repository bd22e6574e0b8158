// A shard: one thread, one io_context, its connections and its part of every room. Nothing inside is locked; other threads
// reach it through post() alone. It can run on a thread of its own (ShardSet) or on a loop the application already has.
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <span>
#include <utility>

#include "base/clock.hpp"
#include "runtime/poller.hpp"
#include "runtime/task.hpp"
#include "runtime/timer_wheel.hpp"

namespace payam {

// A place in a circular list; a list is known by a link of its own, linked to itself while the list is empty.
class FlushLink {
 private:
  friend class Flushable;
  friend class Shard;

  bool is_linked() const { return next_ != nullptr; }
  bool is_empty() const { return next_ == this; }
  void clear() { previous_ = next_ = this; }
  void insert_before(FlushLink& place);
  void unlink();

  FlushLink* previous_ = nullptr;
  FlushLink* next_ = nullptr;
  bool bulk_ = false;
};

// Something with output collected during a turn of the loop. Embed or inherit; its destructor leaves the shard's list.
class Flushable : private FlushLink {
 public:
  Flushable() = default;
  Flushable(const Flushable&) = delete;
  Flushable& operator=(const Flushable&) = delete;

 protected:
  ~Flushable() {
    if (is_linked()) unlink();
  }

 private:
  friend class Shard;
  virtual void flush() = 0;
  // Soon flush() will be called: fetches what that reads. A send evicts what other connections' last turn has left in the
  // caches, so that each first touch is a miss; this way they overlap with the send before.
  virtual void fetch() const {}
};

class Shard {
 public:
  static constexpr std::size_t kScratchBytes = 64 * 1024;

  // `context` outlives the shard and is run by one thread only.
  Shard(int id, asio::io_context& context);
  ~Shard();
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  int id() const { return id_; }
  asio::io_context& context() { return context_; }
  Executor executor() { return context_.get_executor(); }
  bool here() const { return context_.get_executor().running_in_this_thread(); }

  // Runs `work` on the shard, later; any thread. Closures posted by one thread run in its order.
  template <class F>
  void post(F&& work) {
    asio::post(context_, std::forward<F>(work));
  }

  // The rest is for the shard's own thread.

  void start_timer(Timer& timer, Millis delay);

  // Time at the start of this turn of timers, or fresh; good enough for time-outs.
  SteadyTime now() const { return steady_now(); }

  // A buffer to read into; its content is gone when the current handler returns or suspends.
  std::span<char> scratch() { return *scratch_; }

  // For the streams that live here.
  const std::shared_ptr<Poller>& poller() { return poller_; }

  // Calls flush() once at the end of this turn of the loop: after every socket that was ready with the present one, or after
  // every handler that was ready with this one. Calling it again before that changes nothing. At most kFlushSlice run in one
  // go, the rest waits as a backlog; what later turns bring goes before it.
  void flush_later(Flushable& output);

  // Outputs flushed in one go. Who queues for more than that is to have a Bulk meanwhile.
  static constexpr std::size_t kFlushSlice = 128;

  // While it lives, flush_later() puts what has nothing else to write into the backlog at once: an acknowledgement of the same
  // turn does not wait behind a broadcast to thousands.
  class Bulk {
   public:
    Bulk(Shard& shard, bool bulk) : shard_(shard), before_(std::exchange(shard.in_bulk_, bulk)) {}
    ~Bulk() { shard_.in_bulk_ = before_; }
    Bulk(const Bulk&) = delete;
    Bulk& operator=(const Bulk&) = delete;

   private:
    Shard& shard_;
    const bool before_;
  };

 private:
  void end_batch();
  void run_flushes();
  void post_flushes();
  static std::size_t flush_some(FlushLink& list, std::size_t limit);
  void arm();
  void on_alarm();

  const int id_;
  asio::io_context& context_;
  const std::shared_ptr<Poller> poller_;
  TimerWheel wheel_;
  asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor> alarm_;
  SteadyTime armed_for_ = SteadyTime::max();
  FlushLink flush_fresh_;
  FlushLink flush_backlog_;
  bool flush_posted_ = false;
  bool in_bulk_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for closures that outlive the shard on a foreign loop
  std::unique_ptr<std::array<char, kScratchBytes>> scratch_ = std::make_unique<std::array<char, kScratchBytes>>();
};

}  // namespace payam
