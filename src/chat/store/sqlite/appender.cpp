#include "chat/store/sqlite/appender.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <type_traits>
#include <unordered_set>

namespace payam::chat::sqlite {
namespace {

std::unexpected<Error> room_not_found() { return fail(Errc::not_found, std::string(rules::kRoomNotFound)); }

std::unexpected<Error> id_is_taken() { return fail(Errc::conflict, "The id is taken"); }

template <class T>
constexpr bool is_about_a_message =
    std::is_same_v<T, SendMessage> || std::is_same_v<T, EditMessage> || std::is_same_v<T, DeleteMessage> ||
    std::is_same_v<T, React> || std::is_same_v<T, PinMessage>;

}  // namespace

Result<Commit> Appender::apply(const Change& change) {
  return std::visit(
      [this]<class T>(const T& kind) {
        // The others read the rooms' and members' rows. This stands before the change's own savepoint, so that undoing the one
        // leaves the other.
        if constexpr (!is_about_a_message<T>) cache_.flush();
        return apply(kind);
      },
      change);
}

Result<Commit> Appender::apply_unless_it_adds(const Change& change) {
  if (!rules::adds(change)) return apply(change);
  cache_.flush();  // what is forgotten below is this change alone
  Savepoint savepoint(database_);
  auto result = apply(change);
  if (!result || result->repeated) {
    cache_.flush();
    savepoint.keep();
    return result;
  }
  cache_.forget();
  return fail(Errc::out_of_storage, std::string(rules::kNoSpace));
}

Result<Appender::Acting> Appender::find_acting(const RoomId& id, const UserId& actor) {
  Acting acting{cache_.find_room(id), cache_.find_user(actor), std::nullopt};
  if (acting.room == nullptr || acting.actor == nullptr) return room_not_found();
  acting.role = role_of(*acting.room, acting.actor->key);
  return acting;
}

rules::MaybeRole Appender::role_of(const CachedRoom& room, std::int64_t user) {
  const CachedMember* member = cache_.find_member(room.key, user);
  return member != nullptr ? std::optional(member->role) : std::nullopt;
}

std::optional<Appender::Person> Appender::find_person(const std::string& email) {
  Statement row = database_.query("SELECT key, id FROM users WHERE email = ?", email);
  if (!row.step()) return std::nullopt;
  return Person{row.get<std::int64_t>(0), row.get<UserId>(1), email};
}

bool Appender::is_blocked(std::int64_t user, std::int64_t by) {
  return database_.query("SELECT 1 FROM blocks WHERE user = ? AND blocked = ?", by, user).step();
}

Result<std::vector<Appender::Person>> Appender::find_people_for(std::int64_t actor, const std::vector<std::string>& emails) {
  std::vector<Person> people;
  std::unordered_set<std::int64_t> seen;
  for (const std::string& email : emails) {
    auto person = find_person(email);
    if (!person) return fail(Errc::bad_request, fmt::format("User not found: {}", email));
    if (is_blocked(actor, person->key)) return fail(Errc::forbidden, fmt::format("{} does not want to be added by you", email));
    if (seen.insert(person->key).second) people.push_back(std::move(*person));
  }
  return people;
}

Result<Commit> Appender::apply(const CreateRoom& create) {
  const CachedUser* creator = cache_.find_user(create.creator);
  if (creator == nullptr || !creator->email) return fail(Errc::bad_request, "User not found");
  if (database_.query("SELECT 1 FROM rooms WHERE id = ?", create.id).step()) {
    if (cache_.find_room(create.id) == nullptr) return id_is_taken();  // by one that is deleted
    Commit first = first_entry(create.id);
    if (first.entry.actor != create.creator) return id_is_taken();
    return first;
  }
  auto people = find_people_for(creator->key, create.member_emails);
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
        database_.query("SELECT key, id FROM rooms WHERE kind = 1 AND low_user = ? AND high_user = ?", pair.first, pair.second);
    if (row.step()) {
      database_.run("UPDATE members SET hidden_seq = NULL WHERE room = ? AND user = ?", row.get<std::int64_t>(0), from->key);
      return first_entry(row.get<RoomId>(1));
    }
  }
  if (is_blocked(from->key, to->key)) {
    return fail(Errc::forbidden, fmt::format("{} does not want private chats with you", open.to_email));
  }
  if (database_.query("SELECT 1 FROM rooms WHERE id = ?", open.id).step()) return id_is_taken();
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
  const CachedRoom created{database_.last_insert_key(), room, room.created_at};
  for (const Named& member : members) insert_member(created, member, Seq{0}, room.created_at);
  Commit commit;
  // That it has a name tells a group's first entry from a direct room's.
  const auto name = room.kind == RoomKind::group ? std::optional<std::string_view>(room.name) : std::nullopt;
  commit.entry = append(created, EntryKind::room_created, creator, room.created_at, {.name = name, .named = members});
  commit.entry.body = RoomCreated{room.kind, room.name, participants(std::span(members))};
  commit.after = state_after(created);
  savepoint.keep();
  return commit;
}

Commit Appender::first_entry(const RoomId& id) {
  const CachedRoom& room = *cache_.find_room(id);
  LogCursor log(database_, {room.key, id}, Rev{0});
  log.next();
  return {log.entry(), true, RoomState{room.room, read_members(database_, room.key)}};
}

void Appender::insert_member(const CachedRoom& room, const Named& member, Seq read_seq, Timestamp at) {
  database_.run("INSERT INTO members (room, user, role, read_seq, joined_at) VALUES (?, ?, ?, ?, ?)", room.key,
                member.person.key, member.role, read_seq, at);
}

Commit Appender::unchanged(const Acting& acting, Timestamp at, EntryBody body) {
  const Room& room = acting.room->room;
  return {{room.id, room.rev, at, acting.actor->id, acting.actor->email, std::move(body)}, true, std::nullopt};
}

Entry Appender::append(const CachedRoom& room, EntryKind kind, const CachedUser& actor, Timestamp at, const Details& details) {
  const Rev rev = room.room.rev.next();
  database_.run("INSERT INTO log (room, rev, kind, seq, at, actor, subject, name, topic) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                room.key, rev, kind, room.room.last_seq, at, actor.key, details.subject, details.name, details.topic);
  int position = 0;
  for (const Named& one : details.named) {
    database_.run("INSERT INTO log_members (room, rev, position, user, role) VALUES (?, ?, ?, ?, ?)", room.key, rev, position++,
                  one.person.key, one.role);
  }
  return {room.room.id, rev, at, actor.id, actor.email, {}};
}

std::vector<Participant> Appender::participants(std::span<const Named> named) {
  std::vector<Participant> result;
  for (const auto& [person, role] : named) result.push_back({person.id, person.email, role});
  return result;
}

RoomState Appender::state_after(const CachedRoom& room) {
  RoomState state{room.room, read_members(database_, room.key)};
  state.room.rev = state.room.rev.next();
  return state;
}

}  // namespace payam::chat::sqlite
