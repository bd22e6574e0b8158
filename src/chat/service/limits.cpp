#include "chat/service/limits.hpp"

namespace payam::chat {

// Far above what people do, and what a program may do that brings messages over from elsewhere. The bursts are below the
// handlers that may run at once for one connection (sio::Options::max_running_handlers): who sends too much is told before it
// is cut off.
Limits::Limits(bool enforced)
    : enforced_(enforced), buckets_{Pair({500, 100}), Pair({500, 50}), Pair({500, 100}), Pair({50, 10})} {}

std::optional<Millis> Limits::take(Act act, const UserId& user, const std::string& address, SteadyTime now) {
  if (!enforced_) return std::nullopt;
  Pair& pair = buckets_[static_cast<std::size_t>(act)];
  if (auto wait = pair.users.take(user.str(), now)) return wait;
  const auto wait = pair.addresses.take(network_of(address), now);
  if (wait) pair.users.put_back(user.str(), now);
  return wait;
}

}  // namespace payam::chat
