// What every part of one server shares: options, encoder, shards with their counters, running coroutines and deadlines.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/budget.hpp"
#include "payam/sio/options.hpp"
#include "payam/sio/server.hpp"
#include "runtime/completion.hpp"
#include "runtime/shard.hpp"
#include "runtime/shard_count.hpp"
#include "socketio/encoder.hpp"
#include "socketio/missed_packets.hpp"

namespace payam::sio::detail {

// One shard's part of the server. Its thread only, but for the counts.
struct ShardState {
  explicit ShardState(Shard& its_shard, std::size_t its_index) : shard(its_shard), index(its_index) {}

  Shard& shard;
  const std::size_t index;  // in Core::shards

  struct {
    ShardCount connections, connections_opened, sockets, sockets_connected, sockets_refused, sockets_recovered, sessions_kept,
        events, events_invalid, packets_invalid, connections_overloaded, connections_insistent, attachments_timed_out,
        deliveries, volatile_dropped, acks_timed_out;
  } counts;

  // While a broadcast walks the rooms nothing may change them: what closes meanwhile (a full queue) waits for its end.
  bool delivering = false;
  std::vector<std::move_only_function<void()>> after_delivery;
};

class Core : public std::enable_shared_from_this<Core> {
 public:
  Core(Options its_options, std::vector<Shard*> its_shards);
  ~Core();

  const Options options;
  Budget attachment_bytes;
  const Encoder encoder;
  const MissedPackets::Limits missed_limits;
  const std::string node_id;
  const std::vector<Shard*> shards;
  std::atomic<bool> closed{false};
  std::atomic<std::uint64_t> broadcasts{0};

  ShardState& state(std::size_t index) { return *states_[index]; }
  ShardState& state_of(const Shard& shard);

  // Tells the application what was thrown. `where` names the kind of handler.
  void report(std::string_view where, const std::exception_ptr& error) const noexcept;

  // Runs a coroutine on its shard, from the shard; it starts at once. `ended` is called there with what it threw or null.
  using Ended = std::move_only_function<void(std::exception_ptr)>;
  void spawn(Shard& shard, Task<> task, Ended ended);
  // Posts work to a shard that wait_idle() waits for too.
  void post(Shard& shard, std::move_only_function<void()> work);
  bool wait_idle(Millis limit);

  // Calls `fire` on the first shard after `delay`, unless cancelled meanwhile (a cancellation posted later than the start).
  // When the server has closed: at once. Any thread.
  using DeadlineId = std::uint64_t;
  DeadlineId new_deadline() { return next_deadline_.fetch_add(1, std::memory_order_relaxed); }
  void start_deadline(DeadlineId id, Millis delay, std::function<void()> fire);
  void cancel_deadline(DeadlineId id);
  void fire_deadlines();  // on the first shard, when closing

 private:
  struct Deadline;

  void begin_running();
  void end_running();

  std::vector<std::unique_ptr<ShardState>> states_;
  std::mutex running_mutex_;
  std::condition_variable running_changed_;
  std::size_t running_ = 0;
  std::atomic<DeadlineId> next_deadline_{1};
  std::unordered_map<DeadlineId, std::unique_ptr<Deadline>> deadlines_;  // the first shard's
};

// Runs `work` on `shard` and gives its result back to the caller's executor; at once if it is the same shard.
template <class R, class F>
Task<R> run_on(Shard& shard, F work) {
  if (shard.here()) co_return work();
  auto start = [&shard, &work](Completion<R> done) { shard.post([&work, done = std::move(done)]() mutable { done(work()); }); };
  co_return co_await await_completion<R>(start);
}

}  // namespace payam::sio::detail
