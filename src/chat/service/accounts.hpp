// Sign-up and sign-in. Any shard.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "chat/auth/password.hpp"
#include "chat/auth/token.hpp"
#include "chat/model.hpp"
#include "chat/service/clock.hpp"
#include "chat/service/login_throttle.hpp"
#include "chat/store/store.hpp"
#include "runtime/task.hpp"

namespace payam::chat {

enum class SignupMode : std::uint8_t { open, closed };

struct NewAccount {
  std::string username;
  std::string email;  // lower case
  std::string password;
  std::optional<std::string> full_name;
};

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

struct SignInRefusal {
  Error error;
  std::optional<std::chrono::seconds> retry_after;  // with Errc::rate_limited
};

class Accounts {
 public:
  // All outlive this.
  // `throttle` may be null: guesses are not slowed.
  Accounts(Store& store, Passwords& passwords, const Tokens& tokens, LoginThrottle* throttle, SignupMode mode,
           WallClock clock = wall_now);

  // Errc::forbidden if sign-up is closed, Errc::bad_request if the e-mail or the name is taken.
  Task<Result<User>> sign_up(NewAccount account);
  // `login` is an e-mail or a username. Errc::unauthorized with the same text after the same time whatever was wrong.
  Task<std::expected<SignedIn, SignInRefusal>> sign_in(std::string login, std::string password, Device device);

 private:
  Store& store_;
  Passwords& passwords_;
  const Tokens& tokens_;
  LoginThrottle* const throttle_;
  const SignupMode mode_;
  const WallClock clock_;
};

}  // namespace payam::chat
