#include "chat/service/authenticator.hpp"

#include <atomic>

#include "runtime/completion.hpp"
#include "runtime/unavailable.hpp"

namespace payam::chat {

Authenticator::Authenticator(Store& store, const Tokens& tokens, std::vector<Shard*> shards, WallClock clock)
    : store_(store),
      tokens_(tokens),
      shards_(std::move(shards)),
      clock_(clock),
      caches_(shards_.size(), TokenCache(kRemembered)) {}

Task<Result<Principal>> Authenticator::authenticate(Shard& shard, std::string token, Audience audience) {
  auto principal = co_await identify(shard, token);
  if (principal && principal->audience != audience) co_return fail(Errc::unauthorized, std::string(kRefused));
  co_return principal;
}

Task<Result<Principal>> Authenticator::identify(Shard& shard, const std::string& token) {
  TokenCache& cache = caches_[static_cast<std::size_t>(shard.id())];
  if (auto principal = cache.find(token, clock_())) co_return std::move(*principal);

  const auto generation = cache.generation();
  const auto claims = tokens_.verify(token, clock_());
  if (!claims) co_return fail(Errc::unauthorized, std::string(kRefused));
  const auto session = co_await store_.find_session(claims->session);
  if (!session) co_return fail(Errc::unauthorized, std::string(kRefused));
  const auto user = co_await store_.find_user(session->user);
  // An address that was given up and taken by another must not carry over.
  if (!user || user->email != claims->subject) co_return fail(Errc::unauthorized, std::string(kRefused));
  if (clock_() - session->last_used_at >= kTouchEvery) co_await note_use(session->id);
  if (generation != cache.generation()) {
    // Something was revoked meanwhile; what was read may be from before.
    if (!co_await store_.find_session(claims->session)) co_return fail(Errc::unauthorized, std::string(kRefused));
  }
  Principal principal{user->id, user->email, user->username, session->id, claims->audience, claims->expires_at};
  cache.insert(token, principal, generation);
  co_return principal;
}

// On a full disk reading goes on.
Task<> Authenticator::note_use(SessionId session) {
  try {
    co_await store_.touch_session(std::move(session), clock_());
  } catch (const OutOfStorage&) {
    co_return;  // noted at a later use
  }
}

template <class Id>
Task<> Authenticator::forget_everywhere(Id id) {
  auto start = [&](Completion<std::monostate> done) {
    auto left = std::make_shared<std::atomic<std::size_t>>(shards_.size());
    auto shared = std::make_shared<Completion<std::monostate>>(std::move(done));
    for (Shard* shard : shards_) {
      shard->post([this, id, shard, left, shared] {
        caches_[static_cast<std::size_t>(shard->id())].forget(id);
        if (left->fetch_sub(1) == 1) (*shared)({});
      });
    }
  };
  co_await await_completion<std::monostate>(start);
}

Task<> Authenticator::forget(SessionId session) { co_await forget_everywhere(session); }
Task<> Authenticator::forget(UserId user) { co_await forget_everywhere(user); }

}  // namespace payam::chat
