// How the events that clients emit ended, by name: for the metrics.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "runtime/shard_count.hpp"

namespace payam::chat {

class EventMeters {
 public:
  class Meter {
   public:
    Meter(std::string event, std::size_t shards) : event_(std::move(event)), by_shard_(shards) {}

    // On the shard with that id. nullopt: it was done.
    void count(int shard, std::optional<Errc> refusal) {
      by_shard_[static_cast<std::size_t>(shard)][refusal ? 1 + static_cast<std::size_t>(*refusal) : 0] += 1;
    }

   private:
    friend class EventMeters;
    static constexpr std::size_t kResults = 2 + static_cast<std::size_t>(Errc::internal);

    const std::string event_;
    std::vector<std::array<ShardCount, kResults>> by_shard_;
  };

  // For shards with the ids 0 to `shards` - 1.
  explicit EventMeters(int shards) : shards_(static_cast<std::size_t>(shards)) {}

  // Before the first event.
  Meter& add(std::string event) { return meters_.emplace_back(std::move(event), shards_); }

  struct Count {
    std::string_view event, result;  // "ok" or an Errc's name
    std::uint64_t count = 0;
  };
  // Those that have occurred; any thread.
  std::vector<Count> counts() const;

 private:
  const std::size_t shards_;
  std::deque<Meter> meters_;
};

}  // namespace payam::chat
