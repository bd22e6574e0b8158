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

// One shard's part. Its thread only, but for the load.
struct ShardState {
  explicit ShardState(Shard& s) : shard(s) {}

  Shard& shard;
  Connection* first = nullptr;  // those that are not upgraded

  // The connections, upgraded ones included. Each stream holds the lease, whoever owns the stream; how many hold it is the
  // load, so that being counted takes no memory of a connection's own.
  std::shared_ptr<void> lease() const { return lease_; }
  std::size_t load() const { return static_cast<std::size_t>(lease_.use_count() - 1); }

  // `Mon, 23 Nov 2026 05:52:00 GMT`, made once a second.
  const std::string& date();

 private:
  const std::shared_ptr<void> lease_ = std::make_shared<char>();
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

}  // namespace payam::http
