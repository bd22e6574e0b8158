#include "chat/service/sessions.hpp"

#include "base/random.hpp"
#include "base/ulid.hpp"
#include "chat/auth/secret_hash.hpp"
#include "chat/service/log.hpp"

namespace payam::chat {
namespace {

constexpr std::size_t kMaxDeviceName = 200;  // bytes
constexpr std::size_t kSecretBytes = 16;

// A user agent is anything the client likes to send: only what prints in ASCII is kept.
std::string clean_device_name(std::string name) {
  std::erase_if(name, [](char c) { return c < ' ' || c > '~'; });
  if (name.size() > kMaxDeviceName) name.resize(kMaxDeviceName);
  return name;
}

// `session.family.secret`. The family is the same for all refresh tokens of a session, so that a token which is merely made up,
// unlike one that was used before, ends nothing.
struct RefreshToken {
  std::string session, family, secret;

  static RefreshToken first(const SessionId& id) { return {id.str(), random_token(kSecretBytes), random_token(kSecretBytes)}; }
  static std::optional<RefreshToken> parse(std::string_view text) {
    const auto first = text.find('.'), last = text.rfind('.');
    if (first == text.npos || first == last) return std::nullopt;
    return RefreshToken{std::string(text.substr(0, first)), std::string(text.substr(first + 1, last - first - 1)),
                        std::string(text.substr(last + 1))};
  }
  RefreshToken next() const { return {session, family, random_token(kSecretBytes)}; }

  std::string text() const { return session + '.' + family + '.' + secret; }
  std::string family_hash() const { return hash_secret(family); }
  std::string hash() const { return family_hash() + hash_secret(text()); }  // as the store keeps it
};

}  // namespace

SignedIn Sessions::tokens_for(User user, const SessionId& session, std::string refresh_token, Timestamp now) const {
  SignedIn result;
  result.refresh_token = std::move(refresh_token);
  result.access_token = tokens_.issue(user.email, session, now);
  result.media_token = tokens_.issue(user.email, session, now, Audience::media);
  result.expires_in = tokens_.lifetime();
  result.user = std::move(user);
  return result;
}

Task<SignedIn> Sessions::begin(User user, Device device) {
  const Timestamp now = clock_();
  Session session;
  session.id = SessionId(new_ulid(now));
  const RefreshToken token = RefreshToken::first(session.id);
  session.user = user.id;
  session.device = clean_device_name(std::move(device.name));
  session.address = std::move(device.address);
  session.refresh_hash = token.hash();
  session.created_at = session.last_used_at = now;
  SignedIn result = tokens_for(std::move(user), session.id, token.text(), now);
  co_await store_.create_session(std::move(session));
  co_return result;
}

Task<Result<SignedIn>> Sessions::refresh(std::string refresh_token) {
  const auto refused = [] { return fail(Errc::unauthorized, std::string(Authenticator::kRefused)); };
  const auto token = RefreshToken::parse(refresh_token);
  if (!token) co_return refused();
  const SessionId id(token->session);
  const auto session = co_await store_.find_session(id);
  if (!session || !session->refresh_hash.starts_with(token->family_hash())) co_return refused();
  auto user = co_await store_.find_user(session->user);
  if (!user) co_return refused();

  const Timestamp now = clock_();
  const RefreshToken next = token->next();
  const auto use = co_await store_.rotate_session(id, token->hash(), next.hash(), now);
  if (!use) co_return refused();  // ended meanwhile
  if (*use == RefreshUse::reuse) {
    log::warn("session_ended", {{"session", id.str()}, {"reason", "token_reused"}});
    co_await ended(id, SessionEnd::token_reused);
    co_return refused();
  }
  co_return tokens_for(std::move(*user), id, next.text(), now);
}

Task<Result<>> Sessions::end(SessionId session, UserId owner, SessionEnd why) {
  if (!co_await store_.end_session(session, std::move(owner))) co_return fail(Errc::not_found, "Session not found");
  co_await ended(std::move(session), why);
  co_return Result<>();
}

Task<> Sessions::end_others(UserId user, SessionId but, SessionEnd why) {
  const auto others = co_await store_.end_sessions_of(std::move(user), std::move(but));
  for (const SessionId& session : others) co_await ended(session, why);
}

Task<> Sessions::all_erased(UserId user) {
  co_await authenticator_.forget(user);
  close_(user, SessionEnd::account_erased);
}

// The sockets last: whoever connects meanwhile either finds the tokens forgotten, or is connected when they are closed.
Task<> Sessions::ended(SessionId session, SessionEnd why) {
  co_await authenticator_.forget(session);
  close_(session, why);
}

}  // namespace payam::chat
