// The paths of calls about one room.
#pragma once

#include <boost/describe/class.hpp>
#include <string>

#include "chat/model.hpp"
#include "http/api/openapi.hpp"

namespace payam::chat::api {

struct RoomPath {
  RoomId id;
};
BOOST_DESCRIBE_STRUCT(RoomPath, (), (id))
struct RoomInput {
  RoomPath path;
};

struct MemberPath {
  RoomId id;
  std::string email;
};
BOOST_DESCRIBE_STRUCT(MemberPath, (), (id, email))

inline const http::DocumentedReply kNoSuchRoom{404, "No such room, or not yours"};

}  // namespace payam::chat::api
