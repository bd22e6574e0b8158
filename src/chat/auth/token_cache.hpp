// Tokens verified a moment ago and whom they stand for, so that a reconnecting socket or a busy client pays for neither the
// signature nor the store. One a shard, its thread only. Pure: time is passed in.
#pragma once

#include <cstdint>
#include <cstring>
#include <list>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "chat/auth/principal.hpp"
#include "chat/auth/sha256.hpp"

namespace payam::chat {

class TokenCache {
 public:
  // At most `capacity` tokens (about 400 bytes each), the least recently used goes first.
  explicit TokenCache(std::size_t capacity);

  // Never one that has expired.
  std::optional<Principal> find(std::string_view token, Timestamp now);

  // Changes with every forget(). Who verifies against the store notes it first and passes it to insert(), which does nothing if
  // something was forgotten since: what was read then may be what was revoked.
  std::uint64_t generation() const { return generation_; }
  void insert(std::string_view token, Principal principal, std::uint64_t generation);

  // A session was revoked, or a user changed or erased.
  void forget(const SessionId& session);
  void forget(const UserId& user);

  std::size_t size() const { return entries_.size(); }

 private:
  // SHA-256: no token is kept, and the time of a look-up says nothing about one.
  using Key = Sha256;  // of the token
  struct KeyHash {
    std::size_t operator()(const Key& key) const {
      std::size_t hash;
      std::memcpy(&hash, key.data(), sizeof hash);
      return hash;
    }
  };
  struct Entry {
    Key key;
    Principal principal;
  };

  template <class Predicate>
  void forget_if(Predicate matches);

  const std::size_t capacity_;
  std::uint64_t generation_ = 0;
  std::list<Entry> entries_;  // the most recently used first
  std::unordered_map<Key, std::list<Entry>::iterator, KeyHash> index_;
};

}  // namespace payam::chat
