// Devices signed in: begun with a password, kept up with refresh tokens (RFC 6749 section 6, each good for one use as RFC 9700
// section 4.14.2 has it), and ended for many reasons, at once: no token of theirs passes any more and their sockets are closed.
#pragma once

#include <algorithm>
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

// `idle`: not used for too long. `too_many`: newer ones of the same user took its place.
enum class SessionEnd : std::uint8_t { logged_out, revoked, token_reused, password_changed, account_erased, idle, too_many };

// Closes the sockets of one session, or of all a user has. Any shard.
using CloseSockets = std::function<void(const std::variant<SessionId, UserId>& whose, SessionEnd why)>;

// Any shard.
class Sessions {
 public:
  static constexpr std::chrono::days kIdleTime{90};
  static constexpr std::size_t kMostOfAUser = 200;  // a further one takes the place of the one not used for longest

  // All outlive this. `idle_time`: how long a session may go unused; at least as long as its last access token is good.
  Sessions(Store& store, const Tokens& tokens, Authenticator& authenticator, CloseSockets close, WallClock clock = wall_now,
           std::chrono::seconds idle_time = kIdleTime)
      : store_(store),
        tokens_(tokens),
        authenticator_(authenticator),
        close_(std::move(close)),
        clock_(clock),
        idle_time_(std::max(idle_time, tokens.lifetime())) {}

  Task<SignedIn> begin(User user, Device device);
  // A new pair for a refresh token; for one used a moment ago the session's newest refresh token and another access token.
  // Errc::unauthorized for any other text; where the token was used before that ends the session (rules::judge_refresh).
  Task<Result<SignedIn>> refresh(std::string refresh_token);

  // Live ones, the last used first.
  Task<std::vector<Session>> of(UserId user);
  // Errc::not_found if the owner has none such.
  Task<Result<>> end(SessionId session, UserId owner, SessionEnd why);
  // All of the user's, except one.
  Task<> end_others(UserId user, SessionId but, SessionEnd why);
  // The store has erased the user and every session with them.
  Task<> all_erased(UserId user);
  // Removes those that nobody has used for `idle_time`.
  Task<> end_idle();

 private:
  bool is_idle(const Session& session, Timestamp now) const { return session.last_used_at < now - idle_time_; }
  Task<> keep_the_newest(UserId user);
  Task<> ended(SessionId session, UserId user, SessionEnd why);
  SignedIn tokens_for(User user, const SessionId& session, std::string refresh_token, Timestamp now) const;

  Store& store_;
  const Tokens& tokens_;
  Authenticator& authenticator_;
  const CloseSockets close_;
  const WallClock clock_;
  const std::chrono::seconds idle_time_;
};

}  // namespace payam::chat
