// Devices signed in: begun with a password, kept up with refresh tokens (RFC 6749 section 6, each good for one use as RFC 9700
// section 4.14.2 has it), and ended for many reasons, at once: no token of theirs passes any more and their sockets are closed.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "chat/auth/token.hpp"
#include "chat/model.hpp"
#include "chat/service/authenticator.hpp"
#include "chat/service/clock.hpp"
#include "chat/store/store.hpp"
#include "runtime/task.hpp"

namespace payam::chat {

// What signs in: the user agent and the peer's address.
struct Device {
  std::string name;
  std::string address;
};

struct SignedIn {
  User user;
  std::string access_token;
  std::string refresh_token;
  std::string media_token;            // for the cookie
  std::chrono::seconds expires_in{};  // of the access and the media token
};

enum class SessionEnd : std::uint8_t { logged_out, revoked, token_reused, password_changed, account_erased };

// Closes the sockets of one session, or of all a user has. Any shard.
using CloseSockets = std::function<void(const std::variant<SessionId, UserId>& whose, SessionEnd why)>;

// Any shard.
class Sessions {
 public:
  // All outlive this.
  Sessions(Store& store, const Tokens& tokens, Authenticator& authenticator, CloseSockets close, WallClock clock = wall_now)
      : store_(store), tokens_(tokens), authenticator_(authenticator), close_(std::move(close)), clock_(clock) {}

  Task<SignedIn> begin(User user, Device device);
  // A new pair for a refresh token. Errc::unauthorized for one that is not good; if it was used before, rules::judge_refresh
  // says whether that ends the session.
  Task<Result<SignedIn>> refresh(std::string refresh_token);

  Task<std::vector<Session>> of(UserId user) { return store_.sessions_of(std::move(user)); }
  // Errc::not_found if the owner has none such.
  Task<Result<>> end(SessionId session, UserId owner, SessionEnd why);
  // All of the user's, except one.
  Task<> end_others(UserId user, SessionId but, SessionEnd why);
  // The store has erased the user and every session with them.
  Task<> all_erased(UserId user);

 private:
  Task<> ended(SessionId session, SessionEnd why);
  SignedIn tokens_for(User user, const SessionId& session, std::string refresh_token, Timestamp now) const;

  Store& store_;
  const Tokens& tokens_;
  Authenticator& authenticator_;
  const CloseSockets close_;
  const WallClock clock_;
};

}  // namespace payam::chat
