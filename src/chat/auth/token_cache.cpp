#include "chat/auth/token_cache.hpp"

namespace payam::chat {

TokenCache::TokenCache(std::size_t capacity) : capacity_(capacity) {}

std::optional<Principal> TokenCache::find(std::string_view token, Timestamp now) {
  const auto found = index_.find(sha256(token));
  if (found == index_.end()) return std::nullopt;
  const auto entry = found->second;
  if (entry->principal.expires_at <= now) {
    index_.erase(found);
    entries_.erase(entry);
    return std::nullopt;
  }
  entries_.splice(entries_.begin(), entries_, entry);
  return entry->principal;
}

void TokenCache::insert(std::string_view token, Principal principal, std::uint64_t generation) {
  if (generation != generation_ || capacity_ == 0) return;
  const Key key = sha256(token);
  if (index_.contains(key)) return;  // two requests verified the same token at once
  if (entries_.size() == capacity_) {
    index_.erase(entries_.back().key);
    entries_.pop_back();
  }
  entries_.push_front(Entry{key, std::move(principal)});
  index_.emplace(key, entries_.begin());
}

template <class Predicate>
void TokenCache::forget_if(Predicate matches) {
  ++generation_;
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    if (matches(entry->principal)) {
      index_.erase(entry->key);
      entry = entries_.erase(entry);
    } else {
      ++entry;
    }
  }
}

void TokenCache::forget(const SessionId& session) {
  forget_if([&](const Principal& principal) { return principal.session == session; });
}

void TokenCache::forget(const UserId& user) {
  forget_if([&](const Principal& principal) { return principal.user == user; });
}

}  // namespace payam::chat
