// What an operator may set of the limits: RATE_LIMITS=on, off, or `sends=20/s,logins=5/min:10,connections=500`. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "base/error.hpp"
#include "chat/service/holding_limits.hpp"
#include "chat/service/token_buckets.hpp"

namespace payam::chat {

// The defaults are far above what people do, and what a program may do that brings messages over from elsewhere. The bursts
// are below the handlers that may run at once for one connection (sio::Options::max_running_handlers): who sends too much is
// told before it is cut off.
struct RateLimits {
  // For an address; an address may be a household's (network_of).
  TokenLimit logins{.burst = 10, .per_second = 1.0 / 6};     // at one account; see LoginThrottle
  TokenLimit signups{.burst = 100, .per_second = 0.5};       //
  TokenLimit checks{.burst = 1'000, .per_second = 2};        // of passwords, right ones too: an office's morning and far more
  TokenLimit handshakes{.burst = 1'000, .per_second = 100};  // after a restart everyone comes back at once
  // For a user; an address, which many may share, has ten times as much.
  TokenLimit sends{.burst = 500, .per_second = 100};  // messages, and every other change of a room
  TokenLimit joins{.burst = 500, .per_second = 50};   // into a room or back to it, and other questions that cost
  TokenLimit reads{.burst = 500, .per_second = 100};  // markers moved
  TokenLimit typing{.burst = 50, .per_second = 10};
  TokenLimit uploads{.burst = 100, .per_second = 2};
  TokenLimit downloads{.burst = 1'000, .per_second = 100};  // of uploads, each range of one
  TokenLimit lists{.burst = 500, .per_second = 20};         // what one has: rooms, messages, devices, whom one blocks
  TokenLimit people{.burst = 60, .per_second = 1};          // searches for people: a directory is not to be copied
  TokenLimit profile{.burst = 60, .per_second = 1};         // of what is one's own: profile, password, blocks, devices
  // For an address alone, ten times as much: calls without a token.
  TokenLimit strangers{.burst = 100, .per_second = 10};
  // For a connection: of any kind, known or not; one that was refused counts ten times. Beyond it, it is closed.
  TokenLimit events{.burst = 5'000, .per_second = 500};
};

// RATE_LIMITS as a whole.
struct CallerLimits {
  std::optional<RateLimits> rates = RateLimits{};  // nullopt: nothing is ever too often
  HoldingLimits holding;
};

// `on`: the defaults; `off`: no rates, and of what is held the bounds on all callers together alone; else a list. Of a rate
// `kind=count/s`, `/min` or `/h`, with `:burst` for how many at once if that is not the count; of what may be held at once
// `kind=count`, which for bytes takes K, M or G. What is not in the list keeps its default.
Result<CallerLimits> parse_caller_limits(std::string_view text);

}  // namespace payam::chat
