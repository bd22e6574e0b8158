// What the connections of one server share. Kept alive by each of them.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/budget.hpp"
#include "http/server/cors.hpp"
#include "http/server/proxies.hpp"
#include "http/server/server.hpp"
#include "runtime/shard.hpp"
#include "runtime/stream.hpp"
#include "runtime/tls.hpp"

namespace payam::http {

class Connection;
struct ServerState;

// The count of the connections, which outlives the server where upgraded ones do.
struct Census {
  Census(const Budget::Bounds& bounds, std::size_t shards) : budget(bounds), loads(shards) {}

  Budget budget;
  std::vector<std::atomic<std::size_t>> loads;  // of each shard
};

// One connection's place among all. Its stream holds it, whoever owns the stream, so that an upgraded one counts on.
class ConnectionLease final : public Stream::Hold {
 public:
  ConnectionLease(std::shared_ptr<Census> census, std::size_t shard, Budget::Held held)
      : load_(census, &census->loads[shard]), held_(std::move(held)) {
    load_->fetch_add(1, std::memory_order_relaxed);
  }
  ~ConnectionLease() override { load_->fetch_sub(1, std::memory_order_relaxed); }
  ConnectionLease(const ConnectionLease&) = delete;
  ConnectionLease& operator=(const ConnectionLease&) = delete;

  // From now on it counts for this network, or for none if that is empty; false if the network has its fill.
  bool count_for(std::string network) { return !held_.move_to({.network = std::move(network)}); }

 private:
  const std::shared_ptr<std::atomic<std::size_t>> load_;  // keeps the census
  Budget::Held held_;
};

// One shard's part. Its thread only.
struct ShardState {
  explicit ShardState(Shard& s) : shard(s) {}

  Shard& shard;
  Connection* first = nullptr;  // those that are not upgraded

  // `Mon, 23 Nov 2026 05:52:00 GMT`, made once a second.
  const std::string& date();

 private:
  std::int64_t date_second_ = -1;
  std::string date_;
};

struct ServerState {
  ServerState(std::vector<Shard*> list, Router r, ServerOptions o);

  const Router router;
  const ServerOptions options;
  const Cors cors;
  const TrustedProxies proxies;
  std::optional<const TlsContext> tls;
  std::vector<std::unique_ptr<ShardState>> shards;

  const std::shared_ptr<Census> census;
  Budget bodies;   // bytes of bodies that are being collected, or handled and not small
  Budget replies;  // bytes of responses that their readers keep waiting

  std::atomic<bool> stopping = false;
  std::atomic<bool> forwarding_told = false;  // on_forwarding_ignored has been called

  // Different for every request of every server: a random part and a count.
  std::string new_request_id();

  // Counts the connections that are not upgraded, for who waits for their end; keeps the state alive.
  class OpenCount {
   public:
    explicit OpenCount(std::shared_ptr<ServerState> state);
    ~OpenCount();
    OpenCount(const OpenCount&) = delete;
    OpenCount& operator=(const OpenCount&) = delete;
    ServerState* state() const { return state_.get(); }

   private:
    std::shared_ptr<ServerState> state_;
  };
  bool wait_until_none_open(Millis limit);

 private:
  std::string id_prefix_;
  std::atomic<std::uint64_t> next_id_ = 0;
  std::mutex mutex_;
  std::condition_variable none_open_;
  std::size_t open_ = 0;
};

}  // namespace payam::http
