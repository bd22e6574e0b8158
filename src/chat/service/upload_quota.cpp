#include "chat/service/upload_quota.hpp"

namespace payam::chat {

UploadQuota::Share UploadQuota::open(const UserId& user) {
  const std::lock_guard lock(mutex_);
  Table::value_type& entry = *accounts_.try_emplace(user.str()).first;
  ++entry.second.shares;
  return Share(*this, entry);
}

UploadQuota::Share::~Share() {
  if (quota_ == nullptr) return;
  const std::lock_guard lock(quota_->mutex_);
  entry_->second.taken -= taken_;
  if (--entry_->second.shares == 0) quota_->accounts_.erase(entry_->first);
}

void UploadQuota::Share::begin(std::uint64_t stored) {
  const std::lock_guard lock(quota_->mutex_);
  if (!entry_->second.stored) entry_->second.stored = stored;
}

bool UploadQuota::Share::fits(std::uint64_t bytes) const {
  const std::lock_guard lock(quota_->mutex_);
  return has_room_for(bytes);
}

bool UploadQuota::Share::take(std::uint64_t bytes) {
  const std::lock_guard lock(quota_->mutex_);
  if (!has_room_for(bytes)) return false;
  entry_->second.taken += bytes;
  taken_ += bytes;
  return true;
}

bool UploadQuota::Share::has_room_for(std::uint64_t bytes) const {
  if (!quota_->has_limit()) return true;
  const Account& account = entry_->second;
  const std::uint64_t used = account.stored.value_or(0) + account.taken;
  return used <= quota_->limit_ && bytes <= quota_->limit_ - used;
}

}  // namespace payam::chat
