// What the server emits of its own accord: contract section 5.
#pragma once

#include <boost/describe/class.hpp>
#include <optional>
#include <string>

#include "chat/api/replies.hpp"
#include "chat/service/sessions.hpp"

namespace payam::chat {

BOOST_DESCRIBE_ENUM(SessionEnd, logged_out, revoked, token_reused, password_changed, account_erased)

namespace api {

// `broadcast_message` and `message_updated` are a MessageReply, `room_added` a RoomStateReply: the room as it is with its new
// member.

// `room_updated`, to the other members: the log entry, and where the room stands.
struct RoomUpdatedEvent {
  RoomId id;
  std::string name;
  std::string topic;
  Rev rev;
  Seq last_seq;
  ChangeReply change;
};
BOOST_DESCRIBE_STRUCT(RoomUpdatedEvent, (), (id, name, topic, rev, last_seq, change))

// `room_removed`, to who is no longer a member.
struct RoomRemovedEvent {
  RoomId id;
  Rev rev;
};
BOOST_DESCRIBE_STRUCT(RoomRemovedEvent, (), (id, rev))

// `read`, to the room.
struct ReadEvent {
  RoomId room;
  std::string email;
  Seq seq;
};
BOOST_DESCRIBE_STRUCT(ReadEvent, (), (room, email, seq))

struct PresenceEvent {
  std::string email;
  bool is_online = false;
  std::optional<Timestamp> last_seen;
};
BOOST_DESCRIBE_STRUCT(PresenceEvent, (), (email, is_online, last_seen))

struct TypingEvent {
  RoomId room;
  std::string email;
  bool typing = false;
};
BOOST_DESCRIBE_STRUCT(TypingEvent, (), (room, email, typing))

struct ChatResponseEvent {
  std::string status = "received";
  std::string message;  // the content
};
BOOST_DESCRIBE_STRUCT(ChatResponseEvent, (), (status, message))

// The last thing a socket hears whose session has ended; `token_expired` has no arguments.
struct SessionEndedEvent {
  SessionEnd reason = SessionEnd::logged_out;
};
BOOST_DESCRIBE_STRUCT(SessionEndedEvent, (), (reason))

}  // namespace api
}  // namespace payam::chat
