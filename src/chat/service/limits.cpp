#include "chat/service/limits.hpp"

#include <algorithm>

namespace payam::chat {

Limits::Limits(const std::optional<RateLimits>& limits) : limits_(limits), buckets_(make(limits.value_or(RateLimits{}))) {}

std::array<Limits::Pair, kActs> Limits::make(const RateLimits& of) {
  return {Pair(of.sends),     Pair(of.joins), Pair(of.reads),  Pair(of.typing),  Pair(of.uploads),
          Pair(of.downloads), Pair(of.lists), Pair(of.people), Pair(of.profile), Pair(of.strangers)};
}

std::optional<Millis> Limits::take(Act act, const UserId& user, const std::string& address, SteadyTime now) {
  if (!limits_) return std::nullopt;
  const auto index = static_cast<std::size_t>(act);
  Pair& pair = buckets_[index];
  const bool has_user = !user.str().empty();
  auto wait = has_user ? pair.users.take(user.str(), now) : std::nullopt;
  if (!wait) {
    wait = pair.addresses.take(network_of(address), now);
    if (wait && has_user) pair.users.put_back(user.str(), now);
  }
  if (wait) refused_[index].fetch_add(1, std::memory_order_relaxed);
  return wait;
}

bool Limits::is_flood(FloodGuard& guard, int events, SteadyTime now) {
  if (!limits_) return false;
  const TokenLimit& limit = limits_->events;
  const double elapsed = std::chrono::duration<double>(now - guard.at).count();
  const double left = guard.left ? std::min(limit.burst, *guard.left + elapsed * limit.per_second) : limit.burst;
  guard = {left - events, now};
  if (*guard.left >= 0) return false;
  floods_.fetch_add(1, std::memory_order_relaxed);
  return true;
}

}  // namespace payam::chat
