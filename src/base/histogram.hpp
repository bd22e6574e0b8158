// How often a value fell below each of some bounds, as Prometheus counts it. Pure.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace payam {

// Any thread may add and read; adding is two relaxed additions. What is read while others add may be one apart. `Bounds` are
// ascending.
template <const auto& Bounds>
class Histogram {
 public:
  static constexpr std::span<const double> bounds() { return Bounds; }

  void add(double value) {
    std::size_t bucket = 0;
    while (bucket < Bounds.size() && value > Bounds[bucket]) ++bucket;
    counts_[bucket].fetch_add(1, std::memory_order_relaxed);
    sum_.fetch_add(value, std::memory_order_relaxed);
  }

  // One a bound, and the rest; not cumulated.
  std::vector<std::uint64_t> counts() const {
    std::vector<std::uint64_t> result;
    for (const auto& count : counts_) result.push_back(count.load(std::memory_order_relaxed));
    return result;
  }
  double sum() const { return sum_.load(std::memory_order_relaxed); }

 private:
  std::array<std::atomic<std::uint64_t>, Bounds.size() + 1> counts_{};
  std::atomic<double> sum_{0};
};

// Seconds, of what is done on behalf of someone who waits.
inline constexpr std::array kSecondBounds{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0};
using SecondsHistogram = Histogram<kSecondBounds>;

}  // namespace payam
