// How far everyone has read. A marker is stored at once; others are told together, at most once an interval for each user and
// room, and not in large rooms, where it would cost members² events. Any thread; timers and announcements run on the home
// shard.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "chat/model.hpp"
#include "chat/store/store.hpp"
#include "runtime/shard.hpp"
#include "runtime/task_group.hpp"
#include "runtime/timer_wheel.hpp"

namespace payam::chat {

struct ReadNews {
  RoomId room;
  std::string email;
  Seq seq;

  bool operator==(const ReadNews&) const = default;
};

struct ReadMarkerOptions {
  Millis collect{50};      // the first news after a quiet time waits so long for company
  Millis interval{1'000};  // between announcements
  std::size_t largest_room = 200;
  Millis remember_size{10'000};  // whether a room is large
};

class ReadMarkers {
 public:
  using Announce = std::function<void(const ReadNews& news)>;  // on the home shard

  // All outlive this; destroyed on the home shard, or after it has stopped.
  ReadMarkers(Shard& home, Store& store, TaskGroup& tasks, Announce announce, ReadMarkerOptions options = {});

  // Forward only and never past the room's last message; gives where the marker then is. Errc::not_found.
  Task<Result<Seq>> mark(UserId user, std::string email, RoomId room, Seq seq);

  // At shutdown: nothing is announced any more.
  void close();

 private:
  struct Moved {
    std::string email;
    Seq seq;
  };
  using Batch = std::map<std::pair<RoomId, UserId>, Moved>;
  struct Size {
    bool is_large = false;
    SteadyTime until{};
  };
  static constexpr std::size_t kSizesRemembered = 10'000;

  void on_timer();  // home shard, as are the next two
  Task<> announce_all(Batch batch);
  // Whether the room is small enough to be told; false too if `member` is none.
  Task<bool> is_told(RoomId room, UserId member);

  Shard& home_;
  Store& store_;
  TaskGroup& tasks_;
  const Announce announce_;
  const ReadMarkerOptions options_;

  std::mutex mutex_;
  Batch moved_;         // since the last announcement
  bool armed_ = false;  // the timer runs, or an announcement
  bool closed_ = false;

  // Home shard only.
  MemberTimer<&ReadMarkers::on_timer> timer_{*this};
  std::unordered_map<RoomId, Size> sizes_;
};

}  // namespace payam::chat
