#include "chat/service/accounts.hpp"

#include <openssl/sha.h>

#include <algorithm>
#include <array>

#include "base/base64.hpp"
#include "base/random.hpp"
#include "base/ulid.hpp"

namespace payam::chat {
namespace {

constexpr std::size_t kMaxDeviceName = 200;  // bytes
constexpr std::size_t kRefreshTokenBytes = 32;

std::string lower_ascii(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

// A user agent is anything the client likes to send: only what prints in ASCII is kept.
std::string clean_device_name(std::string name) {
  std::erase_if(name, [](char c) { return c < ' ' || c > '~'; });
  if (name.size() > kMaxDeviceName) name.resize(kMaxDeviceName);
  return name;
}

std::string hash_refresh_token(std::string_view token) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
  SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(), digest.data());
  return base64url_encode({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

}  // namespace

Accounts::Accounts(Store& store, Passwords& passwords, const Tokens& tokens, LoginThrottle* throttle, SignupMode mode,
                   WallClock clock)
    : store_(store), passwords_(passwords), tokens_(tokens), throttle_(throttle), mode_(mode), clock_(clock) {}

Task<Result<User>> Accounts::sign_up(NewAccount account) {
  if (mode_ == SignupMode::closed) co_return fail(Errc::forbidden, "Sign-up is closed");
  User user;
  user.id = UserId(new_ulid(clock_()));
  user.username = std::move(account.username);
  user.email = std::move(account.email);
  user.full_name = std::move(account.full_name);
  user.created_at = clock_();
  // The store decides; asking first only spares the hashing.
  if (co_await store_.find_user_by_email(user.email)) co_return fail(Errc::bad_request, "Email already registered");
  if (co_await store_.find_user_by_username(user.username)) co_return fail(Errc::bad_request, "Username already registered");
  user.password_hash = co_await passwords_.hash(std::move(account.password));
  co_return co_await store_.create_user(std::move(user));
}

Task<std::expected<SignedIn, SignInRefusal>> Accounts::sign_in(std::string login, std::string password, Device device) {
  auto user = co_await store_.find_user_by_email(lower_ascii(login));
  if (!user) user = co_await store_.find_user_by_username(login);
  // One account, whichever of its names is guessed at; unknown ones are slowed the same.
  const std::string account = user ? user->id.str() : "?" + lower_ascii(login);
  if (throttle_ != nullptr) {
    if (const auto wait = throttle_->attempt(account, device.address, steady_now())) {
      SignInRefusal refusal{{Errc::rate_limited, "Too many attempts"}, wait};
      co_return std::unexpected(std::move(refusal));
    }
  }
  std::optional<std::string> hash;
  if (user) hash = user->password_hash;
  const bool right = co_await passwords_.verify(std::move(password), std::move(hash));
  if (!right) {
    SignInRefusal refusal{{Errc::unauthorized, "Incorrect email or password"}, {}};
    co_return std::unexpected(std::move(refusal));
  }
  if (throttle_ != nullptr) throttle_->succeeded(account, device.address, steady_now());

  const Timestamp now = clock_();
  SignedIn result;
  result.refresh_token = random_token(kRefreshTokenBytes);
  Session session;
  session.id = SessionId(new_ulid(now));
  session.user = user->id;
  session.device = clean_device_name(std::move(device.name));
  session.address = std::move(device.address);
  session.refresh_hash = hash_refresh_token(result.refresh_token);
  session.created_at = session.last_used_at = now;
  result.access_token = tokens_.issue(user->email, session.id, now);
  result.media_token = tokens_.issue(user->email, session.id, now, Audience::media);
  result.expires_in = tokens_.lifetime();
  result.user = std::move(*user);
  co_await store_.create_session(std::move(session));
  co_return result;
}

}  // namespace payam::chat
