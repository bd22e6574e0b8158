// How much of one kind (bytes, connections, running work) is held at once: for each user, for each address, and in all. What
// holds something on somebody's behalf owns a Held, and gives back by destroying it.
//
//   auto held = bodies.take({network_of(peer), user}, size);
//   if (!held) … // 429 or 503: held.error() says whose bound it is
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <expected>
#include <limits>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/salted_hash.hpp"

namespace payam {

// On whose behalf. What is empty is not counted.
struct Caller {
  std::string network;    // network_of() the address
  std::string user = {};  // an id; empty before sign-in
};

// Any thread. Outlives what it gave.
class Budget {
 public:
  static constexpr std::uint64_t kUnbounded = std::numeric_limits<std::uint64_t>::max();

  struct Bounds {
    std::uint64_t user = kUnbounded;
    std::uint64_t address = kUnbounded;
    std::uint64_t total = kUnbounded;

    // With only the bound on all that is held: RATE_LIMITS=off.
    Bounds total_only() const { return {.total = total}; }
    bool operator==(const Bounds&) const = default;
  };

  enum class Over : std::uint8_t { user, address, total };

  class Held;

  explicit Budget(const Bounds& bounds) : bounds_(bounds) {}
  Budget(const Budget&) = delete;
  Budget& operator=(const Budget&) = delete;

  // All of it or nothing.
  std::expected<Held, Over> take(const Caller& caller, std::uint64_t amount = 1);

  const Bounds& bounds() const { return bounds_; }
  std::uint64_t held() const { return held_.load(std::memory_order_relaxed); }
  // How often something was refused since the start.
  std::uint64_t refused(Over why) const { return refused_[static_cast<std::size_t>(why)].load(std::memory_order_relaxed); }

 private:
  struct Account {
    std::uint64_t amount = 0;
    std::uint64_t holders = 0;  // the Helds that point here; without any it is removed
  };
  using Table = std::unordered_map<std::string, Account, SaltedHash, std::equal_to<>>;
  using Entry = Table::value_type;

  // The lock is the caller's.
  std::optional<Over> add(Entry* user, Entry* address, std::uint64_t amount);
  void charge(Entry* user, Entry* address, std::uint64_t amount);
  void give_back(Entry* user, Entry* address, std::uint64_t amount);
  static Entry* open(Table& table, const std::string& key, std::uint64_t bound);
  static void leave(Table& table, Entry* entry);

  const Bounds bounds_;
  std::mutex mutex_;
  Table users_, addresses_;  // who holds something
  std::atomic<std::uint64_t> held_{0};
  std::array<std::atomic<std::uint64_t>, 3> refused_{};
};

// Some of a budget. Movable; empty when moved from or default constructed.
class Budget::Held {
 public:
  Held() = default;
  Held(Held&& other) noexcept
      : budget_(std::exchange(other.budget_, nullptr)),
        user_(other.user_),
        address_(other.address_),
        amount_(std::exchange(other.amount_, 0)) {}
  Held& operator=(Held&& other) noexcept {
    if (this != &other) {
      release();
      budget_ = std::exchange(other.budget_, nullptr);
      user_ = other.user_;
      address_ = other.address_;
      amount_ = std::exchange(other.amount_, 0);
    }
    return *this;
  }
  ~Held() { release(); }

  explicit operator bool() const { return budget_ != nullptr; }
  std::uint64_t amount() const { return amount_; }

  // More of the same; what stood in the way, and then nothing has changed.
  std::optional<Over> grow(std::uint64_t amount);
  // At most what is held.
  void shrink(std::uint64_t amount);
  // The same for another caller from now on; what stood in the way, and then nothing has changed. To nobody always succeeds.
  std::optional<Over> move_to(const Caller& caller);
  void release();

 private:
  friend class Budget;
  Held(Budget& budget, Entry* user, Entry* address, std::uint64_t amount)
      : budget_(&budget), user_(user), address_(address), amount_(amount) {}

  Budget* budget_ = nullptr;
  Entry* user_ = nullptr;     // null: not counted
  Entry* address_ = nullptr;  // null: not counted
  std::uint64_t amount_ = 0;
};

// A snapshot.
struct BudgetCounters {
  std::uint64_t held = 0;
  std::uint64_t refused_user = 0, refused_address = 0, refused_total = 0;  // by whose bound

  static BudgetCounters of(const Budget& budget) {
    return {budget.held(), budget.refused(Budget::Over::user), budget.refused(Budget::Over::address),
            budget.refused(Budget::Over::total)};
  }
};

}  // namespace payam
