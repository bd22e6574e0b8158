#include "chat/service/login_throttle.hpp"

namespace payam::chat {
namespace {

// No e-mail, name or address holds a NUL.
std::string pair_of(const std::string& account, const std::string& network) { return account + '\0' + network; }

}  // namespace

bool LoginThrottle::is_known(const std::string& pair) {
  const std::lock_guard lock(mutex_);
  return known_.find(pair) != nullptr;
}

std::optional<std::chrono::seconds> LoginThrottle::attempt(const std::string& account, const std::string& address,
                                                           SteadyTime now) {
  const auto wait = take(account, address, now);
  if (!wait) return std::nullopt;
  refused_.fetch_add(1, std::memory_order_relaxed);
  return retry_after(*wait);
}

std::optional<Millis> LoginThrottle::take(const std::string& account, const std::string& address, SteadyTime now) {
  const std::string network = network_of(address), pair = pair_of(account, network);
  if (const auto wait = addresses_.take(network, now)) return wait;
  if (const auto wait = pairs_.take(pair, now)) {
    addresses_.put_back(network, now);
    return wait;
  }
  if (const auto wait = accounts_.take(account, now); wait && !is_known(pair)) {
    addresses_.put_back(network, now);
    pairs_.put_back(pair, now);
    return wait;
  }
  return std::nullopt;
}

void LoginThrottle::put_back(const std::string& account, const std::string& address, SteadyTime now) {
  const std::string network = network_of(address);
  addresses_.put_back(network, now);
  pairs_.put_back(pair_of(account, network), now);
  accounts_.put_back(account, now);
}

void LoginThrottle::succeeded(const std::string& account, const std::string& address, SteadyTime now) {
  put_back(account, address, now);
  const std::string pair = pair_of(account, network_of(address));
  const std::lock_guard lock(mutex_);
  if (known_.find(pair) == nullptr) known_.make(pair, {});
}

}  // namespace payam::chat
