// What the writer must know about a room, its senders and its users for every message, kept in memory so that a send reads
// nothing from the database. Belongs to the writer's thread, the only one that changes the database, so it is never stale.
//
// New heads and read markers are written once a transaction, by flush(), not once a message. The cache is changed only when a
// change's statements have all succeeded; when a transaction fails, forget() drops everything.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "chat/model.hpp"
#include "chat/store/sqlite/database.hpp"

namespace payam::chat::sqlite {

struct CachedUser {
  std::int64_t key = 0;
  UserId id;
  std::optional<std::string> email;
};

struct CachedRoom {
  std::int64_t key = 0;
  Room room;
  Timestamp active_at{};
  bool changed = false;  // last_seq, rev or active_at are newer than the row
};

struct CachedMember {
  Role role = Role::member;
  Seq read_seq;
  bool changed = false;  // read_seq is newer than the row
};

class RoomCache {
 public:
  // `limit` entries of each kind; what is over is dropped between transactions.
  RoomCache(Database& database, std::size_t limit) : database_(database), limit_(limit) {}

  // Null if there is none (or it is deleted). Pointers are good until trim() or forget().
  const CachedUser* find_user(const UserId& id);
  CachedRoom* find_room(const RoomId& id);
  CachedMember* find_member(std::int64_t room, std::int64_t user);

  // The room has one more entry. These are called when nothing of the change can fail any more.
  void advance(CachedRoom& room);
  // And one more message, which its sender has read.
  void advance(CachedRoom& room, std::int64_t sender, CachedMember& member);
  // It goes to the top of lists.
  void touch(CachedRoom& room, Timestamp at);
  void mark_read(const CachedRoom& room, std::int64_t user, CachedMember& member, Seq seq);
  // After the row was changed or removed; nothing may wait for flush().
  void forget_member(std::int64_t room, std::int64_t user);
  void forget_user(const UserId& user);
  void forget_room(std::int64_t key, RoomId id);  // and its members

  // Writes what is newer than its row; within the transaction, before its end and before a change that reads those rows.
  void flush();
  // After a commit.
  void trim();
  // After a failed transaction.
  void forget();

 private:
  struct MemberKey {
    std::int64_t room, user;
    bool operator==(const MemberKey&) const = default;
  };
  struct MemberHash {
    std::size_t operator()(const MemberKey& key) const noexcept {
      return static_cast<std::size_t>(key.room) * 0x9e3779b97f4a7c15 ^ static_cast<std::size_t>(key.user) * 0xc2b2ae3d27d4eb4f;
    }
  };

  Database& database_;
  const std::size_t limit_;
  std::unordered_map<UserId, CachedUser> users_;
  std::unordered_map<RoomId, CachedRoom> rooms_;
  std::unordered_map<MemberKey, CachedMember, MemberHash> members_;
  std::vector<CachedRoom*> changed_rooms_;
  std::vector<std::pair<MemberKey, CachedMember*>> changed_members_;
};

}  // namespace payam::chat::sqlite
