// A room's name and topic, its end, its invites, and what each member keeps about it.
#include <fmt/format.h>

#include <algorithm>

#include "chat/store/sqlite/appender.hpp"

namespace payam::chat::sqlite {

Result<Commit> Appender::apply(const UpdateRoom& update) {
  const auto acting = find_acting(update.room, update.actor);
  if (!acting) return std::unexpected(acting.error());
  CachedRoom& room = *acting->room;
  if (const auto allowed = rules::may_update_room(room.room.kind, acting->role); !allowed)
    return std::unexpected(allowed.error());
  Room updated = room.room;
  if (update.name) updated.name = *update.name;
  if (update.topic) updated.topic = *update.topic;
  if (updated == room.room) {
    Commit nothing = unchanged(*acting, update.at, RoomUpdated{updated.name, updated.topic});
    nothing.after = RoomState{room.room, read_members(database_, room.key)};
    return nothing;
  }
  Savepoint savepoint(database_);
  database_.run("UPDATE rooms SET name = ?, topic = ? WHERE key = ?", updated.name, updated.topic, room.key);
  Commit commit;
  commit.entry =
      append(room, EntryKind::room_updated, *acting->actor, update.at, {.name = updated.name, .topic = updated.topic});
  commit.entry.body = RoomUpdated{updated.name, updated.topic};
  commit.after = state_after(room);
  commit.after->room.name = updated.name;
  commit.after->room.topic = updated.topic;
  savepoint.keep();
  room.room.name = updated.name;
  room.room.topic = updated.topic;
  cache_.advance(room);
  return commit;
}

Result<Commit> Appender::apply(const DeleteRoom& deletion) {
  const auto acting = find_acting(deletion.room, deletion.actor);
  if (!acting) return std::unexpected(acting.error());
  const auto allowed = rules::may_delete_room(acting->room->room.kind, acting->role);
  if (!allowed) return std::unexpected(allowed.error());
  return delete_room(*acting->room, *acting->actor, deletion.at);
}

// From here on nobody is a member and the room is found no more; what it held goes by and by: purge_some().
Commit Appender::delete_room(CachedRoom& room, const CachedUser& actor, Timestamp at) {
  Commit commit;
  commit.entry = {room.room.id, room.room.rev.next(), at, actor.id, actor.email, RoomDeleted{}};
  commit.after = state_after(room);
  Savepoint savepoint(database_);
  database_.run("DELETE FROM members WHERE room = ?", room.key);
  database_.run("DELETE FROM invites WHERE room = ?", room.key);
  database_.run("DELETE FROM removals WHERE room = ?", room.key);
  database_.run("UPDATE rooms SET deleted = 1, kind = 0, low_user = NULL, high_user = NULL WHERE key = ?", room.key);
  savepoint.keep();
  cache_.forget_room(room.key, room.room.id);
  return commit;
}

bool Appender::purge_some() {
  constexpr int kMessages = 500;  // with all that hangs on them, in one transaction
  std::int64_t room = 0;
  {
    Statement row = database_.query("SELECT key FROM rooms WHERE deleted = 1 LIMIT 1");
    if (!row.step()) return false;
    room = row.get<std::int64_t>(0);
  }
  Savepoint savepoint(database_);
  Seq last;
  {
    Statement row =
        database_.query("SELECT max(seq) FROM (SELECT seq FROM messages WHERE room = ? ORDER BY seq LIMIT ?)", room, kMessages);
    row.step();
    last = row.get<Seq>(0);  // 0 for none
  }
  delete_attached(room, Seq{0}, last, References::all);
  database_.run("DELETE FROM mentions WHERE room = ? AND seq <= ?", room, last);
  database_.run("DELETE FROM reactions WHERE room = ? AND seq <= ?", room, last);
  database_.run("DELETE FROM messages WHERE room = ? AND seq <= ?", room, last);
  if (last == Seq{0}) {
    Rev rev;
    {
      Statement row =
          database_.query("SELECT max(rev) FROM (SELECT rev FROM log WHERE room = ? ORDER BY rev LIMIT ?)", room, kMessages);
      row.step();
      rev = row.get<Rev>(0);
    }
    database_.run("DELETE FROM log_members WHERE room = ? AND rev <= ?", room, rev);
    database_.run("DELETE FROM log WHERE room = ? AND rev <= ?", room, rev);
    if (rev == Rev{0}) database_.run("DELETE FROM rooms WHERE key = ?", room);
  }
  savepoint.keep();
  return true;
}

Result<> Appender::create_invite(const Invite& invite) {
  cache_.flush();
  const auto acting = find_acting(invite.room, invite.creator);
  if (!acting) return std::unexpected(acting.error());
  if (auto allowed = rules::may_add_members(acting->room->room.kind, acting->role); !allowed) return allowed;
  database_.run(
      "INSERT INTO invites (token_hash, room, rev, creator, created_at, expires_at, uses_left) VALUES (?, ?, ?, ?, ?, ?, ?)",
      invite.token_hash, acting->room->key, acting->room->room.rev, acting->actor->key, invite.created_at, invite.expires_at,
      invite.uses_left);
  return {};
}

Result<> Appender::delete_invite(const RoomId& room, const UserId& actor, const std::string& token_hash) {
  const auto acting = find_acting(room, actor);
  if (!acting) return std::unexpected(acting.error());
  if (auto allowed = rules::may_add_members(acting->room->room.kind, acting->role); !allowed) return allowed;
  if (database_.run("DELETE FROM invites WHERE token_hash = ? AND room = ?", token_hash, acting->room->key) == 0) {
    return fail(Errc::not_found, std::string(rules::kInviteNotFound));
  }
  return {};
}

Result<ReadMarker> Appender::mark_read(const RoomId& room, const UserId& user, Seq seq) {
  const auto acting = find_acting(room, user);
  if (!acting) return std::unexpected(acting.error());
  CachedMember* member = cache_.find_member(acting->room->key, acting->actor->key);
  if (member == nullptr) return fail(Errc::not_member, std::string(rules::kRoomNotFound));
  const Seq reached = std::min(seq, acting->room->room.last_seq);
  if (reached <= member->read_seq) return ReadMarker{member->read_seq, false};
  cache_.mark_read(*acting->room, acting->actor->key, *member, reached);
  return ReadMarker{reached, true};
}

Result<> Appender::hide_direct(const RoomId& room, const UserId& user) {
  const auto acting = find_acting(room, user);
  if (!acting) return std::unexpected(acting.error());
  if (!acting->role || acting->room->room.kind != RoomKind::direct) {
    return fail(Errc::not_found, std::string(rules::kRoomNotFound));
  }
  database_.run("UPDATE members SET hidden_seq = ? WHERE room = ? AND user = ?", acting->room->room.last_seq, acting->room->key,
                acting->actor->key);
  return {};
}

}  // namespace payam::chat::sqlite
