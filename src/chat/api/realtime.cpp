#include "chat/api/realtime.hpp"

#include <algorithm>
#include <any>
#include <boost/describe/class.hpp>
#include <unordered_set>

#include "chat/api/bearer.hpp"
#include "chat/api/event_call.hpp"
#include "chat/api/publisher.hpp"
#include "chat/api/realtime_events.hpp"
#include "chat/api/socket_state.hpp"
#include "chat/service/log.hpp"
#include "http/codec/codec.hpp"

namespace payam::chat::api {
namespace {

struct AuthenticateRequest {
  http::SecretText<1, Tokens::kMaxBytes> token;
};
BOOST_DESCRIBE_STRUCT(AuthenticateRequest, (), (token))

// `auth: {token}` of the CONNECT packet, or else the header of the request that opened the connection.
std::optional<std::string> token_of(const sio::Handshake& handshake) {
  if (const auto* token = handshake.auth.if_contains("token"); token != nullptr && token->is_string()) {
    return std::string(token->get_string());
  }
  return bearer_token(handshake.header("authorization"));
}

sio::Refusal refusal(Errc code, std::string message) {
  return {std::move(message), boost::json::parse(http::to_json_text(ConnectErrorData{code}))};
}

}  // namespace

sio::ConnectionStateRecovery recovery_for_who_asks(const Tokens& tokens) {
  sio::ConnectionStateRecovery recovery;
  recovery.max_bytes = 128 << 10;  // with the next at most 256 MiB; whoever needs more resumes by rev
  recovery.max_sessions = 2'000;
  recovery.wanted = [](const sio::Handshake& handshake) {
    const auto* wanted = handshake.auth.if_contains("recovery");
    return wanted != nullptr && wanted->is_bool() && wanted->get_bool();
  };
  // Whose the token is. Whether its session still lasts, and which rooms are the user's, admit() asks again.
  recovery.accept = [&tokens](const sio::Handshake& handshake, const std::any& data) {
    const auto* state = std::any_cast<std::shared_ptr<SocketState>>(&data);
    const auto token = token_of(handshake);
    if (state == nullptr || *state == nullptr || !token) return false;
    const auto claims = tokens.verify(*token, wall_now());
    return claims && claims->audience == Audience::api && claims->subject == (*state)->principal().email;
  };
  return recovery;
}

Realtime::Realtime(sio::Server& io, Services& services, MembershipEpochs& epochs, EventMeters& meters, Millis token_grace)
    : services_(services), epochs_(epochs), token_grace_(token_grace), events_(io, services.limits, meters) {
  io.use([this](sio::SocketPtr socket) { return admit(std::move(socket)); });
  add_connection_handlers(io);
  add_message_events(events_, services);
  add_message_update_events(events_, services);
  add_room_events(events_, services, *this);
}

void Realtime::add_connection_handlers(sio::Server& io) {
  io.on_connection([this](sio::SocketPtr socket) {
    const auto state = socket_state(*socket);
    state->online = true;
    state->watch();
    services_.presence.connected(state->principal().user, state->principal().email);
    log::info("socket_connected", {{"socket", socket->id()},
                                   {"user", state->principal().user.str()},
                                   {"transport", socket->conn().transport()},
                                   {"recovered", socket->recovered() ? "yes" : "no"},
                                   {"peer", socket->handshake().address()}});
  });
  io.on_disconnect([this](const sio::SocketPtr& socket, sio::DisconnectReason reason) {
    const auto state = socket_state(*socket);
    if (!state || !std::exchange(state->online, false)) return;
    state->stop();
    services_.presence.disconnected(state->principal().user);
    log::info("socket_disconnected", {{"socket", socket->id()},
                                      {"user", state->principal().user.str()},
                                      {"reason", to_string(reason)},
                                      {"events", state->events}});
  });
  if (services_.limits.enforced()) {
    // Every event, known or not.
    io.on_any([this](const sio::SocketPtr& socket, const sio::Event&) {
      if (const auto state = socket_state(*socket)) close_if_flooding(*socket, *state, services_.limits, 1);
    });
  }
  io.on_error([this](const sio::SocketPtr& socket, const sio::EventError& error, const sio::Ack& ack) {
    const auto state = socket_state(*socket);
    switch (error.kind) {
      case sio::EventError::Kind::invalid: refuse_event(*socket, ack, Error{Errc::invalid, error.message}); break;
      case sio::EventError::Kind::overloaded:
        refuse_event(*socket, {}, Error{Errc::rate_limited, "Too many events at once: disconnected"});
        if (state) {
          log::warn("socket_overloaded", {{"socket", socket->id()}, {"user", state->principal().user.str()}});
        }
        return;
      default: refuse_event(*socket, ack, Error{Errc::internal, "Internal Server Error"});
    }
    if (state) close_if_flooding(*socket, *state, services_.limits, 1);
  });

  const auto authenticate = [this](EventCall call, AuthenticateRequest request) -> Task<Result<Done>> {
    auto principal = co_await services_.authenticator.authenticate(call.socket->shard(), *request.token);
    if (!principal) co_return std::unexpected(std::move(principal.error()));
    if (principal->user != call.principal.user) co_return fail(Errc::unauthorized, std::string(Authenticator::kRefused));
    const auto state = socket_state(*call.socket);
    if (!state->online) co_return Done{};
    // Nothing is awaited between the check of the token and this: a session that ends now finds the socket in its room.
    if (principal->session != state->principal().session) {
      call.socket->leave(session_room(state->principal().session));
      call.socket->join(session_room(principal->session));
    }
    state->renew(std::move(*principal));
    co_return Done{};
  };
  events_.on<AuthenticateRequest>({.name = "authenticate",
                                   .summary = "A new access token of the same user, for a connection whose token ends",
                                   .act = Act::join},
                                  authenticate);
}

Task<sio::Verdict> Realtime::admit(sio::SocketPtr socket) {
  auto token = token_of(socket->handshake());
  if (!token) co_return refusal(Errc::unauthorized, std::string(Authenticator::kRefused));
  try {
    if (auto error = co_await admit(socket, std::move(*token))) co_return refusal(error->code, std::move(error->message));
  } catch (const Unavailable&) {
    co_return refusal(Errc::unavailable, "Too busy; try again");
  } catch (const OutOfStorage&) {
    co_return refusal(Errc::out_of_storage, std::string(rules::kNoSpace));
  } catch (const std::exception& error) {
    log::error("connect_failed", {{"socket", socket->id()}, {"error", error.what()}});
    co_return refusal(Errc::internal, "Internal Server Error");
  }
  co_return std::nullopt;
}

Task<std::optional<Error>> Realtime::admit(sio::SocketPtr socket, std::string token) {
  auto principal = co_await services_.authenticator.authenticate(socket->shard(), token);
  if (!principal) co_return std::move(principal.error());
  if (const auto before = socket_state(*socket); before && before->principal().user != principal->user) {
    co_return Error{Errc::unauthorized, std::string(Authenticator::kRefused)};
  }
  socket->data() = std::make_shared<SocketState>(socket, std::move(*principal), token_grace_);
  co_await settle_rooms(socket);
  // Once more, mostly from memory: a session that ended meanwhile has closed only sockets that were connected.
  const auto again = co_await services_.authenticator.authenticate(socket->shard(), std::move(token));
  if (!again) co_return again.error();
  co_return std::nullopt;
}

Task<> Realtime::settle_rooms(sio::SocketPtr socket) {
  const UserId user = socket_state(*socket)->principal().user;
  // First its own rooms: from here on the publisher finds the socket when a membership changes.
  const std::vector<std::string> own{socket->id(), user_room(user), session_room(socket_state(*socket)->principal().session)};
  socket->join(own);
  for (;;) {
    const auto epoch = epochs_.of(user);
    const auto ids = co_await services_.store.room_ids_of(user);
    std::unordered_set<std::string> wanted(own.begin(), own.end());
    for (const RoomId& id : ids) wanted.insert(id.str());
    for (const std::string& room : socket->rooms()) {
      if (!wanted.contains(room)) socket->leave(room);
    }
    socket->join(std::vector<std::string>(wanted.begin(), wanted.end()));
    if (epochs_.of(user) == epoch) co_return;
  }
}

Task<bool> Realtime::join(sio::SocketPtr socket, UserId user, RoomId room) {
  for (;;) {
    const auto epoch = epochs_.of(user);
    if (!co_await services_.store.is_member(room, user)) co_return false;
    if (epochs_.of(user) != epoch) continue;
    socket->join(room.str());
    co_return true;
  }
}

}  // namespace payam::chat::api
