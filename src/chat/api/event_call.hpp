// One event, said once: from its description, its request's type and its handler come parsing with every fault at once, the
// acknowledgement or the `error` event, its limit, its place in the AsyncAPI document, and the promise that wrong data never
// closes the connection.
//
//   events.on<SendRequest>({.name = "chat_message", .summary = "Sends a message", .act = Act::send},
//                          [&](EventCall call, SendRequest request) -> Task<Result<MessageReply>> { … });
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "chat/api/socket_state.hpp"
#include "chat/rules.hpp"
#include "chat/service/event_meters.hpp"
#include "chat/service/limits.hpp"
#include "http/api/asyncapi.hpp"
#include "http/codec/parse.hpp"
#include "payam/sio/server.hpp"
#include "runtime/unavailable.hpp"

namespace payam::chat::api {

struct ClientEvent {
  std::string name;
  std::string summary;
  std::string description = {};
  std::optional<Act> act = {};  // what each one counts as; nullopt: it has no limit of its own
};

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

// An ack gets {status: "error", code, message, detail?}; without one `error {message, code, detail?}` is emitted.
void refuse_event(sio::Socket& socket, const sio::Ack& ack, const Error& error);
void refuse_event(sio::Socket& socket, const sio::Ack& ack, http::Faults faults);

// Counts events of the socket; if they are a flood, says so and closes the connection.
void close_if_flooding(sio::Socket& socket, SocketState& state, Limits& limits, int events);

// One event that is being served: how it ends is counted, and logged under an id of its own. The socket's shard.
class ServedEvent {
 public:
  // `name` and `meter` outlive it.
  ServedEvent(const std::string& name, EventMeters::Meter& meter, sio::Socket& socket, SocketState& state);

  void done() { ended(std::nullopt); }
  void refused(Errc why) { ended(why); }
  void failed(const std::exception& error);

 private:
  void ended(std::optional<Errc> refusal);
  std::string id() const;

  const std::string& name_;
  EventMeters::Meter& meter_;
  sio::Socket& socket_;
  const UserId user_;
  const std::uint64_t number_;  // of the socket's events
  const SteadyTime began_ = steady_now();
};

// The events of one namespace, those the server emits included. Before the server listens.
class EventApi {
 public:
  // `limits` and `meters` outlive the sockets.
  EventApi(sio::Namespace sockets, Limits& limits, EventMeters& meters);

  // `handler(EventCall, Request) -> Task<Result<Reply>>`. The request is the event's first argument; none is like {}. Events of
  // one socket are begun in the order of their arrival.
  template <class Request, class F>
  void on(ClientEvent event, F handler) {
    using Reply = typename std::invoke_result_t<const F&, EventCall, Request>::value_type::value_type;
    http::Schemas& schemas = document_.schemas();
    document_.from_client({.name = event.name,
                           .summary = event.summary,
                           .description = event.description,
                           .argument = http::Codec<Request>::schema(schemas, http::Direction::input)},
                          http::Codec<Reply>::schema(schemas, http::Direction::output));
    EventMeters::Meter& meter = meters_.add(event.name);
    auto served = [name = event.name, act = event.act, &meter, &limits = limits_, handler = std::move(handler)](
                      sio::SocketPtr socket, sio::Arguments arguments, sio::Ack ack) -> Task<> {
      const std::shared_ptr<SocketState> state = socket_state(*socket);
      if (!state) co_return;  // it has gone
      ServedEvent run(name, meter, *socket, *state);
      if (act && refuse_too_often(*socket, ack, *state, limits, *act)) co_return run.refused(Errc::rate_limited);
      const bool given = !arguments.values.empty() && !arguments.values.front().is_null();
      auto request = http::parse<Request>(given ? arguments.values.front() : http::json::value(http::json::object()));
      if (!request) {
        run.refused(Errc::invalid);
        co_return refuse_event(*socket, ack, std::move(request.error()));
      }
      EventCall call{socket, state->principal(), static_cast<bool>(ack)};
      Error refusal;
      try {
        auto reply = co_await handler(std::move(call), std::move(*request));
        if (reply) {
          run.done();  // counted before it is told, as a refusal is
          co_return ack.raw(ok_ack(http::to_json_text(*reply)));
        }
        refusal = std::move(reply.error());
      } catch (const Unavailable&) {
        refusal = {Errc::unavailable, "Too busy; try again"};
      } catch (const OutOfStorage&) {
        refusal = {Errc::out_of_storage, std::string(rules::kNoSpace)};
      } catch (const std::exception& error) {
        run.failed(error);
        refuse_event(*socket, ack, Error{Errc::internal, "Internal Server Error"});
        co_return;
      }
      run.refused(refusal.code);
      refuse_event(*socket, ack, refusal);
    };
    sockets_.on_event(std::move(event.name), std::move(served));
  }

  // The AsyncAPI document, once every event is there.
  std::string document(std::string version);

 private:
  // Whether it is; then the socket has been told, and it counts towards a flood.
  static bool refuse_too_often(sio::Socket& socket, const sio::Ack& ack, SocketState& state, Limits& limits, Act act);

  sio::Namespace sockets_;
  Limits& limits_;
  EventMeters& meters_;
  http::AsyncApi document_;
};

}  // namespace payam::chat::api
