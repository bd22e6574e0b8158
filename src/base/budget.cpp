#include "base/budget.hpp"

#include <cassert>

namespace payam {

// The entry stays where it is for as long as it has holders. Null: not counted.
Budget::Entry* Budget::open(Table& table, const std::string& key, std::uint64_t bound) {
  if (key.empty() || bound == kUnbounded) return nullptr;
  Entry* const entry = &*table.try_emplace(key).first;
  entry->second.holders += 1;
  return entry;
}

void Budget::leave(Table& table, Entry* entry) {
  if (entry != nullptr && --entry->second.holders == 0) table.erase(table.find(entry->first));
}

std::expected<Budget::Held, Budget::Over> Budget::take(const Caller& caller, std::uint64_t amount) {
  const std::lock_guard lock(mutex_);
  Entry* const user = open(users_, caller.user, bounds_.user);
  Entry* const address = open(addresses_, caller.network, bounds_.address);
  if (const auto over = add(user, address, amount)) {
    leave(users_, user);
    leave(addresses_, address);
    return std::unexpected(*over);
  }
  return Held(*this, user, address, amount);
}

std::optional<Budget::Over> Budget::add(Entry* user, Entry* address, std::uint64_t amount) {
  const auto fits = [amount](std::uint64_t held, std::uint64_t bound) { return amount <= bound && held <= bound - amount; };
  std::optional<Over> over;
  if (user != nullptr && !fits(user->second.amount, bounds_.user)) {
    over = Over::user;
  } else if (address != nullptr && !fits(address->second.amount, bounds_.address)) {
    over = Over::address;
  } else if (!fits(held(), bounds_.total)) {
    over = Over::total;
  }
  if (over) {
    refused_[static_cast<std::size_t>(*over)].fetch_add(1, std::memory_order_relaxed);
    return over;
  }
  charge(user, address, amount);
  return std::nullopt;
}

void Budget::charge(Entry* user, Entry* address, std::uint64_t amount) {
  if (user != nullptr) user->second.amount += amount;
  if (address != nullptr) address->second.amount += amount;
  held_.fetch_add(amount, std::memory_order_relaxed);
}

void Budget::give_back(Entry* user, Entry* address, std::uint64_t amount) {
  assert(amount <= held());
  if (user != nullptr) user->second.amount -= amount;
  if (address != nullptr) address->second.amount -= amount;
  held_.fetch_sub(amount, std::memory_order_relaxed);
}

std::optional<Budget::Over> Budget::Held::grow(std::uint64_t amount) {
  assert(budget_ != nullptr);
  const std::lock_guard lock(budget_->mutex_);
  const auto over = budget_->add(user_, address_, amount);
  if (!over) amount_ += amount;
  return over;
}

void Budget::Held::shrink(std::uint64_t amount) {
  assert(budget_ != nullptr && amount <= amount_);
  const std::lock_guard lock(budget_->mutex_);
  budget_->give_back(user_, address_, amount);
  amount_ -= amount;
}

std::optional<Budget::Over> Budget::Held::move_to(const Caller& caller) {
  assert(budget_ != nullptr);
  const std::lock_guard lock(budget_->mutex_);
  Entry* user = open(budget_->users_, caller.user, budget_->bounds_.user);
  Entry* address = open(budget_->addresses_, caller.network, budget_->bounds_.address);
  budget_->give_back(user_, address_, amount_);
  const auto over = budget_->add(user, address, amount_);
  if (over) {
    budget_->charge(user_, address_, amount_);
  } else {
    std::swap(user_, user);
    std::swap(address_, address);
  }
  leave(budget_->users_, user);
  leave(budget_->addresses_, address);
  return over;
}

void Budget::Held::release() {
  if (budget_ == nullptr) return;
  {
    const std::lock_guard lock(budget_->mutex_);
    budget_->give_back(user_, address_, amount_);
    leave(budget_->users_, user_);
    leave(budget_->addresses_, address_);
  }
  budget_ = nullptr;
  amount_ = 0;
}

}  // namespace payam
