#include "chat/service/token_buckets.hpp"

#include <algorithm>
#include <cmath>

namespace payam::chat {
namespace {

constexpr double kRounding = 1e-6;  // so that who comes back after the wait told is let through

}  // namespace

TokenBuckets::Bucket& TokenBuckets::filled(std::string_view key, SteadyTime now) {
  Bucket* bucket = buckets_.find(key);
  if (bucket == nullptr) return buckets_.make(key, {limit_.burst, now});
  // Threads may come with their times in another order.
  const double elapsed = std::max(std::chrono::duration<double>(now - bucket->filled_at).count(), 0.0);
  bucket->tokens = std::min(limit_.burst, bucket->tokens + elapsed * limit_.per_second);
  bucket->filled_at = std::max(bucket->filled_at, now);
  return *bucket;
}

std::optional<Millis> TokenBuckets::take(std::string_view key, SteadyTime now) {
  const std::lock_guard lock(mutex_);
  Bucket& bucket = filled(key, now);
  const double missing = 1 - bucket.tokens;
  if (missing > kRounding) {
    refused_.fetch_add(1, std::memory_order_relaxed);
    return Millis(static_cast<Millis::rep>(std::ceil(missing / limit_.per_second * 1000)));
  }
  bucket.tokens -= 1;
  return std::nullopt;
}

void TokenBuckets::put_back(std::string_view key, SteadyTime now) {
  const std::lock_guard lock(mutex_);
  Bucket& bucket = filled(key, now);
  bucket.tokens = std::min(limit_.burst, bucket.tokens + 1);
}

std::chrono::seconds retry_after(Millis wait) {
  return std::max(std::chrono::ceil<std::chrono::seconds>(wait), std::chrono::seconds(1));
}

}  // namespace payam::chat
