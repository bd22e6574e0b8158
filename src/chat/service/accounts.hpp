// Accounts: sign-up, sign-in, the password, the profile, the end. Any shard.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "chat/auth/password.hpp"
#include "chat/auth/password_denylist.hpp"
#include "chat/auth/principal.hpp"
#include "chat/auth/token.hpp"
#include "chat/model.hpp"
#include "chat/service/attempt_log.hpp"
#include "chat/service/authenticator.hpp"
#include "chat/service/clock.hpp"
#include "chat/service/entry_limits.hpp"
#include "chat/service/sessions.hpp"
#include "chat/store/store.hpp"
#include "runtime/task.hpp"

namespace payam::chat {

enum class SignupMode : std::uint8_t { open, invite, closed };

// Whom a search for people finds: by the prefix of a name or an e-mail, by an e-mail that one knows, or nobody.
enum class UserDirectory : std::uint8_t { prefix, exact, off };

struct NewAccount {
  std::string username;
  std::string email;  // lower case
  std::string password;
  std::optional<std::string> full_name;
  // A token made by issue_signup_invite(), or a room's invite, which lets its bearer into the room too.
  std::optional<std::string> invite;
};

struct AccountOptions {
  SignupMode signup = SignupMode::open;
  UserDirectory directory = UserDirectory::prefix;
  WallClock clock = wall_now;
  PasswordDenylist denylist = {};
};

class Accounts {
 public:
  static constexpr int kMaxFound = 20;

  // All outlive this. `limits` may be null: nothing is slowed.
  Accounts(Store& store, Passwords& passwords, const Tokens& tokens, Authenticator& authenticator, Sessions& sessions,
           EntryLimits* limits, AccountOptions options)
      : store_(store),
        passwords_(passwords),
        tokens_(tokens),
        authenticator_(authenticator),
        sessions_(sessions),
        limits_(limits),
        options_(std::move(options)) {}

  // Whether the operator lets nobody have this password.
  bool is_denied(std::string_view password) const { return options_.denylist.contains(password); }

  // Each password is checked in the turn of its address; once `gone` is requested that is not begun any more.
  //
  // Errc::forbidden if sign-up is closed or needs an invite, Errc::bad_request if the e-mail or the name is taken.
  Task<Limited<User>> sign_up(NewAccount account, std::string address, std::stop_token gone = {});
  // `login` is an e-mail or a username. Errc::unauthorized with the same text after the same time whatever was wrong.
  Task<Limited<SignedIn>> sign_in(std::string login, std::string password, Device device, std::stop_token gone = {});

  // What is not given stays. Errc::bad_request: the name is taken.
  Task<Result<User>> update_profile(UserId user, std::optional<std::string> username, std::optional<std::string> full_name);
  // Errc::forbidden: the password is wrong. Every other session ends.
  Task<Limited<>> change_password(Principal who, std::string current, std::string next, std::string address,
                                  std::stop_token gone = {});
  // Errc::forbidden: the password is wrong. Messages stay, without their sender; see Store::erase_user().
  Task<Limited<>> erase(Principal who, std::string password, std::string address, std::stop_token gone = {});

  // Learns how long a wrong password takes at most. Reads every account: once, at the start.
  Task<> learn_password_costs();
  // Writes what was counted for the log; now and then.
  void tend() { attempts_.tend(); }

  // At most kMaxFound, by username.
  Task<std::vector<User>> find_people(std::string text);

 private:
  struct Ticket;  // what an invite is good for

  Task<std::optional<Ticket>> read_invite(std::optional<std::string> invite);
  // Takes the room's invite for someone just signed up; false if it was used up meanwhile.
  Task<bool> enter_room(UserId user, std::string invite_hash);
  Task<Limited<User>> verify_password(UserId id, std::string password, std::string address, std::stop_token gone);
  // Too many checks from the address, also right ones, or too many guesses: how long to wait.
  std::optional<std::chrono::seconds> too_often(const std::string& account, const std::string& address);
  // Nothing was learnt by an attempt whose check was not begun: it does not count.
  Refused not_checked(const std::string& account, const std::string& address, Error why);
  Task<> keep_renewed(UserId user, std::string old, std::string hash);

  Store& store_;
  Passwords& passwords_;
  const Tokens& tokens_;
  Authenticator& authenticator_;
  Sessions& sessions_;
  EntryLimits* const limits_;
  const AccountOptions options_;
  AttemptLog attempts_;
};

}  // namespace payam::chat
