// How much one caller may hold at once, of each kind; RATE_LIMITS=connections=500,searches=4 sets the bounds an address (or, of
// what only users do, a user) has. The bounds on all callers together always hold. docs/operators.md explains each. Pure.
#pragma once

#include "base/budget.hpp"

namespace payam::chat {

struct HoldingLimits {
  using Bounds = Budget::Bounds;
  static constexpr std::uint64_t kMiB = 1 << 20;

  // TCP connections and Engine.IO sessions, each kind counted apart. Many people may share an address.
  Bounds connections{.address = 1'000, .total = 16'000};
  // Bytes of request bodies that are not complete, half-received websocket messages included.
  Bounds bodies{.address = 16 * kMiB, .total = 256 * kMiB};
  // Bytes of replies that the other side has not taken.
  Bounds replies{.address = 32 * kMiB, .total = 512 * kMiB};
  // Bytes of packets that wait for their attachments, the attachments included.
  Bounds attachments{.address = 16 * kMiB, .total = 128 * kMiB};
  // Password checks that wait or run; each takes a quarter of a second with BCRYPT_COST 12.
  Bounds passwords{.address = 16, .total = 256};
  // Readings of the database that wait; each is a part of a call. Whose it is takes a turn among all users.
  Bounds reads{.user = 200, .total = 20'000};
  // Searches that wait or run.
  Bounds searches{.user = 4, .address = 40, .total = 256};
  // Uploads under way.
  Bounds uploads{.user = 8, .address = 80, .total = 1'000};

  // RATE_LIMITS=off: what a user and an address may hold is not bounded.
  HoldingLimits totals_only() const {
    return {.connections = connections.total_only(),
            .bodies = bodies.total_only(),
            .replies = replies.total_only(),
            .attachments = attachments.total_only(),
            .passwords = passwords.total_only(),
            .reads = reads.total_only(),
            .searches = searches.total_only(),
            .uploads = uploads.total_only()};
  }
};

}  // namespace payam::chat
