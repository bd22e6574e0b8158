#include "chat/service/token_buckets.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

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

std::string network_of(const std::string& address) {
  in6_addr bytes{};
  if (inet_pton(AF_INET6, address.c_str(), &bytes) != 1) return address;
  if (IN6_IS_ADDR_V4MAPPED(&bytes)) {
    return fmt::format("{}.{}.{}.{}", bytes.s6_addr[12], bytes.s6_addr[13], bytes.s6_addr[14], bytes.s6_addr[15]);
  }
  std::fill(bytes.s6_addr + 8, bytes.s6_addr + 16, 0);
  char text[INET6_ADDRSTRLEN];
  return std::string(inet_ntop(AF_INET6, &bytes, text, sizeof text)) + "/64";
}

}  // namespace payam::chat
