// How often a user, and how often an address, may do what costs others something. Any thread.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "chat/model.hpp"
#include "chat/service/token_buckets.hpp"

namespace payam::chat {

enum class Act : std::uint8_t {
  send,  // a message, and every other change of a room
  join,  // into a room or back to it, with what was missed
  read,  // a marker moved
  typing,
};

class Limits {
 public:
  // Not `enforced`: nothing is ever too often.
  explicit Limits(bool enforced);

  bool enforced() const { return enforced_; }

  // Takes one from both buckets; if either is empty from none, and gives how long to wait.
  std::optional<Millis> take(Act act, const UserId& user, const std::string& address, SteadyTime now = steady_now());

 private:
  struct Pair {
    // Many people may share an address.
    static constexpr double kShare = 10;
    explicit Pair(TokenLimit limit) : users(limit), addresses({limit.burst * kShare, limit.per_second * kShare}) {}

    TokenBuckets users, addresses;
  };

  const bool enforced_;
  std::array<Pair, 4> buckets_;  // by Act
};

}  // namespace payam::chat
