// The HTTP/1.1 server: one acceptor deals connections to the least loaded shard, where each is served by a state machine
// that keeps no buffer and no coroutine while idle. RFC 9110, RFC 9112.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/budget.hpp"
#include "base/clock.hpp"
#include "base/descriptor.hpp"
#include "http/server/router.hpp"
#include "runtime/shard.hpp"

namespace payam::http {

struct ServerLimits {
  // What an address and all together may hold. The address is the peer's, or what a trusted proxy says it is.
  Budget::Bounds connections{.total = 16'000};    // upgraded ones count; one more is answered 503 and closed
  Budget::Bounds bodies{.total = 256ull << 20};   // bytes of bodies being collected; more: 429 or 503, and closed
  Budget::Bounds replies{.total = 512ull << 20};  // bytes of responses that wait for their readers; more: cut off

  std::size_t head_bytes = 16 * 1024;  // request line and fields; more: 431
  Millis head_time{10'000};           // from the first byte, or the connection, to the end of the head (TLS included); then 408
  Millis body_time{60'000};           // for a body that is not streamed; then 408
  Millis slow_window{30'000};         // a streamed body, or a reader of a response, that moves less than
  std::uint64_t slow_bytes = 30'000;  // this in one window of waiting is cut off (408)
  Millis idle_time{75'000};           // between requests of one connection
  Millis linger_time{2'000};          // for the peer to read our last words before the connection is closed
};

// One request, told once its response is sent or its connection has ended. Valid during the call.
struct RequestRecord {
  std::string_view id;       // X-Request-ID
  std::string_view method;   // as sent; empty if the head could not be read
  std::string_view path;     // as sent, without the query, which may hold secrets
  std::string_view pattern;  // of the route; empty if none matched
  std::string_view peer;
  int status = 0;                       // 0: the peer left before a response
  std::uint64_t bytes = 0;              // of the response's body, as far as sent
  std::chrono::nanoseconds duration{};  // from its first byte
  int shard = 0;                        // the id of the connection's
  std::string_view fault;               // what a handler threw; never sent to the peer
};

struct ServerOptions {
  std::string host = "127.0.0.1";  // an address, not a name
  std::uint16_t port = 8000;       // 0: the system chooses, see Server::port()
  int backlog = 4096;
  ServerLimits limits;

  struct Tls {
    std::string certificate_file;  // PEM, the chain
    std::string key_file;          // PEM
  };
  std::optional<Tls> tls;

  std::vector<std::string> trusted_proxies;  // networks `10.0.0.0/8`, `::1`; their X-Forwarded-For and -Proto count
  std::vector<std::string> cors_origins;     // exact, `https://chat.example.org`
  bool https_only = false;                   // tells browsers over TLS to come by nothing else for a year (RFC 6797)

  std::function<void(const RequestRecord&)> on_request;  // on the connection's shard; must not throw
  // Once, when a peer that is no trusted proxy sends X-Forwarded-For; on a shard, must not throw.
  std::function<void(const std::string& peer)> on_forwarding_ignored;
};

class Server {
 public:
  // `shards` outlive the server and everything that was upgraded. Throws std::invalid_argument for an option that cannot be
  // used and std::runtime_error for a certificate or key that cannot.
  Server(std::vector<Shard*> shards, Router router, ServerOptions options);
  // Stops, and waits for the handlers that still run; so not on a shard's thread. Where the loops have been stopped before,
  // their threads must have left them.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Listens; throws std::system_error if the address cannot be had. Requests may arrive before it returns.
  void start();
  // The bound port; after start().
  std::uint16_t port() const;

  // Serves a connected, non-blocking stream socket that has no address, an end of a socketpair, as if it had been accepted from
  // the unspecified address; any thread, whether or not it listens.
  void adopt(Descriptor socket);

  // Drains: no new connections, idle ones close, each request being served is the last of its connection. Returns at once;
  // any thread; idempotent. Upgraded streams are their new owners' business.
  void stop();
  // Waits until every connection has ended; after `limit` the rest is cut off (their on_abort runs). True if none had to be.
  // Not on a shard's thread.
  bool wait(Millis limit);

  // The rest on any thread.
  std::size_t connections() const;  // open now, upgraded ones included
  // What is held, and how often that was refused.
  const Budget& connection_budget() const;
  const Budget& body_budget() const;
  const Budget& reply_budget() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace payam::http
