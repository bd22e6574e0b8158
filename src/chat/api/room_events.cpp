// join_room, leave_room, resume, get_online_users, typing, mark_read: contract section 5.
#include <boost/describe/class.hpp>

#include "chat/api/event_call.hpp"
#include "chat/api/field_types.hpp"
#include "chat/api/publisher.hpp"
#include "chat/api/realtime.hpp"
#include "chat/api/realtime_events.hpp"
#include "chat/rules.hpp"

namespace payam::chat::api {

// Where a client stands in a room: its last seq, or {"rev": its last rev}.
struct ResumePoint {
  Position position;
};

}  // namespace payam::chat::api

template <>
struct payam::http::Codec<payam::chat::api::ResumePoint> {
  static bool read(Reader& reader, const json::value& input, payam::chat::api::ResumePoint& out) {
    payam::chat::api::Whole number;
    if (const auto* object = input.if_object()) {
      const auto* rev = object->if_contains("rev");
      if (rev == nullptr) return reader.missing("rev", *object);
      const Reader::Below below(reader, "rev", nullptr);
      if (!Codec<payam::chat::api::Whole>::read(reader, *rev, number)) return false;
      out.position = payam::chat::Rev{*number};
      return true;
    }
    if (!Codec<payam::chat::api::Whole>::read(reader, input, number)) return false;
    out.position = payam::chat::Seq{*number};
    return true;
  }
  static json::object schema(Schemas& schemas, Direction direction) {
    const json::object number = Codec<payam::chat::api::Whole>::schema(schemas, direction);
    const json::object rev{{"type", "object"}, {"properties", json::object{{"rev", number}}}, {"required", json::array{"rev"}}};
    return {{"anyOf", json::array{number, rev}}};
  }
};

namespace payam::chat::api {
namespace {

struct RoomRequest {
  IdText room;
};
BOOST_DESCRIBE_STRUCT(RoomRequest, (), (room))

struct JoinRequest {
  IdText room;
  std::optional<Whole> after_seq;
  std::optional<Whole> after_rev;

  std::optional<std::string> check() const {
    if (after_seq && after_rev) return "only one of after_seq and after_rev may be given";
    return std::nullopt;
  }
};
BOOST_DESCRIBE_STRUCT(JoinRequest, (), (room, after_seq, after_rev))
struct JoinReply {
  RoomId room;
  Seq seq;
  Rev rev;
  http::Maybe<std::vector<MessageReply>> messages;
  http::Maybe<std::vector<ChangeReply>> changes;
  http::Maybe<bool> more;
};
BOOST_DESCRIBE_STRUCT(JoinReply, (), (room, seq, rev, messages, changes, more))

struct LeaveReply {
  RoomId room;
};
BOOST_DESCRIBE_STRUCT(LeaveReply, (), (room))

struct ResumeRequest {
  http::Dict<ResumePoint, 1'000> rooms;
};
BOOST_DESCRIBE_STRUCT(ResumeRequest, (), (rooms))
struct ResumedRoom {
  std::vector<MessageReply> messages;
  std::vector<ChangeReply> changes;
  Seq seq;
  Rev rev;
  bool more = false;
};
BOOST_DESCRIBE_STRUCT(ResumedRoom, (), (messages, changes, seq, rev, more))
struct ResumeReply {
  std::map<std::string, ResumedRoom> rooms;
};
BOOST_DESCRIBE_STRUCT(ResumeReply, (), (rooms))

struct OnlineRequest {
  std::optional<IdText> room;
};
BOOST_DESCRIBE_STRUCT(OnlineRequest, (), (room))
struct OnlineReply {
  std::vector<std::string> users;
};
BOOST_DESCRIBE_STRUCT(OnlineReply, (), (users))

struct TypingRequest {
  IdText room;
  bool typing = false;
};
BOOST_DESCRIBE_STRUCT(TypingRequest, (), (room, typing))

std::unexpected<Error> no_such_room() { return fail(Errc::not_found, std::string(rules::kRoomNotFound)); }

Task<Result<JoinReply>> join_room(Services& services, Realtime& realtime, EventCall call, JoinRequest request) {
  const RoomId room(*request.room);
  const UserId user = call.principal.user;
  // Joined first, read then: what comes in between comes twice rather than never, and its seq and rev tell.
  if (!co_await realtime.join(call.socket, user, room)) co_return no_such_room();
  JoinReply reply{.room = room, .seq = {}, .rev = {}, .messages = {}, .changes = {}, .more = {}};
  if (!request.after_seq && !request.after_rev) {
    const auto view = co_await services.store.find_room(room, user, 0);
    if (!view) co_return std::unexpected(view.error());
    reply.seq = view->room.last_seq;
    reply.rev = view->room.rev;
    co_return reply;
  }
  const Position from = request.after_seq ? Position(Seq{**request.after_seq}) : Position(Rev{**request.after_rev});
  const auto missed = co_await services.messages.catch_up(room, user, from);
  if (!missed) co_return std::unexpected(missed.error());
  reply.seq = missed->seq;
  reply.rev = missed->rev;
  reply.messages.emplace(message_replies(missed->messages));
  if (request.after_rev) reply.changes.emplace(change_replies(missed->changes));
  reply.more.emplace(missed->more);
  co_return reply;
}

Task<Result<ResumeReply>> resume(Services& services, EventCall call, ResumeRequest request) {
  std::map<RoomId, Position> from;
  for (const auto& [room, point] : *request.rooms) from.emplace(RoomId(room), point.position);
  const auto missed = co_await services.messages.catch_up_all(call.principal.user, std::move(from));
  ResumeReply reply;
  for (const auto& [room, page] : missed) {
    reply.rooms.emplace(
        room.str(), ResumedRoom{message_replies(page.messages), change_replies(page.changes), page.seq, page.rev, page.more});
  }
  co_return reply;
}

Task<Result<OnlineReply>> get_online_users(Services& services, EventCall call, OnlineRequest request) {
  const UserId user = call.principal.user;
  const auto visible = co_await services.presence.visible_to(user);
  std::vector<UserId> people(visible.begin(), visible.end());
  if (request.room) {
    const auto view = co_await services.store.find_room(RoomId(**request.room), user, 0);
    if (!view) co_return std::unexpected(view.error());
    people.clear();
    for (const Member& member : view->members) {
      if (visible.contains(member.user)) people.push_back(member.user);
    }
  }
  OnlineReply reply{services.presence.online_among(people)};
  // The original service answers with an event.
  emit<OnlineUsers>(*call.socket, reply.users);
  co_return reply;
}

struct MarkReadRequest {
  IdText room;
  Whole seq;
};
BOOST_DESCRIBE_STRUCT(MarkReadRequest, (), (room, seq))

// Whether the socket is in this chat room: then its user is a member, for the publisher takes it out with the membership. Its
// other rooms are of its user and of its own id.
bool is_in_chat_room(const sio::Socket& socket, const UserId& user, const std::string& room) {
  return socket.in_room(room) && room != socket.id() && room != user_room(user);
}

Task<Result<Done>> typing(Services& services, EventCall call, TypingRequest request) {
  const RoomId room(*request.room);
  if (!is_in_chat_room(*call.socket, call.principal.user, room.str())) {
    // It may have left the room to hear less.
    if (!co_await services.store.is_member(room, call.principal.user)) co_return no_such_room();
  }
  emit<TypingEmitted>(call.socket->to(room.str()).except(user_room(call.principal.user)).volatile_(),
                      {room, call.principal.email, request.typing});
  co_return Done{};
}

}  // namespace

void add_room_events(EventApi& events, Services& services, Realtime& realtime) {
  events.on<JoinRequest>({.name = "join_room",
                          .summary = "Joins a room of the user's, and gives what was missed",
                          .description = "After a `seq` the messages, after a `rev` every change; `more` if it was cut.",
                          .act = Act::join},
                         [&services, &realtime](EventCall call, JoinRequest request) {
                           return join_room(services, realtime, std::move(call), std::move(request));
                         });
  events.on<RoomRequest>({.name = "leave_room", .summary = "This socket hears no more of the room; the user stays a member"},
                         [&services](EventCall call, RoomRequest request) -> Task<Result<LeaveReply>> {
                           const RoomId room(*request.room);
                           if (!co_await services.store.is_member(room, call.principal.user)) co_return no_such_room();
                           call.socket->leave(room.str());
                           co_return LeaveReply{room};
                         });
  events.on<ResumeRequest>(
      {.name = "resume",
       .summary = "What was missed in several rooms",
       .description = "For each room the last `seq`, or `{rev}`. Rooms that are not the user's are left out.",
       .act = Act::join},
      [&services](EventCall call, ResumeRequest request) { return resume(services, std::move(call), std::move(request)); });
  events.on<OnlineRequest>({.name = "get_online_users",
                            .summary = "Who is online, in a room or among all who share one with the user",
                            .act = Act::join},
                           [&services](EventCall call, OnlineRequest request) {
                             return get_online_users(services, std::move(call), std::move(request));
                           });
  events.on<TypingRequest>(
      {.name = "typing", .summary = "Tells the others of a room that the user types, or has stopped", .act = Act::typing},
      [&services](EventCall call, TypingRequest request) { return typing(services, std::move(call), std::move(request)); });
  events.on<MarkReadRequest>({.name = "mark_read", .summary = "Moves the user's marker forward", .act = Act::read},
                             [&services](EventCall call, MarkReadRequest request) -> Task<Result<ReadReply>> {
                               const RoomId room(*request.room);
                               const auto seq = co_await services.read_markers.mark(call.principal.user, call.principal.email,
                                                                                    room, Seq{*request.seq});
                               if (!seq) co_return std::unexpected(seq.error());
                               co_return ReadReply{room, *seq};
                             });
}

}  // namespace payam::chat::api
