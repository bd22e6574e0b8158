// Contract section 3: what becomes of a room: its name and topic, its roles, its end; and what each member keeps about it.
#include <boost/describe/class.hpp>

#include "chat/api/field_types.hpp"
#include "chat/api/limited.hpp"
#include "chat/api/replies.hpp"
#include "chat/api/rest.hpp"
#include "chat/api/room_path.hpp"

namespace payam::chat::api {
namespace {

using http::Answer;
using http::Method;
using http::Nothing;

// What is not given stays; an empty topic takes it away.
struct UpdateRoomRequest {
  http::Maybe<RoomName> name;
  http::Maybe<Topic> topic;
};
BOOST_DESCRIBE_STRUCT(UpdateRoomRequest, (), (name, topic))
struct UpdateRoomInput {
  RoomPath path;
  UpdateRoomRequest body;
};

struct ChangeRoleRequest {
  Role role{};
};
BOOST_DESCRIBE_STRUCT(ChangeRoleRequest, (), (role))
struct ChangeRoleInput {
  MemberPath path;
  ChangeRoleRequest body;
};

struct ReadRequest {
  http::Integer<0> seq;
};
BOOST_DESCRIBE_STRUCT(ReadRequest, (), (seq))
struct ReadInput {
  RoomPath path;
  ReadRequest body;
};

void add_updates(Api& api, Services& services) {
  add_limited<UpdateRoomInput>(
      api, services, Act::send,
      {.method = Method::patch,
       .path = "/chat/chat_rooms/{id}",
       .summary = "Change a room's name or topic",
       .tag = "rooms",
       .replies = {{403, "Only owners and admins change the room"}, kNoSuchRoom, {409, "A private chat has neither"}}},
      [&services](Call call, UpdateRoomInput in) -> Task<Answer<RoomStateReply>> {
        std::optional<std::string> name, topic;
        if (in.body.name) name = std::move(**in.body.name);
        if (in.body.topic) topic = std::move(**in.body.topic);
        auto state = co_await services.rooms.update(in.path.id, call.identity.user, std::move(name), std::move(topic));
        if (!state) co_return std::unexpected(std::move(state.error()));
        co_return room_state_reply(*state);
      });

  add_limited<RoomInput>(
      api, services, Act::send,
      {.method = Method::del,
       .path = "/chat/chat_rooms/{id}",
       .summary = "Delete a room with all its messages",
       .tag = "rooms",
       .status = 204,
       .replies = {{403, "Only an owner deletes the room"}, kNoSuchRoom, {409, "A private chat can be hidden, not deleted"}}},
      [&services](Call call, RoomInput in) -> Task<Answer<Nothing>> {
        const auto erased = co_await services.rooms.erase(in.path.id, call.identity.user);
        if (!erased) co_return std::unexpected(erased.error());
        co_return Nothing{};
      });

  add_limited<ChangeRoleInput>(api, services, Act::send,
                               {.method = Method::patch,
                                .path = "/chat/chat_rooms/{id}/members/{email}",
                                .summary = "Give a member a role",
                                .tag = "rooms",
                                .description = "Owners give any role; admins any but owner, and to anyone but owners.",
                                .replies = {{403, "Not with the caller's role"},
                                            {404, "No such room, or not yours; or nobody of that e-mail in it"},
                                            {409, "The last owner, or a private chat"}}},
                               [&services](Call call, ChangeRoleInput in) -> Task<Answer<RoomStateReply>> {
                                 auto email = lower_ascii(in.path.email);
                                 auto state = co_await services.rooms.change_role(in.path.id, call.identity.user,
                                                                                  std::move(email), in.body.role);
                                 if (!state) co_return std::unexpected(std::move(state.error()));
                                 co_return room_state_reply(*state);
                               });
}

void add_personal(Api& api, Services& services) {
  add_limited<ReadInput>(api, services, Act::read,
                         {.method = Method::post,
                          .path = "/chat/chat_rooms/{id}/read",
                          .summary = "Move my read marker",
                          .tag = "rooms",
                          .description = "Forward only, and never past the last message. The reply says where it is.",
                          .replies = {kNoSuchRoom}},
                         [&services](Call call, ReadInput in) -> Task<Answer<ReadReply>> {
                           const auto seq = co_await services.read_markers.mark(call.identity.user, call.identity.email,
                                                                                in.path.id, Seq{*in.body.seq});
                           if (!seq) co_return std::unexpected(seq.error());
                           co_return ReadReply{in.path.id, *seq};
                         });

  add_limited<RoomInput>(api, services, Act::profile,
                         {.method = Method::del,
                          .path = "/chat/private_chats/{id}",
                          .summary = "Hide a private chat",
                          .tag = "private chats",
                          .description = "For the caller alone, until its next message.",
                          .status = 204,
                          .replies = {{404, "No such private chat, or not yours"}}},
                         [&services](Call call, RoomInput in) -> Task<Answer<Nothing>> {
                           const auto hidden = co_await services.rooms.hide_direct(in.path.id, call.identity.user);
                           if (!hidden) co_return std::unexpected(hidden.error());
                           co_return Nothing{};
                         });
}

}  // namespace

void add_room_update_endpoints(Api& api, Services& services) {
  add_updates(api, services);
  add_personal(api, services);
}

}  // namespace payam::chat::api
