// Events as middleware and catch-all listeners see them, and the refusals of middleware. Values, given on the socket's shard.
#pragma once

#include <boost/json/value.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "payam/sio/ack.hpp"
#include "payam/sio/json.hpp"
#include "runtime/task.hpp"

namespace payam::sio {

class Socket;
using SocketPtr = std::shared_ptr<Socket>;

// One event on its way in. Middleware may change it.
struct Event {
  std::string name;
  Arguments arguments;
  bool wants_ack = false;
};

// A middleware's no. On connection the client gets both fields in its `connect_error`.
struct Refusal {
  std::string message;
  boost::json::value data{};  // null: left out
};

// What a middleware returns; std::nullopt lets pass.
using Verdict = std::optional<Refusal>;

// An event that reached no handler, or whose handler failed. The connection lives on.
struct EventError {
  enum class Kind {
    invalid,  // arguments that do not fit the handler, or JSON with a lone surrogate, invalid UTF-8, too deep or too large an
              // object
    refused,  // by an event middleware
    failed,   // the handler threw
    overloaded,  // too many handlers of the connection are running; it is closed after this
  };
  Kind kind = Kind::invalid;
  std::string event;    // its name; empty if it could not be read
  std::string message;  // what did not fit; the refusal's message
  boost::json::value data{};
};

// Which disconnection it was; to_string() gives the words of the Socket.IO documentation.
enum class DisconnectReason {
  transport_close,
  transport_error,
  ping_timeout,
  forced_close,
  parse_error,
  buffer_overflow,
  client_namespace_disconnect,
  server_namespace_disconnect,
  forced_server_close,
  server_shutting_down,
};
std::string_view to_string(DisconnectReason reason);

namespace detail {

// A handler after its types are gone. Returns a task that has still to run, or an empty one.
struct HandlerCall {
  const SocketPtr& socket;
  Event& event;  // may be moved from
  const Ack& ack;
  std::string invalid{};  // out: why the arguments do not fit; the handler was not called
};
using ErasedHandler = std::function<Task<>(HandlerCall&)>;
using ErasedConnectMiddleware = std::function<std::variant<Verdict, Task<Verdict>>(const SocketPtr&)>;
using ErasedEventMiddleware = std::function<std::variant<Verdict, Task<Verdict>>(const SocketPtr&, Event&)>;

}  // namespace detail

}  // namespace payam::sio
