#include "socketio/server/core.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <cassert>
#include <cstdio>

#include "base/random.hpp"

namespace payam::sio::detail {
namespace {

MissedPackets::Limits missed_limits_of(const Options& options) {
  MissedPackets::Limits limits;
  if (options.connection_state_recovery) {
    const auto& recovery = *options.connection_state_recovery;
    limits.packets = recovery.max_packets;
    limits.bytes = recovery.max_bytes;
    // A packet may have been lost up to a whole heartbeat before the connection was found dead.
    limits.age = recovery.max_disconnection_duration + options.ping_interval + options.ping_timeout;
  }
  return limits;
}

}  // namespace

struct Core::Deadline {
  Deadline(Core& its_core, DeadlineId its_id, std::function<void()> its_fire)
      : core(its_core), id(its_id), fire(std::move(its_fire)) {}

  void on_timer() {
    const auto self = std::move(core.deadlines_.extract(id).mapped());
    self->fire();
  }

  Core& core;
  DeadlineId id;
  std::function<void()> fire;
  MemberTimer<&Deadline::on_timer> timer{*this};
};

Core::Core(Options its_options, std::vector<Shard*> its_shards)
    : options(std::move(its_options)),
      attachment_bytes(options.attachment_bytes),
      encoder(options.parser),
      missed_limits(missed_limits_of(options)),
      node_id(random_token(9)),
      shards(std::move(its_shards)) {
  assert(!shards.empty());
  for (std::size_t i = 0; i < shards.size(); ++i) states_.push_back(std::make_unique<ShardState>(*shards[i], i));
}

Core::~Core() = default;

ShardState& Core::state_of(const Shard& shard) {
  const auto found = std::ranges::find(shards, &shard);
  assert(found != shards.end());
  return *states_[static_cast<std::size_t>(found - shards.begin())];
}

void Core::report(std::string_view where, const std::exception_ptr& error) const noexcept {
  try {
    std::rethrow_exception(error);
  } catch (const boost::system::system_error& failure) {
    if (failure.code() == asio::error::operation_aborted) return;  // cancelled: normal
    if (options.on_exception) return options.on_exception(where, failure);
    std::fprintf(stderr, "socketio: %.*s: %s\n", static_cast<int>(where.size()), where.data(), failure.what());
  } catch (const std::exception& failure) {
    if (options.on_exception) return options.on_exception(where, failure);
    std::fprintf(stderr, "socketio: %.*s: %s\n", static_cast<int>(where.size()), where.data(), failure.what());
  } catch (...) {
    std::fprintf(stderr, "socketio: %.*s: something that is no std::exception\n", static_cast<int>(where.size()), where.data());
  }
}

// Not a TaskGroup: a loop of the application may die with coroutines suspended in it, and nobody must wait for those.
void Core::spawn(Shard& shard, Task<> task, Ended ended) {
  begin_running();
  asio::co_spawn(shard.executor(), std::move(task),
                 [core = shared_from_this(), ended = std::move(ended)](std::exception_ptr error) mutable {
                   ended(error);
                   core->end_running();
                 });
}

void Core::post(Shard& shard, std::move_only_function<void()> work) {
  begin_running();
  shard.post([core = shared_from_this(), work = std::move(work)]() mutable {
    work();
    core->end_running();
  });
}

void Core::begin_running() {
  const std::lock_guard lock(running_mutex_);
  ++running_;
}

void Core::end_running() {
  const std::lock_guard lock(running_mutex_);
  if (--running_ == 0) running_changed_.notify_all();
}

bool Core::wait_idle(Millis limit) {
  std::unique_lock lock(running_mutex_);
  return running_changed_.wait_for(lock, limit, [this] { return running_ == 0; });
}

void Core::start_deadline(DeadlineId id, Millis delay, std::function<void()> fire) {
  Shard& shard = *shards.front();
  shard.post([core = shared_from_this(), id, delay, fire = std::move(fire)]() mutable {
    if (core->closed) return fire();
    auto deadline = std::make_unique<Deadline>(*core, id, std::move(fire));
    core->shards.front()->start_timer(deadline->timer, delay);
    core->deadlines_.emplace(id, std::move(deadline));
  });
}

void Core::fire_deadlines() {
  for (auto& [id, deadline] : std::exchange(deadlines_, {})) deadline->fire();
}

void Core::cancel_deadline(DeadlineId id) {
  shards.front()->post([core = shared_from_this(), id] { core->deadlines_.erase(id); });
}

}  // namespace payam::sio::detail
