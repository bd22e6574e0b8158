// A limit on how often something may be done, counted for each key (an address, a user): a bucket of tokens that fills steadily
// up to `burst`. Pure: time is passed in.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/network.hpp"
#include "chat/service/recent_map.hpp"

namespace payam::chat {

struct TokenLimit {
  double burst;  // at once, one at least
  double per_second;
};

// Any thread.
class TokenBuckets {
 public:
  static constexpr std::size_t kMaxBuckets = 20'000;  // about 200 bytes each; those touched longest ago go first, as if full

  explicit TokenBuckets(TokenLimit limit, std::size_t max_buckets = kMaxBuckets) : limit_(limit), buckets_(max_buckets) {}

  // Takes a token. If there is none, takes nothing and gives how long until there is.
  std::optional<Millis> take(std::string_view key, SteadyTime now);
  // How often there was none; any thread.
  std::uint64_t refused() const { return refused_.load(std::memory_order_relaxed); }
  // A token that was taken and not used.
  void put_back(std::string_view key, SteadyTime now);

 private:
  struct Bucket {
    double tokens;
    SteadyTime filled_at;
  };
  Bucket& filled(std::string_view key, SteadyTime now);

  const TokenLimit limit_;
  std::mutex mutex_;
  RecentMap<Bucket> buckets_;
  std::atomic<std::uint64_t> refused_{0};
};

// For `Retry-After`: whole seconds, one at least.
std::chrono::seconds retry_after(Millis wait);

}  // namespace payam::chat
