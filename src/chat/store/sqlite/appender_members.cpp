// Who comes, who goes, and who rules.
#include <fmt/format.h>

#include "chat/store/sqlite/appender.hpp"
#include "chat/store/sqlite/uploads.hpp"

namespace payam::chat::sqlite {

int Appender::owners_of(const CachedRoom& room) {
  Statement row = database_.query("SELECT count(*) FROM members WHERE room = ? AND role = ?", room.key, Role::owner);
  row.step();
  return row.get<int>(0);
}

Result<Commit> Appender::apply(const AddMembers& add) {
  const auto acting = find_acting(add.room, add.actor);
  if (!acting) return std::unexpected(acting.error());
  CachedRoom& room = *acting->room;
  if (const auto allowed = rules::may_add_members(room.room.kind, acting->role); !allowed)
    return std::unexpected(allowed.error());
  auto people = find_people_for(acting->actor->key, add.emails);
  if (!people) return std::unexpected(std::move(people.error()));
  std::vector<Named> added;
  for (Person& person : *people) {
    if (!role_of(room, person.key)) added.push_back({std::move(person), Role::member});
  }
  if (!added.empty()) return add_members(room, *acting->actor, added, add.at);
  Commit nothing = unchanged(*acting, add.at, MembersAdded{});
  nothing.after = RoomState{room.room, read_members(database_, room.key)};
  return nothing;
}

Commit Appender::add_members(CachedRoom& room, const CachedUser& actor, const std::vector<Named>& added, Timestamp at) {
  Savepoint savepoint(database_);
  for (const Named& member : added) insert_member(room, member, room.room.last_seq, at);
  Commit commit;
  commit.entry = append(room, EntryKind::members_added, actor, at, {.named = added});
  commit.entry.body = MembersAdded{participants(std::span(added))};
  commit.after = state_after(room);
  savepoint.keep();
  cache_.advance(room);
  cache_.touch(room, at);
  return commit;
}

Result<Commit> Appender::apply(const RemoveMember& remove) {
  const auto acting = find_acting(remove.room, remove.actor);
  if (!acting) return std::unexpected(acting.error());
  CachedRoom& room = *acting->room;
  const CachedUser& actor = *acting->actor;
  const auto person = find_person(remove.email);
  rules::Removal removal{room.room.kind, acting->role, person ? role_of(room, person->key) : std::nullopt,
                         person && person->key == actor.key};
  if (removal.removed == Role::owner) removal.owners = owners_of(room);
  if (const auto allowed = rules::may_remove_member(removal); !allowed) return std::unexpected(allowed.error());
  return remove_member(room, actor, {*person, *removal.removed}, remove.at);
}

template <class Body>
Commit Appender::record_member(Savepoint& savepoint, CachedRoom& room, const CachedUser& actor, const Named& member,
                               EntryKind kind, Timestamp at) {
  Commit commit;
  const std::span named(&member, 1);
  commit.entry = append(room, kind, actor, at, {.named = named});
  commit.entry.body = Body{participants(named).front()};
  commit.after = state_after(room);
  savepoint.keep();
  cache_.forget_member(room.key, member.person.key);
  cache_.advance(room);
  return commit;
}

Commit Appender::remove_member(CachedRoom& room, const CachedUser& actor, const Named& removed, Timestamp at) {
  Savepoint savepoint(database_);
  database_.run("DELETE FROM members WHERE room = ? AND user = ?", room.key, removed.person.key);
  if (removed.person.key != actor.key) {
    database_.run("INSERT OR REPLACE INTO removals (room, user, rev) VALUES (?, ?, ?)", room.key, removed.person.key,
                  room.room.rev.next());
  }
  return record_member<MemberRemoved>(savepoint, room, actor, removed, EntryKind::member_removed, at);
}

Result<Commit> Appender::apply(const ChangeRole& change) {
  const auto acting = find_acting(change.room, change.actor);
  if (!acting) return std::unexpected(acting.error());
  CachedRoom& room = *acting->room;
  const auto person = find_person(change.email);
  rules::Appointment appointment{room.room.kind, acting->role, person ? role_of(room, person->key) : std::nullopt, change.role};
  if (appointment.member == Role::owner) appointment.owners = owners_of(room);
  if (const auto allowed = rules::may_change_role(appointment); !allowed) return std::unexpected(allowed.error());
  if (appointment.member != change.role) return set_role(room, *acting->actor, {*person, change.role}, change.at);
  Commit nothing = unchanged(*acting, change.at, RoleChanged{{person->id, person->email, change.role}});
  nothing.after = RoomState{room.room, read_members(database_, room.key)};
  return nothing;
}

Commit Appender::set_role(CachedRoom& room, const CachedUser& actor, const Named& member, Timestamp at) {
  Savepoint savepoint(database_);
  database_.run("UPDATE members SET role = ? WHERE room = ? AND user = ?", member.role, room.key, member.person.key);
  return record_member<RoleChanged>(savepoint, room, actor, member, EntryKind::role_changed, at);
}

Result<Commit> Appender::apply(const JoinByInvite& join) {
  const CachedUser* user = cache_.find_user(join.user);
  if (user == nullptr || !user->email) return fail(Errc::bad_request, "User not found");
  Statement row = database_.query(
      "SELECT r.id, i.rev, i.created_at, i.expires_at, i.uses_left FROM invites i CROSS JOIN rooms r ON r.key = i.room"
      " WHERE i.token_hash = ?",
      join.token_hash);
  if (!row.step()) return fail(Errc::not_found, std::string(rules::kInviteNotFound));
  const Invite invite{join.token_hash,
                      row.get<RoomId>(0),
                      {},
                      row.get<Timestamp>(2),
                      row.get<std::optional<Timestamp>>(3),
                      row.get<std::optional<int>>(4)};
  CachedRoom* room = cache_.find_room(invite.room);
  if (room == nullptr) return fail(Errc::not_found, std::string(rules::kInviteNotFound));
  if (role_of(*room, user->key)) {
    Commit nothing = unchanged({room, user, std::nullopt}, join.at, MembersAdded{});
    nothing.after = RoomState{room->room, read_members(database_, room->key)};
    return nothing;
  }
  std::optional<Rev> removed;
  if (Statement found = database_.query("SELECT rev FROM removals WHERE room = ? AND user = ?", room->key, user->key);
      found.step()) {
    removed = found.get<Rev>(0);
  }
  if (const auto allowed = rules::may_join(invite, join.at, removed, row.get<Rev>(1)); !allowed) {
    return std::unexpected(allowed.error());
  }
  Savepoint savepoint(database_);
  database_.run("UPDATE invites SET uses_left = uses_left - 1 WHERE token_hash = ? AND uses_left IS NOT NULL", join.token_hash);
  Commit commit = add_members(*room, *user, {{{user->key, user->id, *user->email}, Role::member}}, join.at);
  savepoint.keep();
  return commit;
}

bool Appender::erase_user(const UserId& id, Timestamp at, std::vector<Commit>& commits) {
  cache_.flush();
  const CachedUser* user = cache_.find_user(id);
  if (user == nullptr || !user->email) return false;
  const std::size_t commits_before = commits.size();
  try {
    Savepoint savepoint(database_);
    std::vector<RoomId> rooms;
    {
      Statement row = database_.query(
          "SELECT id FROM rooms WHERE key IN (SELECT room FROM log_members WHERE user = ?) AND deleted = 0 ORDER BY key",
          user->key);
      while (row.step()) rooms.push_back(row.get<RoomId>(0));
    }
    for (const RoomId& room : rooms) erase_from(*cache_.find_room(room), *user, at, commits);
    database_.run("DELETE FROM sessions WHERE user = ?", user->key);
    database_.run("DELETE FROM blocks WHERE user = ?", user->key);
    database_.run("DELETE FROM blocks WHERE blocked = ?", user->key);
    database_.run("DELETE FROM invites WHERE creator = ?", user->key);
    database_.run("DELETE FROM reactions WHERE user = ?", user->key);
    release_uploads_of(database_, user->key);
    database_.run(
        "UPDATE users SET email = NULL, username = NULL, username_key = NULL, full_name = NULL, full_name_key = NULL,"
        " password_hash = '', last_seen = NULL WHERE key = ?",
        user->key);
    savepoint.keep();
  } catch (...) {
    // The rooms that were told already have been advanced; what others changed was written above.
    cache_.forget();
    commits.resize(commits_before);
    throw;
  }
  cache_.forget_user(id);
  return true;
}

void Appender::erase_from(CachedRoom& room, const CachedUser& user, Timestamp at, std::vector<Commit>& commits) {
  const rules::MaybeRole role = role_of(room, user.key);
  std::vector<Person> others;
  std::vector<rules::Candidate> candidates;
  {
    Statement row = database_.query(
        "SELECT u.key, u.id, u.email, m.role, m.joined_at FROM members m CROSS JOIN users u ON u.key = m.user"
        " WHERE m.room = ? AND m.user <> ?",
        room.key, user.key);
    while (row.step()) {
      others.push_back({row.get<std::int64_t>(0), row.get<UserId>(1), row.get<std::string>(2)});
      candidates.push_back({row.get<Role>(3), row.get<Timestamp>(4)});
    }
  }
  if (others.empty()) {
    commits.push_back(delete_room(room, user, at));
    return;
  }
  if (role == Role::owner && owners_of(room) == 1) {
    const std::size_t next = rules::successor(candidates).value();
    commits.push_back(set_role(room, user, {others[next], Role::owner}, at));
  }
  Savepoint savepoint(database_);
  database_.run("DELETE FROM members WHERE room = ? AND user = ?", room.key, user.key);
  const Named erased{{user.key, user.id, *user.email}, role.value_or(Role::member)};
  commits.push_back(record_member<AccountErased>(savepoint, room, user, erased, EntryKind::account_erased, at));
}

}  // namespace payam::chat::sqlite
