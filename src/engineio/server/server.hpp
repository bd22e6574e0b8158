// The Engine.IO v4 server: sessions over HTTP long-polling and websocket. https://socket.io/docs/v4/engine-io-protocol/
// Attach it to an http::Router; every session lives on the shard of the connection that opened it.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/budget.hpp"
#include "base/clock.hpp"
#include "engineio/encoded_packet.hpp"
#include "engineio/session_types.hpp"
#include "http/packed_request.hpp"
#include "http/server/router.hpp"
#include "runtime/shard.hpp"

namespace payam::eio {

// What an application sees of the request that opened a session. Kept as long as the session, hence packed, and without
// the headers that only open a websocket.
struct Handshake {
  http::PackedRequest request;
  bool secure = false;
  Timestamp issued{};
};

// One client's session. Its shard's thread only, except id() and shard(). Held by the server and by who keeps the pointer;
// once it is closed every call is a no-op.
class Session {
 public:
  virtual ~Session() = default;

  virtual const std::string& id() const = 0;
  virtual Shard& shard() const = 0;
  virtual const Handshake& handshake() const = 0;
  virtual Transport transport() const = 0;
  virtual Protocol protocol() const = 0;
  virtual bool is_open() const = 0;

  struct SendOptions {
    bool droppable = false;  // volatile: dropped, all of `packets`, when the transport is not writable now
    bool compress = true;    // may be compressed if the transport has negotiated it
  };
  // Queues the packets as one unit, flushed at the turn's end. False if dropped. Over max_buffered_bytes the session is closed
  // with buffer_overflow; droppable packets are merely dropped there.
  virtual bool send(std::span<const PacketRef> packets, SendOptions options) = 0;
  bool send(PacketRef packet, SendOptions options) { return send(std::span(&packet, 1), options); }
  // The peer is known to the layer above: from now on it may send packets of max_payload bytes.
  virtual void admit() {}
  // Fetches into the processor's cache what send() will read beyond the session's own first lines: for who sends to thousands.
  virtual void fetch() const {}

  // Sends what is queued, then closes the transport: with a close packet on polling, with the close handshake on a websocket.
  virtual void close() = 0;
  // Closes at once with this reason; what is queued is dropped, unless a poll is there to take it.
  virtual void terminate(CloseReason reason) = 0;

  virtual std::size_t buffered_bytes() const = 0;
};

// The layer above, one a session. Called on the session's shard, from the loop: never inside a call to the Session, so
// on_close does not fall into the middle of a broadcast. Let go of after on_close returned. What it throws goes to
// Options::on_handler_error and ends the session.
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
  Millis close_timeout{5'000};               // for a websocket's close handshake, what is queued included
  std::size_t max_payload = 1'000'000;       // bytes, one packet or polling body (maxHttpBufferSize)
  std::size_t max_buffered_bytes = 4 << 20;  // queued for one session; over it: buffer_overflow
  // The same until the layer above calls Session::admit(), where that is less.
  std::size_t max_payload_before_admission = std::numeric_limits<std::size_t>::max();
  // What may be held at once for one address (of the request that opened the session) and in all. Sessions that poll, which
  // hold no connection; over it a handshake gets 429 or 503.
  Budget::Bounds polling_sessions{};
  // Bytes of websocket messages and polling bodies that are not complete; over it a websocket is closed, a post gets 429 or
  // 503.
  Budget::Bounds incoming{};
  // Bytes that clients have not taken; over it the one that is to hold more is closed with buffer_overflow.
  Budget::Bounds outgoing{};
  bool allow_polling = true;
  bool allow_websocket = true;
  bool allow_upgrades = true;
  // Compression of websocket messages (RFC 7692), for clients that offer it. Costs more time than it saves bytes for short
  // ones.
  struct Deflate {
    std::size_t threshold = 1024;  // bytes; smaller packets go out as they are
  };
  std::optional<Deflate> permessage_deflate{};
  // Speaks version 3 of the protocol too, as Socket.IO v2 clients do. Without JSONP.
  bool allow_eio3 = false;
  struct Cors {
    std::vector<std::string> origins{};  // exact, or "*"
    bool credentials = false;
  };
  std::optional<Cors> cors{};
  // nullopt accepts; a text refuses with 403 code 4 (empty: "Forbidden").
  std::function<std::optional<std::string>(const http::Request&)> allow_request{};
  // Asked next: nullopt accepts; a time refuses with 429 and says in Retry-After when to come again.
  std::function<std::optional<Millis>(const http::Request&)> wait_before_handshake{};
  // What a SessionHandler, or the making of one, has thrown; on the session's shard. Must not throw.
  std::function<void(const std::exception&)> on_handler_error{};
};

struct Counters {
  std::uint64_t sessions_open = 0, sessions_opened = 0, upgrades = 0, bytes_queued = 0;
  std::uint64_t websockets_open = 0;                     // of the sessions; the others poll
  std::uint64_t overflows = 0;                           // sessions closed because their client did not read
  std::uint64_t packets_sent = 0, packets_received = 0;  // messages, heartbeats and the like included
  std::uint64_t writes = 0;                              // system calls on websockets
  BudgetCounters polling_sessions, incoming, outgoing;   // of the Options of these names
};

class Server {
 public:
  // Makes the handler of a new session, on its shard, before its first packet is read.
  using OnSession = std::function<std::shared_ptr<SessionHandler>(std::shared_ptr<Session>)>;

  // `shards` outlive the server. Every HTTP connection that reaches attach()ed routes runs on one of them.
  Server(std::vector<Shard*> shards, Options options, OnSession on_session);
  // Cuts off what is still open, later, on the shards; until then handlers may be called: shutdown() and wait() first.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Serves `path` ("/socket.io/") on the router; before the HTTP server starts.
  void attach(http::Router& router, std::string path);

  // Ends every session (server_shutdown: a close packet to a pending poll, a close frame to a websocket) and refuses new ones
  // with 503; returns at once. Any thread.
  void shutdown();
  // Waits until all sessions are closed, told so, and their connections gone; false if some are left after `limit`. Not on a
  // shard's thread.
  bool wait(Millis limit);

  Counters counters() const;  // any thread; a snapshot, not exact across shards

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace payam::eio
