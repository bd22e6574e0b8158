#include "chat/service/read_markers.hpp"

#include <algorithm>
#include <exception>

namespace payam::chat {

ReadMarkers::ReadMarkers(Shard& home, Store& store, TaskGroup& tasks, Announce announce, ReadMarkerOptions options)
    : home_(home), store_(store), tasks_(tasks), announce_(std::move(announce)), options_(options) {}

Task<Result<Seq>> ReadMarkers::mark(UserId user, std::string email, RoomId room, Seq seq) {
  const auto marker = co_await store_.mark_read(room, user, seq);
  if (!marker) co_return std::unexpected(marker.error());
  if (marker->moved) {
    const std::lock_guard lock(mutex_);
    Moved& moved = moved_[{std::move(room), std::move(user)}];
    moved.email = std::move(email);
    moved.seq = std::max(moved.seq, marker->seq);  // two calls may return in either order
    if (!armed_ && !closed_) {
      armed_ = true;
      home_.post([this] { home_.start_timer(timer_, options_.collect); });
    }
  }
  co_return marker->seq;
}

void ReadMarkers::on_timer() {
  Batch batch;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    if (moved_.empty()) {
      armed_ = false;
      return;
    }
    batch = std::exchange(moved_, {});
  }
  tasks_.spawn(home_.executor(), "read markers", announce_all(std::move(batch)));
}

Task<> ReadMarkers::announce_all(Batch batch) {
  std::exception_ptr failure;
  try {
    for (const auto& [whose, moved] : batch) {
      const auto& [room, user] = whose;
      if (co_await is_told(room, user)) announce_({room, moved.email, moved.seq});
    }
  } catch (...) {
    failure = std::current_exception();
  }
  home_.start_timer(timer_, options_.interval);
  if (failure) std::rethrow_exception(failure);
}

Task<bool> ReadMarkers::is_told(RoomId room, UserId member) {
  const SteadyTime now = steady_now();
  if (const auto known = sizes_.find(room); known != sizes_.end() && now < known->second.until) {
    co_return !known->second.is_large;
  }
  const auto view = co_await store_.find_room(room, std::move(member), 0);
  if (!view) co_return false;
  if (sizes_.size() >= kSizesRemembered) sizes_.clear();
  const bool is_large = view->members.size() > options_.largest_room;
  sizes_[std::move(room)] = {is_large, now + options_.remember_size};
  co_return !is_large;
}

void ReadMarkers::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
}

}  // namespace payam::chat
