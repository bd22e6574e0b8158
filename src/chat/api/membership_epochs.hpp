// Notices that someone's rooms changed while they were being read, so that a socket on its way in misses no change.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>

#include "chat/model.hpp"

namespace payam::chat::api {

// A counter for many users together: it may cry wolf, never keep silent. Any thread.
//
// The publisher counts up after the change is durable and before it tells the shards. Who reads the rooms of a user, lets a
// socket join them, and finds the number as before the reading, has read either all that was told until then, or will be told.
class MembershipEpochs {
 public:
  void changed(const UserId& user) { slot(user).fetch_add(1); }
  std::uint64_t of(const UserId& user) const { return const_cast<MembershipEpochs*>(this)->slot(user).load(); }

 private:
  std::atomic<std::uint64_t>& slot(const UserId& user) { return slots_[std::hash<UserId>{}(user) % slots_.size()]; }

  std::array<std::atomic<std::uint64_t>, 1024> slots_{};
};

}  // namespace payam::chat::api
