// A server that cannot serve yet, as its database is away: it listens, says that it lives (/healthz: 200) and is not ready
// (/readyz: 503), and asks everybody else to come back (503 with Retry-After).
#pragma once

#include <cstdint>

#include "chat/app/options.hpp"
#include "http/server/server.hpp"
#include "runtime/shard_set.hpp"

namespace payam::chat {

class WaitingRoom {
 public:
  // Listens. Throws std::runtime_error if the address cannot be had.
  explicit WaitingRoom(const Options& options);
  // Everyone is answered; the port is free again.
  ~WaitingRoom();
  WaitingRoom(const WaitingRoom&) = delete;
  WaitingRoom& operator=(const WaitingRoom&) = delete;

  std::uint16_t port() const { return http_.port(); }

 private:
  ShardSet shards_{1};
  http::Server http_;
};

}  // namespace payam::chat
