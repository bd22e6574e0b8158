#include "chat/api/event_call.hpp"

#include <fmt/format.h>

#include <boost/mp11/algorithm.hpp>

#include "chat/api/realtime_events.hpp"
#include "chat/service/log.hpp"

namespace payam::chat::api {
namespace {

constexpr std::string_view kInvalid = "Invalid data";
constexpr int kRefusedWeight = 10;  // towards a flood, of an event that was refused, beside one that is none

void refuse(sio::Socket& socket, const sio::Ack& ack, ErrorEvent event) {
  if (!ack) return emit<ErrorEmitted>(socket, event);
  const ErrorAck refusal{.code = event.code, .message = std::move(event.message), .detail = std::move(event.detail)};
  ack.raw(http::to_json_text(refusal));
}

}  // namespace

std::string ok_ack(std::string_view object) {
  std::string text = R"({"status":"ok")";
  if (object.size() > 2) text += ',';
  text += object.substr(1);
  return text;
}

void refuse_event(sio::Socket& socket, const sio::Ack& ack, const Error& error) {
  if (error.code != Errc::invalid) return refuse(socket, ack, {.message = error.message, .code = error.code, .detail = {}});
  refuse(socket, ack, {.message = std::string(kInvalid), .code = error.code, .detail = Detail{error.message}});
}

void refuse_event(sio::Socket& socket, const sio::Ack& ack, http::Faults faults) {
  refuse(socket, ack, {.message = std::string(kInvalid), .code = Errc::invalid, .detail = Detail{std::move(faults)}});
}

bool EventApi::refuse_too_often(sio::Socket& socket, const sio::Ack& ack, SocketState& state, Limits& limits, Act act) {
  const auto wait = limits.take(act, state.principal().user, std::string(socket.handshake().address()));
  if (!wait) return false;
  const auto seconds = retry_after(*wait).count();
  refuse_event(socket, ack, Error{Errc::rate_limited, fmt::format("Too often; try again in {} s", seconds)});
  close_if_flooding(socket, state, limits, kRefusedWeight);
  return true;
}

void close_if_flooding(sio::Socket& socket, SocketState& state, Limits& limits, int events) {
  if (!limits.is_flood(state.flood, events, steady_now())) return;
  log::warn("socket_flooding", {{"socket", socket.id()}, {"user", state.principal().user.str()}});
  refuse_event(socket, {}, Error{Errc::rate_limited, "Too many events: disconnected"});
  socket.disconnect(true);
}

ServedEvent::ServedEvent(const std::string& name, EventMeters::Meter& meter, sio::Socket& socket, SocketState& state)
    : name_(name), meter_(meter), socket_(socket), user_(state.principal().user), number_(++state.events) {}

std::string ServedEvent::id() const { return fmt::format("{}-{}", socket_.id(), number_); }

void ServedEvent::ended(std::optional<Errc> refusal) {
  meter_.count(socket_.shard().id(), refusal);
  if (!log::enabled(log::Level::debug)) return;
  log::debug("event", {{"name", name_},
                       {"result", refusal ? to_string(*refusal) : "ok"},
                       {"ms", log::milliseconds(steady_now() - began_)},
                       {"socket", socket_.id()},
                       {"user", user_.str()},
                       {"id", id()}});
}

void ServedEvent::failed(const std::exception& error) {
  log::error("event_failed",
             {{"name", name_}, {"error", error.what()}, {"socket", socket_.id()}, {"user", user_.str()}, {"id", id()}});
  ended(Errc::internal);
}

EventApi::EventApi(sio::Namespace sockets, Limits& limits, EventMeters& meters)
    : sockets_(std::move(sockets)), limits_(limits), meters_(meters) {
  http::Schemas& schemas = document_.schemas();
  boost::mp11::mp_for_each<ServerEvents>([&]<class Event>(Event) {
    http::DescribedEvent described{.name = std::string(Event::kName), .summary = std::string(Event::kSummary)};
    using Argument = typename Event::Argument;
    if constexpr (!std::is_same_v<Argument, http::Nothing>) {
      described.argument = http::Codec<Argument>::schema(schemas, http::Direction::output);
    }
    document_.from_server(std::move(described));
  });
  document_.set_error_ack(http::Codec<ErrorAck>::schema(schemas, http::Direction::output));
}

std::string EventApi::document(std::string version) {
  return document_.document(
      {.title = "Payam: real time",
       .version = std::move(version),
       .description =
           "Socket.IO 5. A message here is an event; its payload is the event's one argument, and where a message has no "
           "payload the event has no argument. What is called `client.…` clients emit, and may ask to be acknowledged: the "
           "reply is the acknowledgement's one argument. An event that is refused gets `error (ack)`, or without an "
           "acknowledgement the event `error`. REST calls are in `/openapi.json`.",
       .path = "/socket.io/",
       .token =
           "`auth: {token}` of the CONNECT packet: an access token. `auth: {recovery: true}` beside it asks for connection "
           "state recovery."});
}

}  // namespace payam::chat::api
