// The Socket.IO side of the chat: who may connect, which rooms a socket is in, and the events clients emit (contract section
// 5).
#pragma once

#include <optional>
#include <string>

#include "base/error.hpp"
#include "chat/api/event_call.hpp"
#include "chat/api/membership_epochs.hpp"
#include "chat/api/services.hpp"
#include "payam/sio/server.hpp"
#include "runtime/task.hpp"

namespace payam::chat::api {

class Realtime {
 public:
  static constexpr Millis kTokenGrace{60'000};

  // Registers everything on the main namespace, before the server listens. All outlive the sockets.
  // `token_grace`: how long a socket stays after its token has expired.
  Realtime(sio::Server& io, Services& services, MembershipEpochs& epochs, EventMeters& meters,
           Millis token_grace = kTokenGrace);
  Realtime(const Realtime&) = delete;
  Realtime& operator=(const Realtime&) = delete;

  // Puts a socket into a room if its user is a member; false if not. The socket's shard.
  Task<bool> join(sio::SocketPtr socket, UserId user, RoomId room);

  // The AsyncAPI document; once.
  std::string document(std::string version) { return events_.document(std::move(version)); }

 private:
  Task<sio::Verdict> admit(sio::SocketPtr socket);
  Task<std::optional<Error>> admit(sio::SocketPtr socket, std::string token);
  // Brings the socket's rooms to what the store says.
  Task<> settle_rooms(sio::SocketPtr socket);
  void add_connection_handlers(sio::Server& io);

  Services& services_;
  MembershipEpochs& epochs_;
  const Millis token_grace_;
  EventApi events_;
};

// Connection state recovery for clients that ask for it by `auth: {recovery: true}` and come back as the same user. `tokens`
// outlives the server.
sio::ConnectionStateRecovery recovery_for_who_asks(const Tokens& tokens);

// The events of one part each; see realtime.cpp for the rest.
void add_message_events(EventApi& events, Services& services);
void add_message_update_events(EventApi& events, Services& services);
void add_room_events(EventApi& events, Services& services, Realtime& realtime);

}  // namespace payam::chat::api
