// What the server emits: contract section 5. Each event is a type with its name and its argument's type, and only those in the
// list at the end can be emitted: so the AsyncAPI document, which is made from it, knows all of them.
#pragma once

#include <boost/describe/class.hpp>
#include <boost/mp11/algorithm.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

#include "chat/api/replies.hpp"
#include "chat/service/sessions.hpp"
#include "http/codec/codec.hpp"
#include "http/codec/fault_schema.hpp"

namespace payam::chat {

BOOST_DESCRIBE_ENUM(SessionEnd, logged_out, revoked, token_reused, password_changed, account_erased, idle, too_many)

namespace api {

// The log entry, and where the room stands.
struct RoomUpdatedEvent {
  RoomId id;
  std::string name;
  std::string topic;
  Rev rev;
  Seq last_seq;
  ChangeReply change;
};
BOOST_DESCRIBE_STRUCT(RoomUpdatedEvent, (), (id, name, topic, rev, last_seq, change))

struct RoomRemovedEvent {
  RoomId id;
  Rev rev;
};
BOOST_DESCRIBE_STRUCT(RoomRemovedEvent, (), (id, rev))

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

struct SessionEndedEvent {
  SessionEnd reason = SessionEnd::logged_out;
};
BOOST_DESCRIBE_STRUCT(SessionEndedEvent, (), (reason))

// Why an input does not fit: in words, or every fault with its place.
struct Detail {
  std::variant<std::string, http::Faults> why;
};

}  // namespace api
}  // namespace payam::chat

template <>
struct payam::http::Codec<payam::chat::api::Detail> {
  static void write(std::string& out, const payam::chat::api::Detail& value);
  static json::object schema(Schemas& schemas, Direction);
};

// By its name on the wire.
template <>
struct payam::http::Codec<payam::Errc> {
  static void write(std::string& out, payam::Errc code) { append_json_string(out, to_string(code)); }
  static json::object schema(Schemas& schemas, Direction);
};

namespace payam::chat::api {

struct ErrorEvent {
  std::string message;
  Errc code = Errc::internal;
  http::Maybe<Detail> detail;  // with the code `invalid`
};
BOOST_DESCRIBE_STRUCT(ErrorEvent, (), (message, code, detail))

struct ErrorAck {
  std::string status = "error";
  Errc code = Errc::internal;
  std::string message;
  http::Maybe<Detail> detail;
};
BOOST_DESCRIBE_STRUCT(ErrorAck, (), (status, code, message, detail))

struct ConnectErrorData {
  Errc code = Errc::unauthorized;
};
BOOST_DESCRIBE_STRUCT(ConnectErrorData, (), (code))
struct ConnectErrorEvent {
  std::string message;
  http::Maybe<ConnectErrorData> data;
};
BOOST_DESCRIBE_STRUCT(ConnectErrorEvent, (), (message, data))

// --- The events --------------------------------------------------------------------------------------------------------

struct BroadcastMessage {
  static constexpr std::string_view kName = "broadcast_message";
  static constexpr std::string_view kSummary = "A message, to everyone in its room, the sender too, in the order of `seq`";
  using Argument = MessageReply;
};
struct MessageUpdatedEmitted {
  static constexpr std::string_view kName = "message_updated";
  static constexpr std::string_view kSummary =
      "A message that was edited, deleted, pinned or reacted to, to everyone in its room";
  using Argument = MessageReply;
};
struct RoomAdded {
  static constexpr std::string_view kName = "room_added";
  static constexpr std::string_view kSummary = "A room the user has become a member of, to the user";
  using Argument = RoomStateReply;
};
struct RoomUpdatedEmitted {
  static constexpr std::string_view kName = "room_updated";
  static constexpr std::string_view kSummary = "A change of a room or its members, to the members";
  using Argument = RoomUpdatedEvent;
};
struct RoomRemoved {
  static constexpr std::string_view kName = "room_removed";
  static constexpr std::string_view kSummary = "A room the user is no longer a member of, to the user";
  using Argument = RoomRemovedEvent;
};
struct ReadEmitted {
  static constexpr std::string_view kName = "read";
  static constexpr std::string_view kSummary =
      "How far somebody has read, to the room; at most once a second for each user and room";
  using Argument = ReadEvent;
};
struct PresenceEmitted {
  static constexpr std::string_view kName = "presence";
  static constexpr std::string_view kSummary = "Somebody has come or gone, to people who share a room with them";
  using Argument = PresenceEvent;
};
struct TypingEmitted {
  static constexpr std::string_view kName = "typing";
  static constexpr std::string_view kSummary = "Somebody types, to the others in the room; may get lost";
  using Argument = TypingEvent;
};
struct OnlineUsers {
  static constexpr std::string_view kName = "online_users";
  static constexpr std::string_view kSummary = "Who is online, e-mails: the answer to `get_online_users`";
  using Argument = std::vector<std::string>;
};
struct ChatResponse {
  static constexpr std::string_view kName = "chat_response";
  static constexpr std::string_view kSummary = "A message was taken, to a sender that asked for no acknowledgement";
  using Argument = ChatResponseEvent;
};
struct ErrorEmitted {
  static constexpr std::string_view kName = "error";
  static constexpr std::string_view kSummary =
      "An event without acknowledgement was refused, or the connection is about to be closed";
  using Argument = ErrorEvent;
};
struct TokenExpired {
  static constexpr std::string_view kName = "token_expired";
  static constexpr std::string_view kSummary =
      "The access token has expired: `authenticate` within 60 s, or the connection is closed";
  using Argument = http::Nothing;
};
struct SessionEnded {
  static constexpr std::string_view kName = "session_ended";
  static constexpr std::string_view kSummary = "The session has ended, and with this the connection";
  using Argument = SessionEndedEvent;
};
struct ConnectError {
  static constexpr std::string_view kName = "connect_error";
  static constexpr std::string_view kSummary = "The connection to the namespace was refused (the packet CONNECT_ERROR)";
  using Argument = ConnectErrorEvent;
};

using ServerEvents = std::tuple<BroadcastMessage, MessageUpdatedEmitted, RoomAdded, RoomUpdatedEmitted, RoomRemoved,
                                ReadEmitted, PresenceEmitted, TypingEmitted, OnlineUsers, ChatResponse, ErrorEmitted,
                                TokenExpired, SessionEnded, ConnectError>;

template <class Event>
concept ServerEvent = boost::mp11::mp_contains<ServerEvents, Event>::value;

// To a socket or a broadcast.
template <ServerEvent Event, class Target>
void emit(Target&& target, const typename Event::Argument& argument) {
  target.emit_raw(Event::kName, http::to_json_text(argument));
}

}  // namespace payam::chat::api
