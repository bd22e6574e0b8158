#include "chat/service/accounts.hpp"

#include <algorithm>

#include "base/ulid.hpp"
#include "chat/auth/secret_hash.hpp"
#include "chat/rules.hpp"
#include "chat/service/log.hpp"

namespace payam::chat {
namespace {

std::string lower_ascii(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

Refused too_many(std::chrono::seconds wait) { return {Error{Errc::rate_limited, "Too many attempts"}, wait}; }

}  // namespace

struct Accounts::Ticket {
  std::optional<UserId> user;            // the id that goes with an invite for one: a second sign-up would need it again
  std::optional<std::string> room_hash;  // of a room's invite
};

Task<std::optional<Accounts::Ticket>> Accounts::read_invite(std::optional<std::string> invite) {
  if (!invite) co_return std::nullopt;
  const Timestamp now = options_.clock();
  if (const auto claims = tokens_.verify(*invite, now)) {
    if (claims->audience != Audience::signup) co_return std::nullopt;
    co_return Ticket{UserId(claims->id), std::nullopt};
  }
  std::string hash = hash_secret(*invite);
  const auto found = co_await store_.find_invite(hash);
  // Who has not signed up was never removed from anywhere.
  if (!found || !rules::may_join(*found, now, std::nullopt, Rev())) co_return std::nullopt;
  co_return Ticket{std::nullopt, std::move(hash)};
}

Task<bool> Accounts::enter_room(UserId user, std::string invite_hash) {
  JoinByInvite join{std::move(invite_hash), std::move(user), options_.clock()};
  Change change(std::move(join));
  const auto joined = co_await store_.commit(std::move(change));
  co_return joined.has_value();
}

Task<Limited<User>> Accounts::sign_up(NewAccount account, std::string address, std::stop_token gone) {
  if (options_.signup == SignupMode::closed) co_return fail(Errc::forbidden, "Sign-up is closed");
  if (limits_ != nullptr) {
    if (const auto wait = limits_->signups.take(network_of(address), steady_now())) {
      attempts_.count(Attempt::sign_up_throttled, address);
      co_return std::unexpected(too_many(retry_after(*wait)));
    }
  }
  const auto ticket = co_await read_invite(std::move(account.invite));
  const bool needs_invite = options_.signup == SignupMode::invite;
  if (needs_invite && !ticket) co_return fail(Errc::forbidden, "A valid invite is needed to sign up");

  const Timestamp now = options_.clock();
  User user;
  user.id = ticket && ticket->user ? *ticket->user : UserId(new_ulid(now));
  user.username = std::move(account.username);
  user.email = std::move(account.email);
  user.full_name = std::move(account.full_name);
  user.created_at = now;
  // The store decides; asking first only spares the hashing.
  if (co_await store_.find_user_by_email(user.email)) co_return fail(Errc::bad_request, "Email already registered");
  if (co_await store_.find_user_by_username(user.username)) co_return fail(Errc::bad_request, "Username already registered");
  PasswordCaller caller{network_of(address), std::move(gone)};
  auto hash = co_await passwords_.hash(std::move(account.password), std::move(caller));
  if (!hash) co_return std::unexpected(Refused(std::move(hash.error())));
  user.password_hash = std::move(*hash);
  auto created = co_await store_.create_user(std::move(user));
  if (!created) {
    if (created.error().code == Errc::conflict) co_return fail(Errc::forbidden, "This invite was used before");
    co_return std::unexpected(Refused(std::move(created.error())));
  }
  if (ticket && ticket->room_hash && !co_await enter_room(created->id, *ticket->room_hash) && needs_invite) {
    co_await store_.erase_user(created->id, options_.clock());
    co_return fail(Errc::forbidden, "A valid invite is needed to sign up");
  }
  log::info("signed_up", {{"user", created->id.str()}, {"address", address}});
  co_return std::move(*created);
}

std::optional<std::chrono::seconds> Accounts::too_often(const std::string& account, const std::string& address) {
  if (limits_ == nullptr) return std::nullopt;
  const SteadyTime now = steady_now();
  const std::string network = network_of(address);
  std::optional<std::chrono::seconds> wait;
  if (const auto pause = limits_->checks.take(network, now)) {
    wait = retry_after(*pause);
  } else {
    wait = limits_->logins.attempt(account, address, now);
    if (wait) limits_->checks.put_back(network, now);  // nothing will be checked
  }
  if (wait) attempts_.count(Attempt::sign_in_throttled, address, now);
  return wait;
}

Refused Accounts::not_checked(const std::string& account, const std::string& address, Error why) {
  if (limits_ != nullptr) {
    const SteadyTime now = steady_now();
    limits_->logins.put_back(account, address, now);
    limits_->checks.put_back(network_of(address), now);
  }
  return {std::move(why)};
}

Task<Limited<SignedIn>> Accounts::sign_in(std::string login, std::string password, Device device, std::stop_token gone) {
  auto user = co_await store_.find_user_by_email(lower_ascii(login));
  if (!user) user = co_await store_.find_user_by_username(login);
  // One account, whichever of its names is guessed at; unknown ones are slowed the same.
  const std::string account = user ? user->id.str() : "?" + lower_ascii(login);
  if (const auto wait = too_often(account, device.address)) co_return std::unexpected(too_many(*wait));
  std::optional<std::string> hash;
  if (user) hash = user->password_hash;
  PasswordCaller caller{network_of(device.address), std::move(gone)};
  auto verdict = co_await passwords_.verify(std::move(password), std::move(hash), std::move(caller));
  if (!verdict) co_return std::unexpected(not_checked(account, device.address, std::move(verdict.error())));
  if (!verdict->right) {
    attempts_.count(Attempt::sign_in_failed, device.address);
    co_return fail(Errc::unauthorized, "Incorrect email or password");
  }
  if (limits_ != nullptr) limits_->logins.succeeded(account, device.address, steady_now());
  if (verdict->renewed) co_await keep_renewed(user->id, user->password_hash, std::move(*verdict->renewed));
  co_return co_await sessions_.begin(std::move(*user), std::move(device));
}

// The next sign-in can do it as well: a disk that is full keeps nobody out.
Task<> Accounts::keep_renewed(UserId user, std::string old, std::string hash) {
  const std::string id = user.str();
  try {
    co_await store_.renew_password_hash(std::move(user), std::move(old), std::move(hash));
  } catch (const std::exception& error) {
    log::warn("password_hash_not_renewed", {{"user", id}, {"error", error.what()}});
  }
}

Task<> Accounts::learn_password_costs() {
  const int highest = co_await store_.highest_password_cost();
  passwords_.expect_cost(highest);
}

Task<Limited<User>> Accounts::verify_password(UserId id, std::string password, std::string address, std::stop_token gone) {
  auto user = co_await store_.find_user(id);
  if (!user) co_return fail(Errc::unauthorized, std::string(Authenticator::kRefused));
  // A stolen token is no way around the throttle of sign-in.
  if (const auto wait = too_often(id.str(), address)) co_return std::unexpected(too_many(*wait));
  PasswordCaller caller{network_of(address), std::move(gone)};
  auto verdict = co_await passwords_.verify(std::move(password), user->password_hash, std::move(caller));
  if (!verdict) co_return std::unexpected(not_checked(id.str(), address, std::move(verdict.error())));
  if (!verdict->right) {
    attempts_.count(Attempt::password_wrong, address);
    co_return fail(Errc::forbidden, "Incorrect password");
  }
  if (limits_ != nullptr) limits_->logins.succeeded(id.str(), address, steady_now());
  co_return std::move(*user);
}

Task<Result<User>> Accounts::update_profile(UserId user, std::optional<std::string> username,
                                            std::optional<std::string> full_name) {
  auto updated = co_await store_.update_user(user, std::move(username), std::move(full_name));
  if (updated) co_await authenticator_.forget(user);  // what is remembered of a token says the name
  co_return updated;
}

Task<Limited<>> Accounts::change_password(Principal who, std::string current, std::string next, std::string address,
                                          std::stop_token gone) {
  const auto user = co_await verify_password(who.user, std::move(current), address, gone);
  if (!user) co_return std::unexpected(user.error());
  PasswordCaller caller{network_of(address), std::move(gone)};
  auto hash = co_await passwords_.hash(std::move(next), std::move(caller));
  if (!hash) co_return std::unexpected(Refused(std::move(hash.error())));
  co_await store_.set_password_hash(who.user, std::move(*hash));
  log::info("password_changed", {{"user", who.user.str()}, {"session", who.session.str()}, {"address", address}});
  co_await sessions_.end_others(who.user, who.session, SessionEnd::password_changed);
  co_return Limited<>();
}

Task<Limited<>> Accounts::erase(Principal who, std::string password, std::string address, std::stop_token gone) {
  const auto user = co_await verify_password(who.user, std::move(password), address, std::move(gone));
  if (!user) co_return std::unexpected(user.error());
  if (co_await store_.erase_user(who.user, options_.clock())) {
    log::info("account_erased", {{"user", who.user.str()}, {"address", address}});
  }
  co_await sessions_.all_erased(who.user);
  co_return Limited<>();
}

Task<std::vector<User>> Accounts::find_people(std::string text) {
  std::vector<User> found;
  switch (options_.directory) {
    case UserDirectory::prefix: co_return co_await store_.search_users(std::move(text), kMaxFound);
    case UserDirectory::exact:
      if (auto user = co_await store_.find_user_by_email(lower_ascii(std::move(text)))) found.push_back(std::move(*user));
      break;
    case UserDirectory::off: break;
  }
  co_return found;
}

}  // namespace payam::chat
