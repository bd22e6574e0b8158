// Who is online: counted per connection, told to the people one shares a room with. Going offline counts only after a grace
// period, so that a page reload is no news; changes are collected for a moment, so that a burst of them costs one look each.
// Any thread; timers and announcements run on the home shard.
#pragma once

#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "chat/model.hpp"
#include "chat/service/clock.hpp"
#include "chat/store/store.hpp"
#include "runtime/shard.hpp"
#include "runtime/task_group.hpp"
#include "runtime/timer_wheel.hpp"

namespace payam::chat {

struct PresenceChange {
  UserId user;
  std::string email;
  bool is_online = false;
  std::optional<Timestamp> last_seen;  // when offline

  bool operator==(const PresenceChange&) const = default;
};

struct PresenceOptions {
  Millis grace{5'000};
  Millis collect{200};       // changes are announced together, this long after the first
  int largest_room = 1'000;  // members of larger rooms are not told
  WallClock clock = wall_now;
};

class Presence {
 public:
  // Called on the home shard with those online among the people who share a room.
  using Announce = std::function<void(const PresenceChange& change, const std::vector<UserId>& audience)>;

  // All outlive this; destroyed on the home shard, or after it has stopped.
  Presence(Shard& home, Store& store, TaskGroup& tasks, Announce announce, PresenceOptions options = {});

  // One call of each for every connection.
  void connected(const UserId& user, const std::string& email);
  void disconnected(const UserId& user);

  // Whose presence `viewer` may see: those of shared rooms of at most `largest_room` members who do not block the viewer, and
  // the viewer.
  static constexpr int kAnySize = std::numeric_limits<int>::max();
  Task<std::unordered_set<UserId>> visible_to(UserId viewer, int largest_room = kAnySize);

  // As the store's. Who could see the user online until now, or can from now on, is told of the change.
  Task<Result<>> set_block(UserId user, std::string email, bool on);

  // True in the grace period too: what others have been told.
  bool is_online(const UserId& user) const;
  // The e-mails of those among them who are online, sorted.
  std::vector<std::string> online_among(std::span<const UserId> users) const;

  // At shutdown: everyone who is still online was last seen now, stored by tasks of the group. Nothing is announced any more.
  void close();

 private:
  struct Person {
    std::string email;
    int connections = 0;
    bool announced = false;  // others were told that they are online, or are about to be
    SteadyTime left_at{};    // while there are no connections
    std::optional<Timestamp> last_seen;
  };
  struct Leaving {
    UserId user;
    SteadyTime left_at;
  };

  void arm();       // any thread, the lock held
  void on_timer();  // home shard
  Task<> announce_all();
  Task<> announce(PresenceChange change);
  Task<> tell(UserId viewer, PresenceChange change);
  Task<> store_last_seen(std::shared_ptr<std::vector<std::pair<UserId, Timestamp>>> left);

  Shard& home_;
  Store& store_;
  TaskGroup& tasks_;
  const Announce announce_;
  const PresenceOptions options_;

  mutable std::mutex mutex_;
  std::unordered_map<UserId, Person> people_;
  std::vector<UserId> arrived_;  // not announced yet
  std::deque<Leaving> leaving_;  // by time
  bool armed_ = false;
  bool closed_ = false;

  // Home shard only.
  MemberTimer<&Presence::on_timer> timer_{*this};
  std::deque<PresenceChange> changes_;
  bool announcing_ = false;
};

}  // namespace payam::chat
