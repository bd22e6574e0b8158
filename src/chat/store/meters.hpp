// What a store tells about its work, for the metrics. Any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "base/clock.hpp"
#include "base/histogram.hpp"

namespace payam::chat {

inline constexpr std::array kBatchBounds{1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0};

struct StoreMeters {
  using Nanos = std::chrono::nanoseconds;

  Histogram<kBatchBounds> batch_changes;  // pieces of work made durable together
  SecondsHistogram batch_seconds;         // of such a batch, until it was durable
  std::atomic<std::uint64_t> batches_failed{0};
  SecondsHistogram read_seconds;  // the wait for a free reader included; on MongoDB of all that is no batch

  // How long what was committed first has been waiting for the search index; zero: it is up to date.
  Nanos search_lag(SteadyTime now) const {
    const Nanos since = behind_since_.load(std::memory_order_relaxed);
    return since == kUpToDate ? Nanos{0} : now.time_since_epoch() - since;
  }
  void set_search_behind(SteadyTime since) { behind_since_.store(since.time_since_epoch(), std::memory_order_relaxed); }
  void set_search_up_to_date() { behind_since_.store(kUpToDate, std::memory_order_relaxed); }

 private:
  static constexpr Nanos kUpToDate{-1};
  std::atomic<Nanos> behind_since_{kUpToDate};
};

// Adds the time of a scope to a histogram.
class Timed {
 public:
  Timed(SecondsHistogram& seconds, SteadyTime began) : seconds_(seconds), began_(began) {}
  ~Timed() { seconds_.add(std::chrono::duration<double>(steady_now() - began_).count()); }
  Timed(const Timed&) = delete;
  Timed& operator=(const Timed&) = delete;

 private:
  SecondsHistogram& seconds_;
  const SteadyTime began_;
};

}  // namespace payam::chat
