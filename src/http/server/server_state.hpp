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

#include "http/server/cors.hpp"
#include "http/server/proxies.hpp"
#include "http/server/server.hpp"
#include "runtime/shard.hpp"
#include "runtime/tls.hpp"

namespace payam::http {

class Connection;
struct ServerState;

// One shard's part. Its thread only, but for `load`.
struct ShardState {
  explicit ShardState(Shard& s) : shard(s) {}

  Shard& shard;
  std::atomic<std::size_t> load = 0;  // connections, upgraded ones included
  Connection* first = nullptr;        // those that are not upgraded

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

  std::atomic<bool> stopping = false;
  std::atomic<std::size_t> body_memory = 0;  // bytes of bodies being collected

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

// Counts one connection on its shard for as long as its stream lives, whoever owns that.
class Lease {
 public:
  Lease(std::shared_ptr<ServerState> state, ShardState& shard) : state_(std::move(state)), shard_(shard) {
    shard_.load.fetch_add(1, std::memory_order_relaxed);
  }
  ~Lease() { shard_.load.fetch_sub(1, std::memory_order_relaxed); }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  const std::shared_ptr<ServerState>& state() const { return state_; }
  ShardState& shard() const { return shard_; }

 private:
  std::shared_ptr<ServerState> state_;
  ShardState& shard_;
};

}  // namespace payam::http
