#include "chat/store/sqlite/appender.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "chat/rules.hpp"

namespace payam::chat::sqlite {
namespace {

std::unexpected<Error> room_not_found() { return fail(Errc::not_found, std::string(rules::kRoomNotFound)); }

std::unexpected<Error> id_is_taken() { return fail(Errc::conflict, "The id is taken"); }

std::vector<Participant> participants(const auto& named) {
  std::vector<Participant> result;
  for (const auto& [person, role] : named) result.push_back({person.id, person.email, role});
  return result;
}

}  // namespace

Result<Commit> Appender::apply(const Change& change) {
  // All but messages read the rooms' and members' rows; this stands before the change's own savepoint, so that undoing the one
  // leaves the other.
  if (!std::holds_alternative<SendMessage>(change)) cache_.flush();
  return std::visit([this](const auto& kind) { return apply(kind); }, change);
}

std::optional<Appender::Person> Appender::find_person(const std::string& email) {
  Statement row = database_.query("SELECT key, id FROM users WHERE email = ?", email);
  if (!row.step()) return std::nullopt;
  return Person{row.get<std::int64_t>(0), row.get<UserId>(1), email};
}

Result<std::vector<Appender::Person>> Appender::find_people(const std::vector<std::string>& emails) {
  std::vector<Person> people;
  std::unordered_set<std::int64_t> seen;
  for (const std::string& email : emails) {
    auto person = find_person(email);
    if (!person) return fail(Errc::bad_request, fmt::format("User not found: {}", email));
    if (seen.insert(person->key).second) people.push_back(std::move(*person));
  }
  return people;
}

Result<Commit> Appender::apply(const CreateRoom& create) {
  const CachedUser* creator = cache_.find_user(create.creator);
  if (creator == nullptr || !creator->email) return fail(Errc::bad_request, "User not found");
  if (cache_.find_room(create.id) != nullptr) {
    Commit first = first_entry(create.id);
    if (first.entry.actor != create.creator) return id_is_taken();
    return first;
  }
  auto people = find_people(create.member_emails);
  if (!people) return std::unexpected(std::move(people.error()));
  std::vector<Named> members{{{creator->key, creator->id, *creator->email}, Role::owner}};
  for (Person& person : *people) {
    if (person.key != creator->key) members.push_back({std::move(person), Role::member});
  }
  return create_room({create.id, RoomKind::group, create.name, {}, create.at, {}, {}}, *creator, members, std::nullopt);
}

Result<Commit> Appender::apply(const OpenDirect& open) {
  const CachedUser* from = cache_.find_user(open.from);
  if (from == nullptr || !from->email) return fail(Errc::bad_request, "User not found");
  auto to = find_person(open.to_email);
  if (!to) return fail(Errc::bad_request, fmt::format("User not found: {}", open.to_email));
  if (to->key == from->key) return fail(Errc::bad_request, "A private chat needs someone else");
  const auto pair = std::minmax({from->key, to->key});
  {
    Statement row =
        database_.query("SELECT id FROM rooms WHERE kind = 1 AND low_user = ? AND high_user = ?", pair.first, pair.second);
    if (row.step()) return first_entry(row.get<RoomId>(0));
  }
  if (cache_.find_room(open.id) != nullptr) return id_is_taken();
  const std::vector<Named> members{{{from->key, from->id, *from->email}, Role::member}, {std::move(*to), Role::member}};
  return create_room({open.id, RoomKind::direct, {}, {}, open.at, {}, {}}, *from, members, pair);
}

Commit Appender::create_room(const Room& room, const CachedUser& creator, const std::vector<Named>& members,
                             std::optional<std::pair<std::int64_t, std::int64_t>> pair) {
  Savepoint savepoint(database_);
  database_.run(
      "INSERT INTO rooms (id, kind, name, created_at, active_at, last_seq, rev, low_user, high_user) VALUES (?, ?, ?, ?, ?, 0, "
      "1, ?, ?)",
      room.id, room.kind, room.name, room.created_at, room.created_at, pair ? std::optional(pair->first) : std::nullopt,
      pair ? std::optional(pair->second) : std::nullopt);
  CachedRoom created{database_.last_insert_key(), room, room.created_at};
  for (const Named& member : members) insert_member(created, member, Seq{0}, room.created_at);
  Commit commit;
  commit.entry = append(created, EntryKind::room_created, creator, room.created_at,
                        room.kind == RoomKind::group ? std::optional<std::string_view>(room.name) : std::nullopt, members);
  commit.entry.body = RoomCreated{room.kind, room.name, participants(members)};
  commit.after = state_of(created);
  commit.after->room.rev = commit.entry.rev;
  savepoint.keep();
  return commit;
}

Commit Appender::first_entry(const RoomId& id) {
  const CachedRoom& room = *cache_.find_room(id);
  LogCursor log(database_, {room.key, id}, Rev{0});
  log.next();
  Commit commit;
  commit.entry = log.entry();
  commit.repeated = true;
  commit.after = state_of(room);
  return commit;
}

Result<Commit> Appender::apply(const AddMembers& add) {
  CachedRoom* room = cache_.find_room(add.room);
  const CachedUser* actor = cache_.find_user(add.actor);
  if (room == nullptr || actor == nullptr) return room_not_found();
  const CachedMember* acting = cache_.find_member(room->key, actor->key);
  const auto allowed = rules::may_add_members(room->room.kind, acting != nullptr ? std::optional(acting->role) : std::nullopt);
  if (!allowed) return std::unexpected(allowed.error());
  auto people = find_people(add.emails);
  if (!people) return std::unexpected(std::move(people.error()));
  std::vector<Named> added;
  for (Person& person : *people) {
    if (cache_.find_member(room->key, person.key) == nullptr) added.push_back({std::move(person), Role::member});
  }
  Commit commit;
  if (added.empty()) {
    commit.entry = {add.room, room->room.rev, add.at, actor->id, actor->email, MembersAdded{}};
    commit.repeated = true;
    commit.after = state_of(*room);
    return commit;
  }
  Savepoint savepoint(database_);
  for (const Named& member : added) insert_member(*room, member, room->room.last_seq, add.at);
  commit.entry = append(*room, EntryKind::members_added, *actor, add.at, std::nullopt, added);
  commit.entry.body = MembersAdded{participants(added)};
  commit.after = state_of(*room);
  commit.after->room.rev = commit.entry.rev;
  savepoint.keep();
  cache_.advance(*room, add.at);
  return commit;
}

Result<Commit> Appender::apply(const RemoveMember& remove) {
  CachedRoom* room = cache_.find_room(remove.room);
  const CachedUser* actor = cache_.find_user(remove.actor);
  if (room == nullptr || actor == nullptr) return room_not_found();
  const auto role_of = [&](std::int64_t user) -> rules::MaybeRole {
    const CachedMember* member = cache_.find_member(room->key, user);
    return member != nullptr ? std::optional(member->role) : std::nullopt;
  };
  const auto person = find_person(remove.email);
  rules::Removal removal{room->room.kind, role_of(actor->key), person ? role_of(person->key) : std::nullopt,
                         person && person->key == actor->key};
  if (removal.removed == Role::owner) {
    Statement row = database_.query("SELECT count(*) FROM members WHERE room = ? AND role = ?", room->key, Role::owner);
    row.step();
    removal.owners = row.get<int>(0);
  }
  if (const auto allowed = rules::may_remove_member(removal); !allowed) return std::unexpected(allowed.error());

  const std::vector<Named> removed{{*person, *removal.removed}};
  Savepoint savepoint(database_);
  database_.run("DELETE FROM members WHERE room = ? AND user = ?", room->key, person->key);
  Commit commit;
  commit.entry = append(*room, EntryKind::member_removed, *actor, remove.at, std::nullopt, removed);
  commit.entry.body = MemberRemoved{participants(removed).front()};
  commit.after = state_of(*room);
  commit.after->room.rev = commit.entry.rev;
  savepoint.keep();
  cache_.forget_member(room->key, person->key);
  cache_.advance(*room, remove.at);
  return commit;
}

void Appender::insert_member(const CachedRoom& room, const Named& member, Seq read_seq, Timestamp at) {
  database_.run("INSERT INTO members (room, user, role, read_seq, joined_at) VALUES (?, ?, ?, ?, ?)", room.key,
                member.person.key, member.role, read_seq, at);
}

Entry Appender::append(const CachedRoom& room, EntryKind kind, const CachedUser& actor, Timestamp at,
                       std::optional<std::string_view> name, const std::vector<Named>& named) {
  const Rev rev = room.room.rev.next();
  database_.run("INSERT INTO log (room, rev, kind, seq, at, actor, name) VALUES (?, ?, ?, ?, ?, ?, ?)", room.key, rev, kind,
                room.room.last_seq, at, actor.key, name);
  int position = 0;
  for (const Named& one : named) {
    database_.run("INSERT INTO log_members (room, rev, position, user, role) VALUES (?, ?, ?, ?, ?)", room.key, rev, position++,
                  one.person.key, one.role);
  }
  return {room.room.id, rev, at, actor.id, actor.email, {}};
}

RoomState Appender::state_of(const CachedRoom& room) { return {room.room, read_members(database_, room.key)}; }

}  // namespace payam::chat::sqlite
