// A map that forgets what was touched longest ago. Bounded; one thread, or a lock of the owner's.
#pragma once

#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/salted_hash.hpp"

namespace payam::chat {

template <class Value>
class RecentMap {
 public:
  explicit RecentMap(std::size_t capacity) : capacity_(capacity) {}

  // The value of `key`, which is now the one touched last; null if there is none. Good until the next call of make().
  Value* find(std::string_view key) {
    const auto found = index_.find(key);
    if (found == index_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, found->second);
    return &found->second->second;
  }

  // For a key that is not there.
  Value& make(std::string_view key, Value value) {
    if (index_.size() >= capacity_) {
      index_.erase(entries_.back().first);
      entries_.pop_back();
    }
    entries_.emplace_front(key, std::move(value));
    index_.emplace(entries_.front().first, entries_.begin());
    return entries_.front().second;
  }

  std::size_t size() const { return index_.size(); }

 private:
  using Entries = std::list<std::pair<const std::string, Value>>;

  const std::size_t capacity_;
  Entries entries_;                                                                     // the last touched first
  std::unordered_map<std::string_view, typename Entries::iterator, SaltedHash> index_;  // views of the entries' keys
};

}  // namespace payam::chat
