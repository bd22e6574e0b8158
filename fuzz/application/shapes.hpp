// Bodies, requests and packets as the API's documents describe them, and nearly so: of the wrong type, missing, more than is
// known, huge, deep, cut off.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>

#include "fuzz/application/input.hpp"
#include "fuzz/application/world.hpp"

namespace payam::fuzz {

// Appends JSON text for a field `name` of this schema.
void write_shape(std::string& out, const boost::json::value& schema, std::string_view name, World& world, Input& in);

struct MadeRequest {
  std::string bytes;
  std::string what;             // method and target
  bool head_only = false;       // the reply has no body
  bool whole = true;            // its bytes are one request, all of it
  bool changes_people = false;  // it may end a session, a membership or an account
};

// A request for some operation of the OpenAPI document.
MadeRequest make_request(World& world, Input& in);

// `42["chat_message",{…}]` for some event of the AsyncAPI document, without the leading '4' of Engine.IO.
struct MadeEvent {
  std::string text;
  unsigned attachments = 0;  // that have to follow
  bool known = true;         // a name that has a handler
  bool whole = true;
};
MadeEvent make_event(World& world, Input& in, std::uint64_t ack, bool wants_ack);

// `0{"token":…}` of Socket.IO.
struct MadeConnect {
  std::string text;
  bool whole = true;
};
MadeConnect make_connect(World& world, Input& in);

}  // namespace payam::fuzz
