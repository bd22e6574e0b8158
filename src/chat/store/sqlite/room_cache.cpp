#include "chat/store/sqlite/room_cache.hpp"

#include <algorithm>

namespace payam::chat::sqlite {

const CachedUser* RoomCache::find_user(const UserId& id) {
  if (const auto found = users_.find(id); found != users_.end()) return &found->second;
  Statement row = database_.query("SELECT key, email FROM users WHERE id = ?", id);
  if (!row.step()) return nullptr;
  CachedUser user{row.get<std::int64_t>(0), id, row.get<std::optional<std::string>>(1)};
  return &users_.emplace(id, std::move(user)).first->second;
}

CachedRoom* RoomCache::find_room(const RoomId& id) {
  if (const auto found = rooms_.find(id); found != rooms_.end()) return &found->second;
  Statement row = database_.query(
      "SELECT key, kind, name, topic, created_at, last_seq, rev, active_at FROM rooms WHERE id = ? AND deleted = 0", id);
  if (!row.step()) return nullptr;
  CachedRoom room;
  room.key = row.get<std::int64_t>(0);
  room.room = {id,
               row.get<RoomKind>(1),
               row.get<std::string>(2),
               row.get<std::string>(3),
               row.get<Timestamp>(4),
               row.get<Seq>(5),
               row.get<Rev>(6)};
  room.active_at = row.get<Timestamp>(7);
  return &rooms_.emplace(id, std::move(room)).first->second;
}

CachedMember* RoomCache::find_member(std::int64_t room, std::int64_t user) {
  const MemberKey key{room, user};
  if (const auto found = members_.find(key); found != members_.end()) return &found->second;
  Statement row = database_.query("SELECT role, read_seq FROM members WHERE room = ? AND user = ?", room, user);
  if (!row.step()) return nullptr;
  return &members_.emplace(key, CachedMember{row.get<Role>(0), row.get<Seq>(1)}).first->second;
}

void RoomCache::advance(CachedRoom& room) {
  room.room.rev = room.room.rev.next();
  if (!std::exchange(room.changed, true)) changed_rooms_.push_back(&room);
}

void RoomCache::advance(CachedRoom& room, std::int64_t sender, CachedMember& member) {
  room.room.last_seq = room.room.last_seq.next();
  advance(room);
  mark_read(room, sender, member, room.room.last_seq);
}

void RoomCache::touch(CachedRoom& room, Timestamp at) {
  room.active_at = std::max(room.active_at, at);
  if (!std::exchange(room.changed, true)) changed_rooms_.push_back(&room);
}

void RoomCache::mark_read(const CachedRoom& room, std::int64_t user, CachedMember& member, Seq seq) {
  member.read_seq = seq;
  if (!std::exchange(member.changed, true)) changed_members_.emplace_back(MemberKey{room.key, user}, &member);
}

void RoomCache::flush() {
  for (CachedRoom* room : changed_rooms_) {
    database_.run("UPDATE rooms SET last_seq = ?, rev = ?, active_at = ? WHERE key = ?", room->room.last_seq, room->room.rev,
                  room->active_at, room->key);
    room->changed = false;
  }
  changed_rooms_.clear();
  for (auto& [key, member] : changed_members_) {
    database_.run("UPDATE members SET read_seq = ? WHERE room = ? AND user = ?", member->read_seq, key.room, key.user);
    member->changed = false;
  }
  changed_members_.clear();
}

void RoomCache::forget_member(std::int64_t room, std::int64_t user) { members_.erase(MemberKey{room, user}); }

void RoomCache::forget_user(const UserId& user) { users_.erase(user); }

// A later room may get the same key, so nobody may stay a member of it.
void RoomCache::forget_room(std::int64_t key, RoomId id) {
  rooms_.erase(id);
  std::erase_if(members_, [key](const auto& entry) { return entry.first.room == key; });
}

void RoomCache::trim() {
  if (users_.size() > limit_) users_.clear();
  if (rooms_.size() > limit_) rooms_.clear();
  if (members_.size() > limit_) members_.clear();
}

void RoomCache::forget() {
  changed_rooms_.clear();
  changed_members_.clear();
  users_.clear();
  rooms_.clear();
  members_.clear();
}

}  // namespace payam::chat::sqlite
