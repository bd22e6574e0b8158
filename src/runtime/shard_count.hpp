// Numbers for whoever watches the server, kept where nobody waits for them: each shard counts for itself, without a lock or an
// atomic read-modify-write, and who reads adds the shards up.
#pragma once

#include <atomic>
#include <cstdint>

namespace payam {

// Written by one shard's thread, read by any.
class ShardCount {
 public:
  void operator+=(std::uint64_t n) { value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed); }
  void operator-=(std::uint64_t n) { value_.store(value_.load(std::memory_order_relaxed) - n, std::memory_order_relaxed); }
  std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

}  // namespace payam
