// Contract section 3: rooms, their members, private chats.
#include <boost/describe/class.hpp>
#include <unordered_set>

#include "chat/api/field_types.hpp"
#include "chat/api/limited.hpp"
#include "chat/api/replies.hpp"
#include "chat/api/rest.hpp"
#include "chat/api/room_path.hpp"
#include "http/percent.hpp"

namespace payam::chat::api {
namespace {

using http::Answer;
using http::Method;
using http::Nothing;
using http::Reply;

struct CreateRoomRequest {
  RoomName name;
  std::optional<Emails> members;
};
BOOST_DESCRIBE_STRUCT(CreateRoomRequest, (), (name, members))
struct CreateRoomInput {
  CreateRoomRequest body;
};

struct AddMembersRequest {
  http::List<http::Email, kMaxMembersAtOnce, 1> emails;
};
BOOST_DESCRIBE_STRUCT(AddMembersRequest, (), (emails))
struct AddMembersInput {
  RoomPath path;
  AddMembersRequest body;
};

struct RemoveMemberInput {
  MemberPath path;
};

struct OpenPrivateRequest {
  http::Email email;
};
BOOST_DESCRIBE_STRUCT(OpenPrivateRequest, (), (email))
struct OpenPrivateInput {
  OpenPrivateRequest body;
};

std::vector<std::string> plain(const std::vector<http::Email>& emails) { return {emails.begin(), emails.end()}; }

// Whose presence the user may see in the list of private chats.
Task<std::unordered_set<UserId>> visible_in_private(Services& services, UserId user) {
  constexpr int kBoth = 2;
  return services.presence.visible_to(std::move(user), kBoth);
}

PrivateChatReply private_chat_reply(const RoomSummary& summary, const Presence& presence,
                                    const std::unordered_set<UserId>& visible) {
  PrivateChatReply reply;
  reply.id = summary.room.id;
  reply.unread_count = summary.unread_count;
  if (summary.last_message) reply.last_message = message_reply(*summary.last_message);
  reply.rev = summary.room.rev;
  reply.last_seq = summary.room.last_seq;
  if (summary.other) {
    reply.other_user_email = summary.other->email;
    if (visible.contains(summary.other->id)) {
      reply.is_online = presence.is_online(summary.other->id);
      reply.last_seen = summary.other->last_seen;
    }
  }
  return reply;
}

void add_rooms(Api& api, Services& services) {
  add_limited<CreateRoomInput>(
      api, services, Act::send,
      {.method = Method::post,
       .path = "/chat/chat_rooms/",
       .summary = "Create a room",
       .tag = "rooms",
       .description = "The caller is its owner and first member.",
       .status = 201,
       .replies = {{400, "A member whom nobody knows; nothing is created"}, {403, "A member who has blocked the caller"}}},
      [&services](Call call, CreateRoomInput in) -> Task<Answer<RoomReply>> {
        std::vector<std::string> members;
        if (in.body.members) members = plain(**in.body.members);
        auto state = co_await services.rooms.create(call.identity.user, *in.body.name, std::move(members));
        if (!state) co_return std::unexpected(std::move(state.error()));
        co_return room_reply(state->room, state->members, {});
      });

  add_limited<Nothing>(
      api, services, Act::list,
      {.method = Method::get, .path = "/chat/chat_rooms/", .summary = "My rooms, latest first", .tag = "rooms"},
      [&services](Call call, Nothing) -> Task<Answer<std::vector<RoomSummaryReply>>> {
        const auto summaries = co_await services.rooms.list(call.identity.user, RoomKind::group);
        std::vector<RoomSummaryReply> replies;
        for (const auto& summary : summaries) replies.push_back(room_summary_reply(summary));
        co_return replies;
      });

  add_limited<RoomInput>(api, services, Act::list,
                         {.method = Method::get,
                          .path = "/chat/chat_rooms/{id}",
                          .summary = "A room with its last 50 messages",
                          .tag = "rooms",
                          .replies = {kNoSuchRoom}},
                         [&services](Call call, RoomInput in) -> Task<Answer<RoomReply>> {
                           const auto view = co_await services.rooms.find(in.path.id, call.identity.user);
                           if (!view) co_return std::unexpected(view.error());
                           co_return room_reply(view->room, view->members, view->messages);
                         });
}

void add_members(Api& api, Services& services) {
  add_limited<AddMembersInput>(api, services, Act::send,
                               {.method = Method::post,
                                .path = "/chat/chat_rooms/{id}/members",
                                .summary = "Add members",
                                .tag = "rooms",
                                .replies = {{400, "Somebody whom nobody knows; nobody is added"},
                                            {403, "Only owners and admins add members; or one of them has blocked the caller"},
                                            kNoSuchRoom,
                                            {409, "A private chat has two members"}}},
                               [&services](Call call, AddMembersInput in) -> Task<Answer<RoomStateReply>> {
                                 auto emails = plain(*in.body.emails);
                                 auto state =
                                     co_await services.rooms.add_members(in.path.id, call.identity.user, std::move(emails));
                                 if (!state) co_return std::unexpected(std::move(state.error()));
                                 co_return room_state_reply(*state);
                               });

  add_limited<RemoveMemberInput>(api, services, Act::send,
                                 {.method = Method::del,
                                  .path = "/chat/chat_rooms/{id}/members/{email}",
                                  .summary = "Remove a member, or leave",
                                  .tag = "rooms",
                                  .status = 204,
                                  .replies = {{403, "Only owners and admins remove others"},
                                              {404, "No such room, or not yours; or nobody of that e-mail in it"},
                                              {409, "The last owner leaves, or a private chat"}}},
                                 [&services](Call call, RemoveMemberInput in) -> Task<Answer<Nothing>> {
                                   auto email = lower_ascii(in.path.email);
                                   const auto removed =
                                       co_await services.rooms.remove_member(in.path.id, call.identity.user, std::move(email));
                                   if (!removed) co_return std::unexpected(removed.error());
                                   co_return Nothing{};
                                 });
}

void add_private_chats(Api& api, Services& services) {
  add_limited<Nothing>(api, services, Act::list,
                       {.method = Method::get,
                        .path = "/chat/private_chats/",
                        .summary = "My private chats, latest first",
                        .tag = "private chats"},
                       [&services](Call call, Nothing) -> Task<Answer<std::vector<PrivateChatReply>>> {
                         const auto summaries = co_await services.rooms.list(call.identity.user, RoomKind::direct);
                         const auto visible = co_await visible_in_private(services, call.identity.user);
                         std::vector<PrivateChatReply> replies;
                         for (const auto& summary : summaries) {
                           replies.push_back(private_chat_reply(summary, services.presence, visible));
                         }
                         co_return replies;
                       });

  add_limited<OpenPrivateInput>(api, services, Act::send,
                                {.method = Method::post,
                                 .path = "/chat/private_chats/",
                                 .summary = "Open the private chat with somebody",
                                 .tag = "private chats",
                                 .description = "There is one for each pair: whoever asks second, or again, gets the same.",
                                 .status = 201,
                                 .replies = {{200, "The one there is"},
                                             {400, "Nobody has this e-mail, or it is one's own"},
                                             {403, "They have blocked the caller"}}},
                                [&services](Call call, OpenPrivateInput in) -> Task<Answer<PrivateChatReply>> {
                                  auto opened = co_await services.rooms.open_direct(call.identity.user, *in.body.email);
                                  if (!opened) co_return std::unexpected(std::move(opened.error()));
                                  const auto view = co_await services.rooms.find(opened->state.room.id, call.identity.user);
                                  if (!view) co_return std::unexpected(view.error());
                                  RoomSummary summary{.room = view->room, .unread_count = 0, .last_message = {}, .other = {}};
                                  for (const Member& member : view->members) {
                                    // Own messages move one's marker, so all after it are the other's.
                                    if (member.user == call.identity.user)
                                      summary.unread_count = view->room.last_seq.value - member.read_seq.value;
                                  }
                                  if (!view->messages.empty()) summary.last_message = view->messages.back();
                                  summary.other = co_await services.store.find_user_by_email(*in.body.email);
                                  const auto visible = co_await visible_in_private(services, call.identity.user);
                                  auto reply = private_chat_reply(summary, services.presence, visible);
                                  co_return Reply<PrivateChatReply>(opened->is_new ? 201 : 200, std::move(reply));
                                });
}

}  // namespace

void add_room_endpoints(Api& api, Services& services) {
  add_rooms(api, services);
  add_members(api, services);
  add_private_chats(api, services);
}

}  // namespace payam::chat::api
