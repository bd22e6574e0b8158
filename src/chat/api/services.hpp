// Everything the protocols call, and what REST and events share in telling who calls.
#pragma once

#include "chat/auth/token.hpp"
#include "chat/service/accounts.hpp"
#include "chat/service/authenticator.hpp"
#include "chat/service/limits.hpp"
#include "chat/service/messages.hpp"
#include "chat/service/presence.hpp"
#include "chat/service/read_markers.hpp"
#include "chat/service/rooms.hpp"
#include "chat/service/sessions.hpp"
#include "chat/service/uploads.hpp"
#include "chat/store/store.hpp"

namespace payam::chat::api {

// All outlive the router and the sockets.
struct Services {
  Store& store;
  const Tokens& tokens;
  Accounts& accounts;
  Authenticator& authenticator;
  Sessions& sessions;
  Rooms& rooms;
  Messages& messages;
  Presence& presence;
  ReadMarkers& read_markers;
  Limits& limits;
  Uploads& uploads;
};

}  // namespace payam::chat::api
