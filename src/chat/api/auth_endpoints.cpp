// Contract section 2: sign-up, sign-in, refreshing, the public keys.
#include <boost/describe/class.hpp>

#include "chat/api/field_types.hpp"
#include "chat/api/limited.hpp"
#include "chat/api/replies.hpp"
#include "chat/api/rest.hpp"
#include "chat/api/token_reply.hpp"

namespace payam::chat::api {
namespace {

using http::Answer;
using http::Method;
using http::Nothing;
using http::Text;

struct SignupRequest {
  Username username;
  http::Email email;
  Password password;
  std::optional<FullName> full_name;
  std::optional<http::SecretText<0, Tokens::kMaxBytes>> invite;  // to the server, or to one of its rooms
};
BOOST_DESCRIBE_STRUCT(SignupRequest, (), (username, email, password, full_name, invite))
struct SignupInput {
  SignupRequest body;
};

// RFC 6749 section 4.3.2. `username` is an e-mail or a username.
struct LoginForm {
  Text<1, 320> username;
  GivenPassword password;
  std::optional<Text<0, 64>> grant_type;

  std::optional<std::string> check() const {
    if (!grant_type || (*grant_type)->empty() || **grant_type == "password") return std::nullopt;
    return "grant_type should be 'password'";
  }
};
BOOST_DESCRIBE_STRUCT(LoginForm, (), (username, password, grant_type))
struct LoginRequest {
  Text<1, 320> email;
  GivenPassword password;
};
BOOST_DESCRIBE_STRUCT(LoginRequest, (), (email, password))
struct LoginInput {
  std::optional<LoginForm> form;
  std::optional<LoginRequest> body;
};
// RFC 6749 sections 4.3.2 and 6.
struct TokenForm {
  std::optional<Text<1, 320>> username;
  std::optional<GivenPassword> password;
  std::optional<http::Opaque> refresh_token;
  std::optional<Text<0, 64>> grant_type;

  bool refreshes() const { return grant_type && **grant_type == "refresh_token"; }

  std::optional<std::string> check() const {
    if (!grant_type || (*grant_type)->empty() || **grant_type == "password" || refreshes()) return std::nullopt;
    return "grant_type should be 'password' or 'refresh_token'";
  }
};
BOOST_DESCRIBE_STRUCT(TokenForm, (), (username, password, refresh_token, grant_type))
struct TokenInput {
  TokenForm form;
};

// The fields that the kind of grant needs and that are not there.
http::Faults missing_fields(const TokenForm& form) {
  http::Faults faults;
  const auto need = [&faults](bool there, const char* name) {
    if (!there) faults.push_back({"missing", {"body", name}, "Field required", nullptr, {}});
  };
  if (form.refreshes()) {
    need(form.refresh_token.has_value(), "refresh_token");
  } else {
    need(form.username.has_value(), "username");
    need(form.password.has_value(), "password");
  }
  return faults;
}

Task<Answer<TokenReply>> sign_in(Services& services, Call call, std::string login, std::string password) {
  Device device{std::string(call.request.headers.find("User-Agent").value_or("")), call.request.peer};
  auto signed_in =
      co_await services.accounts.sign_in(std::move(login), std::move(password), std::move(device), until_gone(call.request));
  if (!signed_in) co_return std::unexpected(refusal_of(std::move(signed_in.error())));
  co_return token_reply(*signed_in, call.request.secure);
}

}  // namespace

void add_auth_endpoints(Api& api, Services& services) {
  add_limited<SignupInput>(api, services, Act::stranger,
                           {.method = Method::post,
                            .path = "/auth/signup",
                            .summary = "Sign up",
                            .tag = "auth",
                            .auth = http::Auth::none,
                            .status = 201,
                            .replies = {{400, "The e-mail or the username is taken"},
                                        {403, "Sign-up is closed, or needs a valid invite"},
                                        {429, "Too many attempts"},
                                        {503, "Too busy; try again"}}},
                           [&services](Call call, SignupInput in) -> Task<Answer<ProfileReply>> {
                             if (auto refusal = refuse_denied(services, *in.body.password, "password")) {
                               co_return std::unexpected(std::move(*refusal));
                             }
                             NewAccount account{*in.body.username, *in.body.email, *in.body.password, {}, {}};
                             if (in.body.full_name) account.full_name = **in.body.full_name;
                             if (in.body.invite) account.invite = **in.body.invite;
                             auto user = co_await services.accounts.sign_up(std::move(account), call.request.peer,
                                                                            until_gone(call.request));
                             if (!user) co_return std::unexpected(refusal_of(std::move(user.error())));
                             co_return profile_reply(*user);
                           });

  add_limited<LoginInput>(
      api, services, Act::stranger,
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

  add_limited<TokenInput>(
      api, services, Act::stranger,
      {.method = Method::post,
       .path = "/auth/token",
       .summary = "Sign in, or take a new pair for a refresh token (the OAuth2 token URL)",
       .tag = "auth",
       .description =
           "With `grant_type` `password`, or none: `username` and `password`. With `refresh_token`: `refresh_token`, "
           "which is good for one use; used again within 30 seconds it gives the session's newest one, so that two tabs, or "
           "a reply that was lost, sign nobody out.",
       .auth = http::Auth::none,
       .replies = {{401, "Incorrect email or password, or a refresh token that is not good"},
                   {429, "Too many attempts"},
                   {503, "Too busy; try again"}}},
      [&services](Call call, TokenInput in) -> Task<Answer<TokenReply>> {
        if (auto faults = missing_fields(in.form); !faults.empty()) {
          co_return std::unexpected(http::Refusal(std::move(faults)));
        }
        if (!in.form.refreshes()) {
          co_return co_await sign_in(services, std::move(call), **in.form.username, **in.form.password);
        }
        auto refreshed = co_await services.sessions.refresh(std::move(in.form.refresh_token->value));
        if (!refreshed) co_return std::unexpected(std::move(refreshed.error()));
        co_return token_reply(*refreshed, call.request.secure);
      });

  add_limited<Nothing>(api, services, Act::stranger,
                       {.method = Method::get,
                        .path = "/.well-known/jwks.json",
                        .summary = "The public keys that check access tokens (RFC 7517)",
                        .tag = "auth",
                        .auth = http::Auth::none},
                       [&services](Call, Nothing) -> Task<Answer<http::json::value>> {
                         co_return http::json::parse(services.tokens.jwks(wall_now()));
                       });
}

}  // namespace payam::chat::api
