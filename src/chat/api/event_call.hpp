// One event, said once: from its request's type and its handler come parsing with every fault at once, the acknowledgement or
// the `error` event, and the promise that wrong data never closes the connection.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "chat/api/socket_state.hpp"
#include "chat/service/limits.hpp"
#include "http/codec/parse.hpp"
#include "payam/sio/server.hpp"
#include "runtime/unavailable.hpp"

namespace payam::chat::api {

struct EventCall {
  sio::SocketPtr socket;
  Principal principal;  // as of the event's arrival
  bool wants_ack = false;
};

// An acknowledgement without fields of its own.
struct Done {};
BOOST_DESCRIBE_STRUCT(Done, (), ())

// {"status":"ok", …the object's fields}
std::string ok_ack(std::string_view json_object);

// An ack gets {status: "error", code, message, detail?}; without one `error {message, code?, detail?}` is emitted.
void refuse_event(sio::Socket& socket, const sio::Ack& ack, const Error& error);
void refuse_event(sio::Socket& socket, const sio::Ack& ack, const http::Faults& faults);

// What the socket is told when it does something too often, and what that counts towards a flood.
void refuse_too_often(sio::Socket& socket, const sio::Ack& ack, SocketState& state, Millis wait);

// Counts events of the socket; if they are a flood, says so and closes the connection.
void close_if_flooding(sio::Socket& socket, SocketState& state, int events);

// Registers `handler(EventCall, Request) -> Task<Result<Reply>>`. The request is the event's first argument; none is like {}.
// Events of one socket are begun in the order of their arrival. `too_often(socket, state)` may give how long to wait.
template <class Request, class F, class TooOften>
void on_event(sio::Namespace sockets, std::string event, F handler, TooOften too_often) {
  sockets.on_event(std::move(event),
                   [handler = std::move(handler), too_often = std::move(too_often)](
                       sio::SocketPtr socket, sio::Arguments arguments, sio::Ack ack) -> Task<> {
                     const std::shared_ptr<SocketState> state = socket_state(*socket);
                     if (!state) co_return;  // it has gone
                     if (const std::optional<Millis> wait = too_often(*socket, *state)) {
                       refuse_too_often(*socket, ack, *state, *wait);
                       co_return;
                     }
                     const bool given = !arguments.values.empty() && !arguments.values.front().is_null();
                     auto request =
                         http::parse<Request>(given ? arguments.values.front() : http::json::value(http::json::object()));
                     if (!request) {
                       refuse_event(*socket, ack, request.error());
                       co_return;
                     }
                     EventCall call{socket, state->principal(), static_cast<bool>(ack)};
                     try {
                       auto reply = co_await handler(std::move(call), std::move(*request));
                       if (reply) {
                         ack.raw(ok_ack(http::to_json_text(*reply)));
                       } else {
                         refuse_event(*socket, ack, reply.error());
                       }
                     } catch (const Unavailable&) {
                       refuse_event(*socket, ack, Error{Errc::unavailable, "Too busy; try again"});
                     }
                   });
}

template <class Request, class F>
void on_event(sio::Namespace sockets, std::string event, F handler) {
  on_event<Request>(std::move(sockets), std::move(event), std::move(handler),
                    [](const sio::Socket&, const SocketState&) { return std::optional<Millis>(); });
}

// Each one counted as `act`. `limits` outlives the sockets.
template <class Request, class F>
void on_limited_event(sio::Namespace sockets, Limits& limits, Act act, std::string event, F handler) {
  on_event<Request>(std::move(sockets), std::move(event), std::move(handler),
                    [&limits, act](const sio::Socket& socket, const SocketState& state) {
                      return limits.take(act, state.principal().user, socket.handshake().address());
                    });
}

}  // namespace payam::chat::api
