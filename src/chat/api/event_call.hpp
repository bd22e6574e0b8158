// One event, said once: from its request's type and its handler come parsing with every fault at once, the acknowledgement or
// the `error` event, and the promise that wrong data never closes the connection.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "chat/api/socket_state.hpp"
#include "http/codec/parse.hpp"
#include "payam/sio/server.hpp"
#include "runtime/worker_pool.hpp"

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

// Registers `handler(EventCall, Request) -> Task<Result<Reply>>`. The request is the event's first argument; none is like {}.
// Events of one socket are begun in the order of their arrival.
template <class Request, class F>
void on_event(sio::Namespace sockets, std::string event, F handler) {
  sockets.on_event(std::move(event),
                   [handler = std::move(handler)](sio::SocketPtr socket, sio::Arguments arguments, sio::Ack ack) -> Task<> {
                     const std::shared_ptr<SocketState> state = socket_state(*socket);
                     if (!state) co_return;  // it has gone
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
                     } catch (const Overloaded&) {
                       refuse_event(*socket, ack, Error{Errc::unavailable, "Too busy; try again"});
                     }
                   });
}

}  // namespace payam::chat::api
