#include "chat/store/mongo/appender.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "base/salted_hash.hpp"

namespace payam::chat::mongo {
namespace {

std::unexpected<Error> room_not_found() { return fail(Errc::not_found, std::string(rules::kRoomNotFound)); }

std::unexpected<Error> id_is_taken() { return fail(Errc::conflict, "The id is taken"); }

std::optional<People::Person> person_from(const std::optional<Document>& user) {
  if (!user || user->view().has("erased")) return std::nullopt;
  const View view = *user;
  return People::Person{view.get<UserId>("_id"), view.get<std::string>("email"), view.get<std::string>("username")};
}

}  // namespace

Result<Planned> Appender::plan(const Work& work, Attempt& attempt, Next& next) {
  attempt_ = &attempt;
  next_ = &next;
  if (const auto* depart = std::get_if<Depart>(&work)) return plan(*depart);
  return std::visit([this](const auto& change) { return plan(change); }, std::get<Change>(work));
}

void Appender::release(const Work& work, Attempt& attempt) {
  const Change* change = std::get_if<Change>(&work);
  if (change == nullptr) return;
  if (const auto* send = std::get_if<SendMessage>(change)) {
    const bool may_have_claimed = !send->attachments.empty() || !rules::find_media_links(send->content).empty();
    if (!may_have_claimed || connection_.find_one(kLog, doc("id", send->id))) return;
    release_uploads(connection_, send->id, {}, Uses::all_but_these);
  } else if (const auto* join = std::get_if<JoinByInvite>(change); join != nullptr && attempt.invite_taken) {
    connection_.update(kInvites, doc("_id", join->token_hash), doc("$inc", doc("uses_left", 1)));
    attempt.invite_taken = false;
  }
}

Result<Appender::Acting> Appender::find_acting(const UserId& actor) {
  if (!state_.exists() || state_.deleted) return room_not_found();
  const auto user = connection_.find_one(kUsers, doc("_id", actor));
  if (!user) return room_not_found();
  const auto person = person_from(user);
  return Acting{actor, person ? std::optional(person->email) : std::nullopt, role_of(actor)};
}

rules::MaybeRole Appender::role_of(const UserId& user) {
  const auto member = find_member(connection_, state_.room.id, user);
  return member && member->active ? std::optional(member->role) : std::nullopt;
}

int Appender::owners() {
  return static_cast<int>(connection_.count(kMembers, doc("room", state_.room.id, "active", true, "role", Role::owner)));
}

std::optional<People::Person> Appender::find_person(const std::string& email) {
  return person_from(connection_.find_one(kUsers, doc("email", email)));
}

std::optional<People::Person> Appender::find_person(const UserId& user) {
  return person_from(connection_.find_one(kUsers, doc("_id", user)));
}

bool Appender::is_blocked(const UserId& user, const UserId& by) {
  return connection_.find_one(kBlocks, doc("_id", by.str() + "/" + user.str())).has_value();
}

Result<std::vector<People::Person>> Appender::find_people_for(const UserId& actor, const std::vector<std::string>& emails) {
  std::unordered_map<std::string, People::Person, SaltedHash> by_email;
  std::unordered_set<std::string> blocked_by;
  if (!emails.empty()) {
    std::vector<std::string> blocks;
    for (const Document& user : connection_.find(kUsers, doc("email", doc("$in", list(emails)))).all()) {
      auto person = person_from(std::optional(user.copy()));
      if (!person) continue;
      blocks.push_back(person->id.str() + "/" + actor.str());
      const std::string email = person->email;
      by_email.emplace(email, *std::move(person));
    }
    for (const Document& block : connection_.find(kBlocks, doc("_id", doc("$in", list(blocks)))).all()) {
      blocked_by.insert(block.view().get<std::string>("user"));
    }
  }
  std::vector<People::Person> people;
  std::unordered_set<UserId> seen;
  for (const std::string& email : emails) {
    const auto person = by_email.find(email);
    if (person == by_email.end()) return fail(Errc::bad_request, fmt::format("User not found: {}", email));
    if (blocked_by.contains(person->second.id.str())) {
      return fail(Errc::forbidden, fmt::format("{} does not want to be added by you", email));
    }
    if (seen.insert(person->second.id).second) people.push_back(person->second);
  }
  return people;
}

StoredEntry Appender::new_entry(EntryKind kind, const UserId& actor, Timestamp at) const {
  StoredEntry entry;
  entry.room = state_.room.id;
  entry.rev = next_->rev;
  entry.key = entry_key(entry.room, entry.rev);
  entry.id = attempt_->id;
  entry.kind = kind;
  entry.at = at;
  entry.actor = actor;
  entry.last_seq = next_->last_seq;
  entry.active_at = next_->active_at;
  return entry;
}

Planned Appender::planned(const StoredEntry& stored, Entry entry, std::optional<RoomState> after) {
  next_->rev = stored.rev.next();
  next_->active_at = stored.active_at;
  return {entry_document(stored, std::nullopt), {std::move(entry), false, std::move(after)}};
}

Planned Appender::unchanged(const Acting& acting, Timestamp at, EntryBody body, std::optional<RoomState> after) {
  return {std::nullopt,
          {{state_.room.id, state_.room.rev, at, acting.user, acting.email, std::move(body)}, true, std::move(after)}};
}

RoomState Appender::state_now() { return {state_.room, read_members(connection_, state_)}; }

RoomState Appender::state_after() {
  RoomState state = state_now();
  state.room.rev = next_->rev;
  return state;
}

Result<Planned> Appender::plan(const CreateRoom& create) {
  const auto creator = find_person(create.creator);
  if (!creator) return fail(Errc::bad_request, "User not found");
  if (state_.exists()) {
    if (state_.deleted) return id_is_taken();
    Planned first = first_entry(create.id);
    if (first.commit.entry.actor != create.creator) return id_is_taken();
    return first;
  }
  auto people = find_people_for(creator->id, create.member_emails);
  if (!people) return std::unexpected(std::move(people.error()));
  std::vector<Named> members{{*creator, Role::owner}};
  for (People::Person& person : *people) {
    if (person.id != creator->id) members.push_back({std::move(person), Role::member});
  }
  return create_room({create.id, RoomKind::group, create.name, {}, create.at, {}, {}}, *creator, std::move(members),
                     std::nullopt);
}

Result<Planned> Appender::plan(const OpenDirect& open) {
  const auto from = find_person(open.from);
  if (!from) return fail(Errc::bad_request, "User not found");
  auto to = find_person(open.to_email);
  if (!to) return fail(Errc::bad_request, fmt::format("User not found: {}", open.to_email));
  if (to->id == from->id) return fail(Errc::bad_request, "A private chat needs someone else");
  const std::string pair = pair_key(from->id, to->id);
  if (const auto first = connection_.find_one(kLog, doc("client", pair))) {
    const auto room = first->view().get<RoomId>("room");
    Planned answer = first_entry(room);
    connection_.update(kMembers, doc("_id", member_key(room, from->id)), doc("$unset", doc("hidden_seq", "")));
    return answer;
  }
  if (is_blocked(from->id, to->id)) {
    return fail(Errc::forbidden, fmt::format("{} does not want private chats with you", open.to_email));
  }
  if (state_.exists()) return id_is_taken();
  std::vector<Named> members{{*from, Role::member}, {*std::move(to), Role::member}};
  return create_room({open.id, RoomKind::direct, {}, {}, open.at, {}, {}}, *from, std::move(members), pair);
}

Planned Appender::create_room(const Room& room, const People::Person& creator, std::vector<Named> members,
                              std::optional<std::string> pair) {
  StoredEntry stored = new_entry(EntryKind::room_created, creator.id, room.created_at);
  stored.room_kind = room.kind;
  stored.name = room.name;
  stored.active_at = room.created_at;
  stored.client = std::move(pair);
  RoomState after{room, {}};
  after.room.rev = stored.rev;
  RoomCreated created{room.kind, room.name, {}};
  for (const auto& [person, role] : members) {
    stored.named.emplace_back(person.id, role);
    created.members.push_back({person.id, person.email, role});
    after.members.push_back({person.id, person.email, person.username, role, Seq{0}});
  }
  std::ranges::sort(after.members, {}, &Member::email);
  Entry entry{room.id, stored.rev, room.created_at, creator.id, creator.email, std::move(created)};
  return planned(stored, std::move(entry), std::move(after));
}

// Of a room that is there, or is by now: whoever made it may not have come further than its first entry.
Planned Appender::first_entry(const RoomId& room) {
  const auto document = connection_.find_one(kLog, doc("_id", entry_key(room, Rev{1})));
  if (!document) throw Outage("database: a room's first entry is gone");
  auto state = current_room(connection_, room);
  if (!state) {
    apply(connection_, *document);
    state = current_room(connection_, room);
  }
  const StoredEntry stored = stored_entry(*document);
  People people;
  want_people(stored, people);
  people.load(connection_);
  Planned answer{std::nullopt, {finish(stored, people), true, std::nullopt}};
  if (state) answer.commit.after = RoomState{state->room, read_members(connection_, *state)};
  return answer;
}

}  // namespace payam::chat::mongo
