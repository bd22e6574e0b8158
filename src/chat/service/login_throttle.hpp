// Slows the guessing of passwords (contract section 2). Pure: time is passed in.
//
// Each attempt takes a token and gets it back if the password was right. There are three buckets, and an attempt needs all of
// them: one for the address, one for the account and the address together, one for the account alone. The last one, which many
// addresses can empty together, does not count for an address from which this account was signed in to before: so whoever
// attacks an account slows its owner in a new place and never locks them out of a known one.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <variant>

#include "chat/service/rate_limits.hpp"
#include "chat/service/token_buckets.hpp"

namespace payam::chat {

// Any thread.
class LoginThrottle {
 public:
  // `pair`: for one account from one address. All addresses together have twice as much for an account, and one address six
  // times as much for all accounts.
  explicit LoginThrottle(TokenLimit pair = RateLimits{}.logins)
      : addresses_(times(6, pair)), pairs_(pair), accounts_(times(2, pair)) {}

  std::uint64_t refused() const { return refused_.load(std::memory_order_relaxed); }

  // Takes the tokens of an attempt. If one is missing, takes none and gives how long to wait (at least a second).
  std::optional<std::chrono::seconds> attempt(const std::string& account, const std::string& address, SteadyTime now);
  // The attempt was not made after all: gives the tokens back.
  void put_back(const std::string& account, const std::string& address, SteadyTime now);
  // The attempt was right: gives the tokens back and remembers the address.
  void succeeded(const std::string& account, const std::string& address, SteadyTime now);

 private:
  static TokenLimit times(double factor, TokenLimit limit) { return {limit.burst * factor, limit.per_second * factor}; }
  std::optional<Millis> take(const std::string& account, const std::string& address, SteadyTime now);
  bool is_known(const std::string& pair);

  // The address first: once it has no tokens left it pushes nobody else's buckets out.
  TokenBuckets addresses_, pairs_, accounts_;

  std::atomic<std::uint64_t> refused_{0};
  std::mutex mutex_;
  RecentMap<std::monostate> known_{TokenBuckets::kMaxBuckets};  // pairs that have signed in
};

}  // namespace payam::chat
