// What all files of one person may come to, while some of them are on their way: bytes are taken as they arrive, so that many
// uploads at once cannot go over the quota together. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/salted_hash.hpp"
#include "chat/model.hpp"

namespace payam::chat {

// Outlives its shares.
class UploadQuota {
 public:
  class Share;

  // In bytes; 0: any amount.
  explicit UploadQuota(std::uint64_t limit) : limit_(limit) {}
  UploadQuota(const UploadQuota&) = delete;
  UploadQuota& operator=(const UploadQuota&) = delete;

  std::uint64_t limit() const { return limit_; }
  bool has_limit() const { return limit_ > 0; }

  // For one upload of `user`. To be opened before begin() is told what the store has.
  Share open(const UserId& user);

 private:
  struct Account {
    std::optional<std::uint64_t> stored;  // when the first upload began
    std::uint64_t taken = 0;              // since then, what is kept included
    std::size_t shares = 0;               // without any it is removed
  };
  using Table = std::unordered_map<std::string, Account, SaltedHash, std::equal_to<>>;

  const std::uint64_t limit_;
  std::mutex mutex_;
  Table accounts_;
};

// Gives back what it took, unless that is kept.
class UploadQuota::Share {
 public:
  Share(Share&& other) noexcept
      : quota_(std::exchange(other.quota_, nullptr)), entry_(other.entry_), taken_(std::exchange(other.taken_, 0)) {}
  Share& operator=(Share&&) = delete;
  ~Share();

  // What the user's files in the store come to. As long as others of theirs are under way, what they began with counts.
  void begin(std::uint64_t stored);
  // Whether so much more would fit.
  bool fits(std::uint64_t bytes) const;
  // After begin(). False if it does not fit; then nothing is taken.
  bool take(std::uint64_t bytes);
  // The file is in the store: what it took is not given back.
  void keep() { taken_ = 0; }

 private:
  friend class UploadQuota;
  Share(UploadQuota& quota, Table::value_type& entry) : quota_(&quota), entry_(&entry) {}

  bool has_room_for(std::uint64_t bytes) const;  // with the mutex held

  UploadQuota* quota_;  // null: moved from
  Table::value_type* entry_;
  std::uint64_t taken_ = 0;
};

}  // namespace payam::chat
