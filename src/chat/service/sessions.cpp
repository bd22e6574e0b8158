#include "chat/service/sessions.hpp"

#include <algorithm>

#include "base/random.hpp"
#include "base/ulid.hpp"
#include "chat/auth/sealed.hpp"
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

std::string_view name_of(SessionEnd why) {
  switch (why) {
    case SessionEnd::logged_out: return "logged_out";
    case SessionEnd::revoked: return "revoked";
    case SessionEnd::token_reused: return "token_reused";
    case SessionEnd::password_changed: return "password_changed";
    case SessionEnd::account_erased: return "account_erased";
    case SessionEnd::idle: return "idle";
    case SessionEnd::too_many: return "too_many";
  }
  return "";
}

bool is_base64url(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

// `session.family.secret`. The family is the same for all refresh tokens of a session, so that a token which is merely made up,
// unlike one that was used before, ends nothing.
struct RefreshToken {
  std::string session, family, secret;

  static RefreshToken first(const SessionId& id) { return {id.str(), random_token(kSecretBytes), random_token(kSecretBytes)}; }
  // nullopt for whatever cannot be one: text of any length, also binary.
  static std::optional<RefreshToken> parse(std::string_view text) {
    if (text.size() > kMaxTokenBytes) return std::nullopt;
    const auto first = text.find('.'), last = text.rfind('.');
    if (first == text.npos || first == last) return std::nullopt;
    RefreshToken token{std::string(text.substr(0, first)), std::string(text.substr(first + 1, last - first - 1)),
                       std::string(text.substr(last + 1))};
    if (!is_base64url(token.session) || !is_base64url(token.family) || !is_base64url(token.secret)) return std::nullopt;
    return token;
  }
  RefreshToken with(std::string other_secret) const { return {session, family, std::move(other_secret)}; }

  std::string text() const { return session + '.' + family + '.' + secret; }
  std::string family_hash() const { return hash_secret(family); }
  std::string hash() const { return family_hash() + hash_secret(text()); }  // as the store keeps it

  // What this one is exchanged for, so that only who shows this one learns it.
  std::string seal_next(const RefreshToken& next) const { return seal(text(), purpose(), next.secret); }
  std::optional<RefreshToken> unseal_next(std::string_view sealed) const {
    auto other = unseal(text(), purpose(), sealed);
    return other ? std::optional(with(std::move(*other))) : std::nullopt;
  }

 private:
  static constexpr std::size_t kMaxTokenBytes = 128;
  SealPurpose purpose() const { return {"payam next refresh token", session}; }
};

// From a token used a moment ago along those it was exchanged for. nullopt if that does not lead to the session's own.
std::optional<RefreshToken> newest_of(const Session& session, RefreshToken token) {
  for (const UsedToken& used : session.used) {
    if (used.hash != token.hash()) continue;
    auto next = token.unseal_next(used.next);
    if (!next) return std::nullopt;
    token = std::move(*next);
  }
  return token.hash() == session.refresh_hash ? std::optional(std::move(token)) : std::nullopt;
}

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
  const std::string id = session.id.str(), address = session.address;
  co_await store_.create_session(std::move(session));
  log::info("signed_in", {{"user", result.user.id.str()}, {"session", id}, {"address", address}});
  co_await keep_the_newest(result.user.id);
  co_return result;
}

Task<> Sessions::keep_the_newest(UserId user) {
  const auto sessions = co_await store_.sessions_of(user);
  for (std::size_t i = kMostOfAUser; i < sessions.size(); ++i) {
    if (co_await store_.end_session(sessions[i].id, user)) co_await ended(sessions[i].id, user, SessionEnd::too_many);
  }
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
  if (is_idle(*session, now)) {
    static_cast<void>(co_await end(id, user->id, SessionEnd::idle));
    co_return refused();
  }
  const RefreshToken next = token->with(random_token(kSecretBytes));
  Rotation rotation{token->hash(), next.hash(), token->seal_next(next)};
  const auto rotated = co_await store_.rotate_session(id, std::move(rotation), now);
  if (!rotated) co_return refused();  // ended meanwhile
  if (rotated->use == RefreshUse::reuse) {
    co_await ended(id, user->id, SessionEnd::token_reused);
    co_return refused();
  }
  const auto newest = rotated->use == RefreshUse::current ? std::optional(next) : newest_of(rotated->session, *token);
  if (!newest) co_return refused();
  co_return tokens_for(std::move(*user), id, newest->text(), now);
}

Task<std::vector<Session>> Sessions::of(UserId user) {
  auto sessions = co_await store_.sessions_of(std::move(user));
  std::erase_if(sessions, [this, now = clock_()](const Session& session) { return is_idle(session, now); });
  co_return sessions;
}

Task<> Sessions::end_idle() {
  constexpr int kAtOnce = 500;
  for (;;) {
    const auto idle = co_await store_.end_idle_sessions(clock_() - idle_time_, kAtOnce);
    for (const Session& session : idle) co_await ended(session.id, session.user, SessionEnd::idle);
    if (idle.size() < kAtOnce) co_return;
  }
}

Task<Result<>> Sessions::end(SessionId session, UserId owner, SessionEnd why) {
  if (!co_await store_.end_session(session, owner)) co_return fail(Errc::not_found, "Session not found");
  co_await ended(std::move(session), std::move(owner), why);
  co_return Result<>();
}

Task<> Sessions::end_others(UserId user, SessionId but, SessionEnd why) {
  const auto others = co_await store_.end_sessions_of(user, std::move(but));
  for (const SessionId& session : others) co_await ended(session, user, why);
}

Task<> Sessions::all_erased(UserId user) {
  co_await authenticator_.forget(user);
  close_(user, SessionEnd::account_erased);
}

// The sockets last: whoever connects meanwhile either finds the tokens forgotten, or is connected when they are closed.
Task<> Sessions::ended(SessionId session, UserId user, SessionEnd why) {
  log::info("session_ended", {{"session", session.str()}, {"user", user.str()}, {"reason", name_of(why)}});
  co_await authenticator_.forget(session);
  close_(session, why);
}

}  // namespace payam::chat
