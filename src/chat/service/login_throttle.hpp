// Slows the guessing of passwords (contract section 2). Pure: time is passed in.
//
// Each attempt takes a token and gets it back if the password was right. There are three buckets, and an attempt needs all of
// them: one for the address, one for the account and the address together, one for the account alone. The last one, which many
// addresses can empty together, does not count for an address from which this account was signed in to before: so whoever
// attacks an account slows its owner in a new place and never locks them out of a known one.
#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <variant>

#include "chat/service/token_buckets.hpp"

namespace payam::chat {

// Any thread.
class LoginThrottle {
 public:
  // Takes the tokens of an attempt. If one is missing, takes none and gives how long to wait (at least a second).
  std::optional<std::chrono::seconds> attempt(const std::string& account, const std::string& address, SteadyTime now);
  // The attempt was right: gives the tokens back and remembers the address.
  void succeeded(const std::string& account, const std::string& address, SteadyTime now);

 private:
  bool is_known(const std::string& pair);

  // The address first: once it has no tokens left it pushes nobody else's buckets out.
  TokenBuckets addresses_{{.burst = 60, .per_second = 1}};
  TokenBuckets pairs_{{.burst = 10, .per_second = 1.0 / 6}};
  TokenBuckets accounts_{{.burst = 20, .per_second = 1.0 / 3}};

  std::mutex mutex_;
  RecentMap<std::monostate> known_{TokenBuckets::kMaxBuckets};  // pairs that have signed in
};

}  // namespace payam::chat
