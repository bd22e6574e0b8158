#include "socketio/room_index.hpp"

#include <algorithm>
#include <utility>

namespace payam::sio {

void RoomIndex::add(Member& member, std::string id) {
  assert(member.index_ == nullptr && !by_id_.contains(std::string_view(id)));
  member.index_ = this;
  member.id_ = std::move(id);
  member.in_own_room_ = true;
  member.last_chosen_ = 0;
  member.position_ = static_cast<std::uint32_t>(members_.size());
  members_.push_back(&member);
  by_id_.insert(&member);
}

void RoomIndex::remove(Member& member) {
  if (member.index_ == nullptr) return;
  assert(member.index_ == this);
  for (const Member::Seat& seat : member.seats_) vacate(seat);
  member.seats_ = {};
  by_id_.erase(std::string_view(member.id_));
  members_[member.position_] = members_.back();
  members_[member.position_]->position_ = member.position_;
  members_.pop_back();
  member.index_ = nullptr;
}

void RoomIndex::replace(Member& from, Member& to) {
  assert(from.index_ == this && to.index_ == nullptr);
  by_id_.erase(std::string_view(from.id_));
  to.index_ = this;
  to.id_ = from.id_;
  to.seats_ = std::move(from.seats_);
  to.in_own_room_ = from.in_own_room_;
  to.last_chosen_ = from.last_chosen_;
  to.position_ = from.position_;
  members_[to.position_] = &to;
  for (const Member::Seat& seat : to.seats_) seat.room->members[seat.position] = &to;
  by_id_.insert(&to);
  from.seats_ = {};
  from.index_ = nullptr;
}

bool RoomIndex::join(Member& member, std::string_view name) {
  if (member.index_ == nullptr) return false;
  if (name == member.id_) return !std::exchange(member.in_own_room_, true);
  auto found = rooms_.find(name);
  if (found == rooms_.end()) {
    found = rooms_.emplace(std::string(name), Room{}).first;
    found->second.name = found->first;
    room_count_.store(rooms_.size(), std::memory_order_relaxed);
  }
  Room* room = &found->second;
  if (std::ranges::find(member.seats_, room, &Member::Seat::room) != member.seats_.end()) return false;
  member.seats_.push_back({room, static_cast<std::uint32_t>(room->members.size())});
  room->members.push_back(&member);
  return true;
}

bool RoomIndex::leave(Member& member, std::string_view name) {
  if (member.index_ == nullptr) return false;
  if (name == member.id_) return std::exchange(member.in_own_room_, false);
  const auto found = rooms_.find(name);
  if (found == rooms_.end()) return false;
  const auto seat = std::ranges::find(member.seats_, &found->second, &Member::Seat::room);
  if (seat == member.seats_.end()) return false;
  const Member::Seat left = *seat;
  *seat = member.seats_.back();
  member.seats_.pop_back();
  vacate(left);
  return true;
}

// The last of the room takes the seat; an empty room goes.
void RoomIndex::vacate(const Member::Seat& seat) {
  auto& members = seat.room->members;
  Member* last = members.back();
  members.pop_back();
  if (seat.position < members.size()) {
    members[seat.position] = last;
    std::ranges::find(last->seats_, seat.room, &Member::Seat::room)->position = seat.position;
  }
  if (!members.empty()) return;
  rooms_.erase(rooms_.find(seat.room->name));
  room_count_.store(rooms_.size(), std::memory_order_relaxed);
}

bool RoomIndex::in_room(const Member& member, std::string_view name) const {
  if (member.index_ == nullptr) return false;
  if (name == member.id_) return member.in_own_room_;
  return std::ranges::any_of(member.seats_, [&](const Member::Seat& seat) { return seat.room->name == name; });
}

std::vector<std::string> RoomIndex::rooms_of(const Member& member) const {
  std::vector<std::string> out;
  if (member.index_ == nullptr) return out;
  if (member.in_own_room_) out.push_back(member.id_);
  for (const Member::Seat& seat : member.seats_) out.emplace_back(seat.room->name);
  return out;
}

RoomIndex::Member* RoomIndex::find(std::string_view id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : *found;
}

std::size_t RoomIndex::most_of(const detail::Target& target) const {
  if (target.rooms.empty()) return members_.size();
  std::size_t most = 0;
  for (const std::string& name : target.rooms) {
    const auto room = rooms_.find(name);
    most += 1 + (room == rooms_.end() ? 0 : room->second.members.size());  // the one whose id it is
  }
  return most;
}

}  // namespace payam::sio
