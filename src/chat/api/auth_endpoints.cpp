// Contract section 2: sign-up, sign-in, the profile, the public keys.
#include <fmt/format.h>

#include <boost/describe/class.hpp>

#include "chat/api/field_types.hpp"
#include "chat/api/media_cookie.hpp"
#include "chat/api/replies.hpp"
#include "chat/api/rest.hpp"

namespace payam::chat::api {
namespace {

using http::Answer;
using http::Method;
using http::Nothing;
using http::Reply;
using http::Text;

struct SignupRequest {
  Username username;
  http::Email email;
  Password password;
  std::optional<Text<0, 200>> full_name;
};
BOOST_DESCRIBE_STRUCT(SignupRequest, (), (username, email, password, full_name))
struct SignupInput {
  SignupRequest body;
};

// RFC 6749 section 4.3.2. `username` is an e-mail or a username.
struct LoginForm {
  Text<1, 320> username;
  Text<1, 4096> password;
  std::optional<Text<0, 64>> grant_type;

  std::optional<std::string> check() const {
    if (!grant_type || (*grant_type)->empty() || **grant_type == "password") return std::nullopt;
    return "grant_type should be 'password'";
  }
};
BOOST_DESCRIBE_STRUCT(LoginForm, (), (username, password, grant_type))
struct LoginRequest {
  Text<1, 320> email;
  Text<1, 4096> password;
};
BOOST_DESCRIBE_STRUCT(LoginRequest, (), (email, password))
struct LoginInput {
  std::optional<LoginForm> form;
  std::optional<LoginRequest> body;
};
struct TokenInput {
  LoginForm form;
};

struct TokenReply {
  std::string access_token;
  std::string token_type = "bearer";
  std::int64_t expires_in = 0;  // seconds
  std::string refresh_token;
};
BOOST_DESCRIBE_STRUCT(TokenReply, (), (access_token, token_type, expires_in, refresh_token))

Task<Answer<TokenReply>> sign_in(Services& services, Call call, std::string login, std::string password) {
  Device device{std::string(call.request.headers.find("User-Agent").value_or("")), call.request.peer};
  auto signed_in = co_await services.accounts.sign_in(std::move(login), std::move(password), std::move(device));
  if (!signed_in) {
    http::Refusal refusal(std::move(signed_in.error().error));
    refusal.retry_after = signed_in.error().retry_after;
    co_return std::unexpected(std::move(refusal));
  }
  TokenReply body{.access_token = signed_in->access_token,
                  .expires_in = signed_in->expires_in.count(),
                  .refresh_token = signed_in->refresh_token};
  Reply<TokenReply> reply(std::move(body));
  reply.headers.add("Set-Cookie", media_cookie(signed_in->media_token, signed_in->expires_in, call.request.secure));
  reply.headers.add("Cache-Control", "no-store");  // RFC 6749 section 5.1
  co_return reply;
}

}  // namespace

void add_auth_endpoints(Api& api, Services& services) {
  api.add<SignupInput>(
      {.method = Method::post,
       .path = "/auth/signup",
       .summary = "Sign up",
       .tag = "auth",
       .auth = http::Auth::none,
       .status = 201,
       .replies = {{400, "The e-mail or the username is taken"}, {403, "Sign-up is closed"}, {503, "Too busy; try again"}}},
      [&services](Call, SignupInput in) -> Task<Answer<ProfileReply>> {
        NewAccount account{*in.body.username, *in.body.email, *in.body.password, {}};
        if (in.body.full_name) account.full_name = **in.body.full_name;
        auto user = co_await services.accounts.sign_up(std::move(account));
        if (!user) co_return std::unexpected(std::move(user.error()));
        co_return profile_reply(*user);
      });

  api.add<LoginInput>(
      {.method = Method::post,
       .path = "/auth/login",
       .summary = "Sign in with a form (OAuth2) or JSON",
       .tag = "auth",
       .auth = http::Auth::none,
       .replies = {{401, "Incorrect email or password"}, {429, "Too many attempts"}, {503, "Too busy; try again"}}},
      [&services](Call call, LoginInput in) -> Task<Answer<TokenReply>> {
        std::string login = in.body ? *in.body->email : *in.form->username;
        std::string password = in.body ? *in.body->password : *in.form->password;
        co_return co_await sign_in(services, std::move(call), std::move(login), std::move(password));
      });

  api.add<TokenInput>(
      {.method = Method::post,
       .path = "/auth/token",
       .summary = "Sign in (the OAuth2 token URL)",
       .tag = "auth",
       .auth = http::Auth::none,
       .replies = {{401, "Incorrect email or password"}, {429, "Too many attempts"}, {503, "Too busy; try again"}}},
      [&services](Call call, TokenInput in) -> Task<Answer<TokenReply>> {
        co_return co_await sign_in(services, std::move(call), *in.form.username, *in.form.password);
      });

  api.add<Nothing>({.method = Method::get, .path = "/auth/users/me", .summary = "My profile", .tag = "auth"},
                   [&services](Call call, Nothing) -> Task<Answer<ProfileReply>> {
                     const auto user = co_await services.store.find_user(call.identity.user);
                     if (!user) co_return fail(Errc::unauthorized, std::string(Authenticator::kRefused));
                     co_return profile_reply(*user);
                   });

  api.add<Nothing>(
      {.method = Method::get,
       .path = "/.well-known/jwks.json",
       .summary = "The public keys that check access tokens (RFC 7517)",
       .tag = "auth",
       .auth = http::Auth::none},
      [&services](Call, Nothing) -> Task<Answer<http::json::value>> { co_return http::json::parse(services.tokens.jwks()); });
}

}  // namespace payam::chat::api
