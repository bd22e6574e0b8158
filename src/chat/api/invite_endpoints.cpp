// Contract section 3: invites. A link to one is for people; the join is always a POST, so that no preview of a link joins.
#include <boost/describe/class.hpp>

#include "chat/api/field_types.hpp"
#include "chat/api/limited.hpp"
#include "chat/api/replies.hpp"
#include "chat/api/rest.hpp"
#include "chat/api/room_path.hpp"

namespace payam::chat::api {
namespace {

using http::Answer;
using http::DocumentedReply;
using http::Method;
using http::Nothing;

constexpr std::int64_t kLongestLife = 366ll * 24 * 60 * 60;  // seconds
constexpr std::int64_t kMostUses = 100'000;

// Without a time it does not expire, without a number any number may use it.
struct CreateInviteRequest {
  std::optional<http::Integer<1, kLongestLife>> expires_in;  // seconds
  std::optional<http::Integer<1, kMostUses>> uses;
};
BOOST_DESCRIBE_STRUCT(CreateInviteRequest, (), (expires_in, uses))
struct CreateInviteInput {
  RoomPath path;
  CreateInviteRequest body;
};

struct InvitePath {
  RoomId id;
  http::SecretText<> token;
};
BOOST_DESCRIBE_STRUCT(InvitePath, (), (id, token))
struct EndInviteInput {
  InvitePath path;
};

struct JoinByInviteRequest {
  http::SecretText<1, 64> token;
};
BOOST_DESCRIBE_STRUCT(JoinByInviteRequest, (), (token))
struct JoinByInviteInput {
  JoinByInviteRequest body;
};

}  // namespace

void add_invite_endpoints(Api& api, Services& services) {
  add_limited<CreateInviteInput>(
      api, services, Act::send,
      {.method = Method::post,
       .path = "/chat/chat_rooms/{id}/invites",
       .summary = "Make an invite to a room",
       .tag = "rooms",
       .description = "Whoever has the token may join. It is told this once and kept as a hash.",
       .status = 201,
       .replies = {{403, "Only owners and admins add members"}, kNoSuchRoom, {409, "A private chat has two members"}}},
      [&services](Call call, CreateInviteInput in) -> Task<Answer<InviteReply>> {
        std::optional<std::chrono::seconds> lifetime;
        std::optional<int> uses;
        if (in.body.expires_in) lifetime.emplace(**in.body.expires_in);
        if (in.body.uses) uses = static_cast<int>(**in.body.uses);
        const auto created = co_await services.rooms.create_invite(in.path.id, call.identity.user, lifetime, uses);
        if (!created) co_return std::unexpected(created.error());
        const Invite& invite = created->invite;
        InviteReply reply{created->token, invite.room, invite.created_at, invite.expires_at, invite.uses_left};
        co_return reply;
      });

  add_limited<EndInviteInput>(api, services, Act::send,
                              {.method = Method::del,
                               .path = "/chat/chat_rooms/{id}/invites/{token}",
                               .summary = "End an invite",
                               .tag = "rooms",
                               .status = 204,
                               .replies = {{403, "Only owners and admins add members"},
                                           {404, "No such room, or not yours; or no such invite to it"},
                                           {409, "A private chat has two members"}}},
                              [&services](Call call, EndInviteInput in) -> Task<Answer<Nothing>> {
                                auto token = std::move(*in.path.token);
                                const auto ended =
                                    co_await services.rooms.end_invite(in.path.id, call.identity.user, std::move(token));
                                if (!ended) co_return std::unexpected(ended.error());
                                co_return Nothing{};
                              });

  add_limited<JoinByInviteInput>(api, services, Act::join,
                                 {.method = Method::post,
                                  .path = "/chat/join",
                                  .summary = "Join a room by an invite",
                                  .tag = "rooms",
                                  .description = "Who is a member already gets the room and uses nothing up.",
                                  .replies = {{403, "Removed from this room after the invite was made"},
                                              {404, "No such invite, or it has expired"},
                                              {409, "The invite is used up"}}},
                                 [&services](Call call, JoinByInviteInput in) -> Task<Answer<RoomStateReply>> {
                                   auto token = std::move(*in.body.token);
                                   auto state = co_await services.rooms.join(call.identity.user, std::move(token));
                                   if (!state) co_return std::unexpected(std::move(state.error()));
                                   co_return room_state_reply(*state);
                                 });
}

}  // namespace payam::chat::api
