#include "chat/api/realtime.hpp"

#include <algorithm>
#include <boost/describe/class.hpp>
#include <unordered_set>

#include "chat/api/bearer.hpp"
#include "chat/api/event_call.hpp"
#include "chat/api/publisher.hpp"
#include "chat/api/socket_state.hpp"
#include "http/codec/codec.hpp"

namespace payam::chat::api {
namespace {

struct AuthenticateRequest {
  http::Text<1, Tokens::kMaxBytes> token;
};
BOOST_DESCRIBE_STRUCT(AuthenticateRequest, (), (token))

// `auth: {token}` of the CONNECT packet, or else the header of the request that opened the connection.
std::optional<std::string> token_of(const sio::Handshake& handshake) {
  if (const auto* token = handshake.auth.if_contains("token"); token != nullptr && token->is_string()) {
    return std::string(token->get_string());
  }
  return bearer_token(handshake.header("authorization"));
}

sio::Refusal refusal(Errc code, std::string message) { return {std::move(message), {{"code", to_string(code)}}}; }

}  // namespace

Realtime::Realtime(sio::Server& io, Services& services, MembershipEpochs& epochs) : services_(services), epochs_(epochs) {
  io.use([this](sio::SocketPtr socket) { return admit(std::move(socket)); });
  add_connection_handlers(io);
  add_message_events(io, services);
  add_message_update_events(io, services);
  add_room_events(io, services, *this);
}

void Realtime::add_connection_handlers(sio::Server& io) {
  io.on_connection([this](sio::SocketPtr socket) {
    const auto state = socket_state(*socket);
    state->online = true;
    state->watch();
    services_.presence.connected(state->principal().user, state->principal().email);
  });
  io.on_disconnect([this](const sio::SocketPtr& socket, sio::DisconnectReason) {
    const auto state = socket_state(*socket);
    if (!state || !std::exchange(state->online, false)) return;
    state->stop();
    services_.presence.disconnected(state->principal().user);
  });
  if (services_.limits.enforced()) {
    // Every event, known or not.
    io.on_any([](const sio::SocketPtr& socket, const sio::Event&) {
      if (const auto state = socket_state(*socket)) close_if_flooding(*socket, *state, 1);
    });
  }
  io.on_error([this](const sio::SocketPtr& socket, const sio::EventError& error, const sio::Ack& ack) {
    const bool invalid = error.kind == sio::EventError::Kind::invalid;
    refuse_event(*socket, ack, invalid ? Error{Errc::invalid, error.message} : Error{Errc::internal, "Internal Server Error"});
    if (const auto state = socket_state(*socket); state && services_.limits.enforced()) close_if_flooding(*socket, *state, 1);
  });

  on_event<AuthenticateRequest>(io, "authenticate", [this](EventCall call, AuthenticateRequest request) -> Task<Result<Done>> {
    auto principal = co_await services_.authenticator.authenticate(call.socket->shard(), *request.token);
    if (!principal) co_return std::unexpected(std::move(principal.error()));
    if (principal->user != call.principal.user) co_return fail(Errc::unauthorized, std::string(Authenticator::kRefused));
    const auto state = socket_state(*call.socket);
    if (state->online) state->renew(std::move(*principal));
    co_return Done{};
  });
}

Task<sio::Verdict> Realtime::admit(sio::SocketPtr socket) {
  auto token = token_of(socket->handshake());
  if (!token) co_return refusal(Errc::unauthorized, std::string(Authenticator::kRefused));
  try {
    auto principal = co_await services_.authenticator.authenticate(socket->shard(), std::move(*token));
    if (!principal) co_return refusal(principal.error().code, std::move(principal.error().message));
    const UserId user = principal->user;
    socket->data() = std::make_shared<SocketState>(socket, std::move(*principal));
    co_await settle_rooms(socket, user);
  } catch (const Overloaded&) {
    co_return refusal(Errc::unavailable, "Too busy; try again");
  }
  co_return std::nullopt;
}

Task<> Realtime::settle_rooms(sio::SocketPtr socket, UserId user) {
  // First its own room: from here on the publisher finds the socket when a membership changes.
  socket->join(user_room(user));
  for (;;) {
    const auto epoch = epochs_.of(user);
    const auto ids = co_await services_.store.room_ids_of(user);
    std::unordered_set<std::string> wanted{socket->id(), user_room(user)};
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
