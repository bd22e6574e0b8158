// The Engine.IO v4 server: sessions over HTTP long-polling and websocket. https://socket.io/docs/v4/engine-io-protocol/
// Attach it to an http::Router; every session lives on the shard of the connection that opened it.
#pragma once

#include <any>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "engineio/encoded_packet.hpp"
#include "engineio/session_types.hpp"
#include "http/server/router.hpp"
#include "runtime/shard.hpp"

namespace payam::eio {

// What an application sees of the request that opened a session.
struct Handshake {
  http::Headers headers;
  http::Query query;
  std::string url;      // target as sent
  std::string address;  // the peer's
  bool secure = false;
  Timestamp issued{};
};

// One client's session. Its shard's thread only, except id() and shard(). Held by the server and by who keeps the pointer;
// after on_close every call is a no-op.
class Session {
 public:
  virtual ~Session() = default;

  virtual const std::string& id() const = 0;
  virtual Shard& shard() const = 0;
  virtual const Handshake& handshake() const = 0;
  virtual Transport transport() const = 0;
  virtual bool is_open() const = 0;

  struct SendOptions {
    bool droppable = false;  // volatile: dropped, all of `packets`, when the transport is not writable now
    bool compress = true;    // may be compressed if the transport has negotiated it
  };
  // Queues the packets as one unit, flushed at the turn's end. False if dropped. Over max_buffered_bytes the session is closed
  // with buffer_overflow (after refusing droppable ones).
  virtual bool send(std::span<const PacketRef> packets, SendOptions options) = 0;
  bool send(PacketRef packet, SendOptions options) { return send(std::span(&packet, 1), options); }

  // Sends what is queued, then a close packet, then closes the transport.
  virtual void close() = 0;
  // Closes at once with this reason; nothing more is sent.
  virtual void terminate(CloseReason reason) = 0;

  virtual std::size_t buffered_bytes() const = 0;
};

// The layer above, one a session. Called on the session's shard. Destroyed after on_close returned.
class SessionHandler {
 public:
  virtual ~SessionHandler() = default;
  // A message packet's data, valid during the call.
  virtual void on_text(std::string_view data) = 0;
  virtual void on_binary(std::string_view data) = 0;
  virtual void on_close(CloseReason reason) = 0;
};

struct Options {
  Millis ping_interval{25'000};
  Millis ping_timeout{20'000};
  Millis upgrade_timeout{10'000};
  std::size_t max_payload = 1'000'000;       // bytes, one packet or polling body (maxHttpBufferSize)
  std::size_t max_buffered_bytes = 4 << 20;  // queued for one session; over it: buffer_overflow
  bool allow_polling = true;
  bool allow_websocket = true;
  bool allow_upgrades = true;
  struct Cors {
    std::vector<std::string> origins;  // exact, or "*"
    bool credentials = false;
  };
  std::optional<Cors> cors;
  // nullopt accepts; a text refuses with 403 code 4 (empty: "Forbidden").
  std::function<std::optional<std::string>(const http::Request&)> allow_request;
};

struct Counters {
  std::uint64_t sessions_open = 0, sessions_opened = 0, upgrades = 0, bytes_queued = 0;
  std::uint64_t packets_sent = 0, packets_received = 0, writes = 0;
};

class Server {
 public:
  // Makes the handler of a new session, on its shard, before its first packet is read.
  using OnSession = std::function<std::unique_ptr<SessionHandler>(std::shared_ptr<Session>)>;

  // `shards` outlive the server. Every HTTP connection that reaches attach()ed routes runs on one of them.
  Server(std::vector<Shard*> shards, Options options, OnSession on_session);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Serves `path` ("/socket.io/") on the router; before the HTTP server starts.
  void attach(http::Router& router, std::string path);

  // Ends every session ("server_shutdown": close packet) and refuses new ones; returns at once. Any thread.
  void shutdown();

  Counters counters() const;  // any thread; a snapshot, not exact across shards

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace payam::eio
