// How often strangers may knock: guesses of passwords, sign-ups and connections from one address.
#pragma once

#include <chrono>
#include <expected>
#include <optional>

#include "base/error.hpp"
#include "chat/service/login_throttle.hpp"
#include "chat/service/rate_limits.hpp"
#include "chat/service/token_buckets.hpp"

namespace payam::chat {

// Any thread. An address is a household's (network_of): many people may share one.
struct EntryLimits {
  explicit EntryLimits(const RateLimits& limits = {})
      : logins(limits.logins), signups(limits.signups), checks(limits.checks), handshakes(limits.handshakes) {}

  LoginThrottle logins;
  TokenBuckets signups, checks, handshakes;
};

// A refusal that may say when to come again.
struct Refused {
  Refused(Error e) : error(std::move(e)) {}  // implicit: co_return fail(…)
  Refused(Error e, std::chrono::seconds after) : error(std::move(e)), retry_after(after) {}

  Error error;
  std::optional<std::chrono::seconds> retry_after;  // with Errc::rate_limited
};

template <class T = void>
using Limited = std::expected<T, Refused>;

}  // namespace payam::chat
