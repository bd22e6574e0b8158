// From an access token to who holds it: signature, expiry, the session behind it, the user; remembered for a while on each
// shard.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "chat/auth/principal.hpp"
#include "chat/auth/token.hpp"
#include "chat/auth/token_cache.hpp"
#include "chat/service/clock.hpp"
#include "chat/store/store.hpp"
#include "runtime/shard.hpp"
#include "runtime/task.hpp"

namespace payam::chat {

class Authenticator {
 public:
  static constexpr std::string_view kRefused = "Could not validate credentials";

  // All outlive this. `shards` have the ids 0, 1, 2…
  Authenticator(Store& store, const Tokens& tokens, std::vector<Shard*> shards, WallClock clock = wall_now);

  // Errc::unauthorized, kRefused, for every reason there is; a token for something else is one. On `shard`.
  Task<Result<Principal>> authenticate(Shard& shard, std::string token, Audience audience = Audience::api);

  // Once the store has ended the session (or erased the user): returns when no shard lets its tokens pass any more. On a shard.
  Task<> forget(SessionId session);
  Task<> forget(UserId user);

 private:
  Task<Result<Principal>> identify(Shard& shard, const std::string& token);

  static constexpr std::chrono::minutes kTouchEvery{5};  // how exact a session's last use is, and the cost of knowing it
  static constexpr std::size_t kRemembered = 4096;       // tokens a shard

  Task<> note_use(SessionId session);

  template <class Id>
  Task<> forget_everywhere(Id id);

  Store& store_;
  const Tokens& tokens_;
  const std::vector<Shard*> shards_;
  const WallClock clock_;
  std::vector<TokenCache> caches_;  // one a shard, touched by that shard alone
};

}  // namespace payam::chat
