// How often a user, and how often an address, may do what costs others something. Any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "chat/model.hpp"
#include "chat/service/rate_limits.hpp"
#include "chat/service/token_buckets.hpp"

namespace payam::chat {

enum class Act : std::uint8_t {
  send,  // a message, and every other change of a room
  join,  // into a room or back to it, with what was missed
  read,  // a marker moved
  typing,
  upload,
  download,
  list,      // what one has
  people,    // a search for people
  profile,   // a change of what is one's own
  stranger,  // a call without a token; counts for the address alone
};
inline constexpr std::size_t kActs = 10;

// Tells a flood of one connection's events from a busy client. Its shard's.
struct FloodGuard {
  std::optional<double> left{};  // tokens; nullopt: full
  SteadyTime at{};
};

class Limits {
 public:
  // nullopt: nothing is ever too often.
  explicit Limits(const std::optional<RateLimits>& limits);

  bool enforced() const { return limits_.has_value(); }

  // Takes one from both buckets; if either is empty from none, and gives how long to wait. Without a user (an empty id) the
  // address alone counts.
  std::optional<Millis> take(Act act, const UserId& user, const std::string& address, SteadyTime now = steady_now());

  // Counts events of a connection: true once they are too many.
  bool is_flood(FloodGuard& guard, int events, SteadyTime now);

  // How often something was refused; any thread.
  std::uint64_t refused(Act act) const { return refused_[static_cast<std::size_t>(act)].load(std::memory_order_relaxed); }
  std::uint64_t floods() const { return floods_.load(std::memory_order_relaxed); }

 private:
  struct Pair {
    // Many people may share an address.
    static constexpr double kShare = 10;
    explicit Pair(TokenLimit limit) : users(limit), addresses({limit.burst * kShare, limit.per_second * kShare}) {}

    TokenBuckets users, addresses;
  };

  static std::array<Pair, kActs> make(const RateLimits& of);

  const std::optional<RateLimits> limits_;
  std::array<Pair, kActs> buckets_;  // by Act
  std::array<std::atomic<std::uint64_t>, kActs> refused_{};
  std::atomic<std::uint64_t> floods_{0};
};

}  // namespace payam::chat
