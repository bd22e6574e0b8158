// How often something was done, and how often refused, by reason. Any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

#include "base/error.hpp"

namespace payam::chat {

class OutcomeCounts {
 public:
  // nullopt: it was done.
  void count(std::optional<Errc> refusal) {
    counts_[refusal ? 1 + static_cast<std::size_t>(*refusal) : 0].fetch_add(1, std::memory_order_relaxed);
  }

  // By "ok" or the Errc's name; those that have occurred.
  std::map<std::string_view, std::uint64_t> by_name() const {
    std::map<std::string_view, std::uint64_t> result;  // two Errcs may have one name
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      if (const auto n = counts_[i].load(std::memory_order_relaxed)) {
        result[i == 0 ? "ok" : to_string(static_cast<Errc>(i - 1))] += n;
      }
    }
    return result;
  }

 private:
  std::array<std::atomic<std::uint64_t>, 2 + static_cast<std::size_t>(Errc::internal)> counts_{};
};

}  // namespace payam::chat
