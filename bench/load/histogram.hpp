// Latencies in microseconds, in buckets about 3 % wide.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace payam::bench {

class Histogram {
 public:
  void add(std::uint64_t microseconds) {
    ++counts_[bucket(microseconds)];
    ++total_;
    if (microseconds > maximum_) maximum_ = microseconds;
  }
  void clear() { *this = {}; }
  void merge(const Histogram& other) {
    for (std::size_t i = 0; i < kBuckets; ++i) counts_[i] += other.counts_[i];
    total_ += other.total_;
    if (other.maximum_ > maximum_) maximum_ = other.maximum_;
  }

  std::uint64_t total() const { return total_; }
  double max_ms() const { return static_cast<double>(maximum_) / 1000; }

  // The upper edge of the bucket that holds this share (0.99) of all, in milliseconds.
  double percentile_ms(double share) const {
    const auto rank = static_cast<std::uint64_t>(share * static_cast<double>(total_));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen > rank) return static_cast<double>(upper(i) < maximum_ ? upper(i) : maximum_) / 1000;
    }
    return max_ms();
  }

 private:
  // 32 linear steps in every power of two.
  static std::size_t bucket(std::uint64_t value) {
    if (value < 64) return value;
    const int shift = std::bit_width(value) - 6;
    const std::size_t index = static_cast<std::size_t>(shift) * 32 + static_cast<std::size_t>(value >> shift);
    return index < kBuckets ? index : kBuckets - 1;
  }
  static std::uint64_t upper(std::size_t index) {
    if (index < 64) return index;
    const std::size_t shift = index / 32 - 1;
    return (static_cast<std::uint64_t>(index - shift * 32 + 1) << shift) - 1;
  }

  static constexpr std::size_t kBuckets = 1024;
  std::array<std::uint64_t, kBuckets> counts_{};
  std::uint64_t total_ = 0;
  std::uint64_t maximum_ = 0;
};

}  // namespace payam::bench
