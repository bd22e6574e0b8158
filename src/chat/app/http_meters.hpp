// Requests by route, method and class of status, with their latency. Each shard counts for itself, without locks.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/histogram.hpp"
#include "chat/app/prometheus_text.hpp"
#include "http/server/server.hpp"
#include "runtime/shard_count.hpp"

namespace payam::chat {

class HttpMeters {
 public:
  // For shards with the ids 0 to `shards` - 1.
  explicit HttpMeters(int shards);

  // On the record's shard.
  void count(const http::RequestRecord& record);
  // Any thread.
  void write(PrometheusText& text) const;

 private:
  using Key = std::pair<std::string, std::string>;  // route's pattern, method

  struct Series {
    Series(Key k, const Series* n) : key(std::move(k)), next(n) {}

    const Key key;
    const Series* const next;
    std::array<ShardCount, 6> by_class;  // of status: 1 to 5 hundred; 0: the peer left before
    ShardCount bytes;                    // of responses' bodies
    SecondsHistogram seconds;
  };

  // One shard's. Series are only added, by it; who reads goes through the list from its newest on.
  struct Part {
    std::map<std::pair<std::string_view, std::string_view>, Series*> by_key;  // keys are the series' own
    std::deque<Series> series;
    std::atomic<const Series*> newest{nullptr};
  };
  struct Sum;

  std::vector<std::unique_ptr<Part>> parts_;
};

}  // namespace payam::chat
