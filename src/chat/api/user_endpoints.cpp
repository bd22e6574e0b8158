// Contract section 2: my profile and my password, other people, whom I block.
#include <boost/describe/class.hpp>

#include "chat/api/field_types.hpp"
#include "chat/api/limited.hpp"
#include "chat/api/media_cookie.hpp"
#include "chat/api/replies.hpp"
#include "chat/api/rest.hpp"
#include "chat/api/token_reply.hpp"

namespace payam::chat::api {
namespace {

using http::Answer;
using http::Method;
using http::Nothing;
using http::Reply;
using http::Text;

struct ProfileRequest {
  http::Maybe<Username> username;
  http::Patch<FullName> full_name;  // null: none
};
BOOST_DESCRIBE_STRUCT(ProfileRequest, (), (username, full_name))
struct ProfileInput {
  ProfileRequest body;
};

struct EraseRequest {
  GivenPassword password;
};
BOOST_DESCRIBE_STRUCT(EraseRequest, (), (password))
struct EraseInput {
  EraseRequest body;
};

struct PasswordRequest {
  GivenPassword current_password;
  Password new_password;
};
BOOST_DESCRIBE_STRUCT(PasswordRequest, (), (current_password, new_password))
struct PasswordInput {
  PasswordRequest body;
};

struct PeopleQuery {
  Text<1, 320> q;
};
BOOST_DESCRIBE_STRUCT(PeopleQuery, (), (q))
struct PeopleInput {
  PeopleQuery query;
};

struct PersonReply {
  std::string email;
  std::string username;
  std::optional<std::string> full_name;
};
BOOST_DESCRIBE_STRUCT(PersonReply, (), (email, username, full_name))

struct BlockPath {
  http::Email email;
};
BOOST_DESCRIBE_STRUCT(BlockPath, (), (email))
struct BlockInput {
  BlockPath path;
};

void add_profile(Api& api, Services& services) {
  add_limited<Nothing>(api, services, Act::list,
                       {.method = Method::get, .path = "/auth/users/me", .summary = "My profile", .tag = "auth"},
                       [&services](Call call, Nothing) -> Task<Answer<ProfileReply>> {
                         const auto user = co_await services.store.find_user(call.identity.user);
                         if (!user) co_return fail(Errc::unauthorized, std::string(Authenticator::kRefused));
                         co_return profile_reply(*user);
                       });

  add_limited<ProfileInput>(api, services, Act::profile,
                            {.method = Method::patch,
                             .path = "/auth/users/me",
                             .summary = "Change my profile; what is not given stays",
                             .tag = "auth",
                             .replies = {{400, "The username is taken"}, {404, "The account was erased meanwhile"}}},
                            [&services](Call call, ProfileInput in) -> Task<Answer<ProfileReply>> {
                              std::optional<std::string> username, full_name;
                              if (in.body.username) username = **in.body.username;
                              if (in.body.full_name.present) full_name = in.body.full_name.value.value_or("");
                              auto user = co_await services.accounts.update_profile(call.identity.user, std::move(username),
                                                                                    std::move(full_name));
                              if (!user) co_return std::unexpected(std::move(user.error()));
                              co_return profile_reply(*user);
                            });

  add_limited<EraseInput>(
      api, services, Act::profile,
      {.method = Method::del,
       .path = "/auth/users/me",
       .summary = "Erase my account; my messages stay without a sender",
       .tag = "auth",
       .status = 204,
       .replies = {{403, "The password is wrong"}, {429, "Too many attempts"}, {503, "Too busy; try again"}}},
      [&services](Call call, EraseInput in) -> Task<Answer<Nothing>> {
        auto erased =
            co_await services.accounts.erase(call.identity, *in.body.password, call.request.peer, until_gone(call.request));
        if (!erased) co_return std::unexpected(refusal_of(std::move(erased.error())));
        Reply<Nothing> reply(Nothing{});
        reply.headers.add("Set-Cookie", media_cookie("", std::chrono::seconds(0), call.request.secure));
        co_return reply;
      });

  add_limited<PasswordInput>(
      api, services, Act::profile,
      {.method = Method::post,
       .path = "/auth/users/me/password",
       .summary = "Change my password; every other device is signed out",
       .tag = "auth",
       .status = 204,
       .replies = {{403, "The current password is wrong"}, {429, "Too many attempts"}, {503, "Too busy; try again"}}},
      [&services](Call call, PasswordInput in) -> Task<Answer<Nothing>> {
        if (auto refusal = refuse_denied(services, *in.body.new_password, "new_password")) {
          co_return std::unexpected(std::move(*refusal));
        }
        auto changed = co_await services.accounts.change_password(
            call.identity, *in.body.current_password, *in.body.new_password, call.request.peer, until_gone(call.request));
        if (!changed) co_return std::unexpected(refusal_of(std::move(changed.error())));
        co_return Nothing{};
      });
}

void add_people(Api& api, Services& services) {
  add_limited<PeopleInput>(
      api, services, Act::people,
      {.method = Method::get,
       .path = "/auth/users",
       .summary = "Find people, 20 at most: by the beginning of a name or an e-mail, as USER_DIRECTORY has it",
       .tag = "auth"},
      [&services](Call, PeopleInput in) -> Task<Answer<std::vector<PersonReply>>> {
        std::vector<PersonReply> list;
        for (const User& user : co_await services.accounts.find_people(*in.query.q)) {
          const ProfileReply profile = profile_reply(user);
          list.push_back({profile.email, profile.username, profile.full_name});
        }
        co_return list;
      });
}

void add_blocks(Api& api, Services& services) {
  add_limited<Nothing>(api, services, Act::list,
                       {.method = Method::get, .path = "/auth/users/me/blocks", .summary = "Whom I block", .tag = "auth"},
                       [&services](Call call, Nothing) -> Task<Answer<std::vector<std::string>>> {
                         co_return co_await services.store.blocks_of(call.identity.user);
                       });

  for (const bool on : {true, false}) {
    add_limited<BlockInput>(api, services, Act::profile,
                            {.method = on ? Method::put : Method::del,
                             .path = "/auth/users/me/blocks/{email}",
                             .summary = on ? "Block someone: no private chat with me, no room for me, no presence of mine"
                                           : "Block someone no longer",
                             .tag = "auth",
                             .status = 204,
                             .replies = {{404, "Nobody else has this e-mail"}}},
                            [&services, on](Call call, BlockInput in) -> Task<Answer<Nothing>> {
                              std::string email = *in.path.email;
                              const auto set = co_await services.presence.set_block(call.identity.user, std::move(email), on);
                              if (!set) co_return fail(Errc::not_found, set.error().message);
                              co_return Nothing{};
                            });
  }
}

}  // namespace

void add_user_endpoints(Api& api, Services& services) {
  add_profile(api, services);
  add_people(api, services);
  add_blocks(api, services);
}

}  // namespace payam::chat::api
