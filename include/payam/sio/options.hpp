// What can be set on a Server. The names and defaults are those of the Socket.IO documentation where it has them. Functions are
// called on shards: with several threads several at the same time.
#pragma once

#include <any>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/budget.hpp"
#include "base/clock.hpp"

namespace payam::http {
struct Request;
}

namespace payam::sio {

class Adapter;
class Handshake;

enum class Parser { json, msgpack };

// A client that lost its connection for a moment gets its id, rooms, data and what it missed. It finds an offset (a string)
// as the last argument of each event, which handlers with fixed arguments do not expect: hence `wanted`.
struct ConnectionStateRecovery {
  Millis max_disconnection_duration{120'000};
  // Events kept for one socket; the oldest are dropped, and a client that needs one of them starts anew.
  std::size_t max_packets = 1'000;
  std::size_t max_bytes = 1 << 20;
  // Sessions kept at the same time, in one namespace; beyond it a lost connection is final.
  std::size_t max_sessions = 10'000;
  // Whether connection middleware is skipped for a recovered socket. `accept` runs in any case.
  bool skip_middlewares = false;
  // Whether this client takes part; default all.
  std::function<bool(const Handshake&)> wanted;
  // The application's check that the session belongs to this client, given the old socket's data; false: it starts anew.
  std::function<bool(const Handshake&, const std::any& data)> accept;
};

struct Cors {
  std::vector<std::string> origins;  // exact, or "*"
  bool credentials = false;
};

// For Server::listen().
struct Tls {
  std::string certificate_file;  // PEM, the chain
  std::string key_file;          // PEM
};

// Compression of websocket messages (RFC 7692), for clients that offer it.
struct PermessageDeflate {
  std::size_t threshold = 1024;  // bytes; smaller packets go out as they are
};

struct Options {
  std::string path = "/socket.io/";
  std::vector<std::string> extra_paths;  // served too

  // The connection (Engine.IO).
  Millis ping_interval{25'000};
  Millis ping_timeout{20'000};
  Millis upgrade_timeout{10'000};
  Millis close_timeout{5'000};                   // for a websocket's close handshake, what is queued included
  std::size_t max_http_buffer_size = 1'000'000;  // bytes of one packet or request body
  std::size_t max_buffered_bytes = 4 << 20;      // queued for one connection; over it, it is closed ("buffer overflow")
  // What may be held at once for one address and in all. The address is that of the request which opened the connection;
  // without a bound here, as many people may share one. Connections that poll (those on a websocket hold a TCP connection);
  // over it a handshake gets 429 or 503.
  Budget::Bounds polling_connections{.total = 16'000};
  // Bytes of websocket messages and polling bodies that are not complete; over it a websocket is closed, a post gets 429 or
  // 503.
  Budget::Bounds incoming_bytes{.total = 256 << 20};
  // Bytes that clients do not take; over it the one that is to hold more is closed ("buffer overflow").
  Budget::Bounds outgoing_bytes{.total = 512 << 20};
  // Bytes of packets that wait for their attachments, those included; over it the connection is closed ("forced server close").
  Budget::Bounds attachment_bytes{.total = 128 << 20};
  bool allow_polling = true;
  bool allow_websocket = true;
  bool allow_upgrades = true;
  // Serves Socket.IO v2 clients too. Their sockets bear the connection's own id: who is told it can speak in their name.
  bool allow_eio3 = false;
  std::optional<PermessageDeflate> permessage_deflate;
  std::optional<Cors> cors;
  // Asked before a connection is made: nullopt accepts, a text refuses with 403 ("": "Forbidden").
  std::function<std::optional<std::string>(const http::Request&)> allow_request;
  // Asked next: nullopt accepts, a time refuses with 429 and says in Retry-After when to come again. Limits of the
  // application's.
  std::function<std::optional<Millis>(const http::Request&)> wait_before_handshake;

  // Sockets.
  Millis connect_timeout{45'000};                      // to join a first namespace
  std::size_t max_payload_before_connect = 64 * 1024;  // bytes of one packet or request body until then
  // Namespaces one connection may ask for at once, and one more with each interval; beyond it, it is closed.
  std::size_t max_connects_at_once = 200;
  Millis connect_interval{1'000};
  Millis attachment_timeout{45'000};  // from one part of a packet to its next attachment
  Millis ack_timeout{60'000};         // for emit_with_ack() without timeout()
  Parser parser = Parser::json;
  unsigned max_attachments = 10;  // of one packet
  // Members of one object in a packet. As others can choose keys that are slow to find, all objects of a packet together are
  // bounded too: fifteen of this size are taken, and a hundred thousand small ones.
  std::size_t max_object_members = 1'024;
  // Coroutine handlers of one connection that may run at the same time; over it, on_error() is told, and it is closed.
  std::size_t max_running_handlers = 1'000;
  std::size_t max_namespaces = 100;  // joined by one connection
  bool cleanup_empty_child_namespaces = false;
  std::size_t max_child_namespaces = 10'000;
  std::optional<ConnectionStateRecovery> connection_state_recovery;

  // Other servers of the cluster; null: this one is alone.
  std::shared_ptr<Adapter> adapter;
  Millis adapter_timeout{5'000};  // for answers of other servers; then those that came count
  // How a socket's data is shown to other servers by fetch_sockets(); default null.
  std::function<boost::json::value(const std::any& data)> data_to_json;

  // What a handler or middleware threw, on the thread where it did; must not throw. Default: it goes to stderr.
  std::function<void(std::string_view where, const std::exception&)> on_exception;

  // A server with its own threads: how many; 0: one a processor.
  int threads = 0;
};

}  // namespace payam::sio
