// A Socket.IO v5 server.
//
//   sio::Server io;
//   io.on_connection([](sio::SocketPtr socket) {
//     socket->on("hello", [](std::string name, sio::Ack ack) { ack("welcome, " + name); });
//   });
//   io.listen("127.0.0.1", 3000);
//
// A Server is its main namespace "/": io.to(room), io.use(…), io.on_connection(…) are that one's. Any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "payam/sio/adapter.hpp"
#include "payam/sio/namespace.hpp"
#include "payam/sio/options.hpp"
#include "payam/sio/socket.hpp"

namespace payam {
class Shard;
namespace http {
class Router;
struct Request;
struct Response;
}  // namespace http
}  // namespace payam

namespace payam::sio {

// A snapshot, by Server::counters().
struct Counters {
  std::uint64_t connections_open = 0;  // Engine.IO sessions
  std::uint64_t connections_opened = 0;
  std::uint64_t websockets_open = 0;         // of them; the others poll
  std::uint64_t upgrades = 0;                // from polling
  std::uint64_t connections_overflowed = 0;  // closed because their client did not read ("buffer overflow")
  std::uint64_t connections_overloaded = 0;  // closed because too many of their handlers ran
  std::uint64_t connections_insistent = 0;   // closed because they asked for namespaces too often
  std::uint64_t attachments_timed_out = 0;   // closed because an attachment did not come
  std::uint64_t sockets_open = 0;            // over all namespaces
  std::uint64_t sockets_connected = 0;
  std::uint64_t sockets_refused = 0;  // by middleware or for want of the namespace
  std::uint64_t sockets_recovered = 0;
  std::uint64_t sessions_kept = 0;  // disconnected and still recoverable
  std::uint64_t rooms = 0;          // with somebody in them; one whose sockets are on several shards counts for each
  std::uint64_t events_received = 0;
  std::uint64_t events_invalid = 0;   // reached no handler
  std::uint64_t packets_invalid = 0;  // closed their connection
  std::uint64_t broadcasts = 0;
  std::uint64_t deliveries = 0;  // packets handed to connections
  std::uint64_t volatile_dropped = 0;
  std::uint64_t acks_timed_out = 0;
  std::uint64_t bytes_queued = 0;  // for all connections; for one: Socket::conn().buffered_bytes()
  // Of the Options of these names.
  BudgetCounters polling_connections, incoming_bytes, outgoing_bytes, attachment_bytes;
};

namespace detail {
class ServerImpl;
}

class Server : public Namespace {
 public:
  // With threads of its own (Options::threads), for listen().
  explicit Server(Options options = {});
  // On the application's shards, which outlive the server; for attach(). close() and wait() while they run.
  Server(std::vector<Shard*> shards, Options options);
  // On the application's own loop, run by one thread; for listen() or handle().
  Server(boost::asio::io_context& context, Options options);
  // close(), and for its own threads: waits for them.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // A static namespace, made at the first call; "admin" means "/admin". A child made by a parent is found by its name too.
  Namespace of(std::string_view name);
  // Parents of dynamic namespaces: a name that is not known and fits makes a child with the parent's handlers and middleware.
  // What is emitted to a parent goes to every child. The pattern is an ECMAScript regular expression, to fit anywhere in the
  // name unless anchored. Names over 256 bytes never fit.
  Namespace of_pattern(const std::string& pattern);
  // (name, auth) → bool or Task<bool>.
  template <class F>
  Namespace of_function(F function) {
    auto shared = std::make_shared<F>(std::move(function));
    return add_parent([shared](std::string name, json::object auth) -> std::variant<bool, Task<bool>> {
      return (*shared)(std::move(name), std::move(auth));
    });
  }
  // Called when a child namespace has been made, before its first socket; on a shard.
  void on_new_namespace(std::function<void(Namespace)> listener);

  // Serves Options::path and extra_paths on the router, before its HTTP server starts.
  void attach(http::Router& router);
  // Listens with an HTTP server of its own, over TLS if wanted; port 0: any free one. Returns the port. Throws when the address
  // is taken or a file cannot be used.
  std::uint16_t listen(const std::string& host, std::uint16_t port, const std::optional<Tls>& tls = std::nullopt);
  // For an HTTP server of the application's own (with Boost.Beast: see beast.hpp): whether a request is ours, and its response.
  // On a shard. The request lives until then; its on_abort is to be called if its connection ends before.
  bool handles(std::string_view target) const;
  Task<http::Response> handle(http::Request& request);

  // The shard this thread runs; not elsewhere.
  Shard& shard() const;

  // Disconnects everyone ("server shutting down") and accepts no more; returns at once.
  void close();
  // After close(): waits until every connection has ended and no coroutine handler runs, or the time is over; true in the
  // first case. Not on a shard. Shards should run until then: what is left would never be told that it has ended.
  bool wait(Millis limit);

  Counters counters() const;  // a snapshot

  detail::ServerImpl& impl() { return *impl_; }  // the library's

 private:
  using ParentFunction = std::function<std::variant<bool, Task<bool>>(std::string, json::object)>;

  explicit Server(std::shared_ptr<detail::ServerImpl> impl);
  Namespace add_parent(ParentFunction function);

  std::shared_ptr<detail::ServerImpl> impl_;
};

}  // namespace payam::sio
