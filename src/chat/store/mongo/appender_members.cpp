// Who comes, who goes, and who rules; a room's name and its end.
#include <algorithm>

#include "chat/store/mongo/appender.hpp"

namespace payam::chat::mongo {

Result<Planned> Appender::plan(const AddMembers& add) {
  const auto acting = find_acting(add.actor);
  if (!acting) return std::unexpected(acting.error());
  if (const auto allowed = rules::may_add_members(state_.room.kind, acting->role); !allowed) {
    return std::unexpected(allowed.error());
  }
  auto people = find_people_for(acting->user, add.emails);
  if (!people) return std::unexpected(std::move(people.error()));
  std::erase_if(*people, [this](const People::Person& person) { return role_of(person.id).has_value(); });
  if (people->empty()) return unchanged(*acting, add.at, MembersAdded{}, state_now());
  return add_members(*acting, *people, add.at);
}

Planned Appender::add_members(const Acting& actor, const std::vector<People::Person>& people, Timestamp at) {
  StoredEntry stored = new_entry(EntryKind::members_added, actor.user, at);
  stored.active_at = std::max(stored.active_at, at);
  RoomState after = state_after();
  MembersAdded added;
  for (const People::Person& person : people) {
    stored.named.emplace_back(person.id, Role::member);
    added.members.push_back({person.id, person.email, Role::member});
    after.members.push_back({person.id, person.email, person.username, Role::member, state_.room.last_seq});
  }
  std::ranges::sort(after.members, {}, &Member::email);
  Entry entry{state_.room.id, stored.rev, at, actor.user, actor.email, std::move(added)};
  return planned(stored, std::move(entry), std::move(after));
}

Result<Planned> Appender::plan(const RemoveMember& remove) {
  const auto acting = find_acting(remove.actor);
  if (!acting) return std::unexpected(acting.error());
  const auto person = find_person(remove.email);
  rules::Removal removal{state_.room.kind, acting->role, person ? role_of(person->id) : std::nullopt,
                         person && person->id == acting->user};
  if (removal.removed == Role::owner) removal.owners = owners();
  if (const auto allowed = rules::may_remove_member(removal); !allowed) return std::unexpected(allowed.error());
  return end_membership(EntryKind::member_removed, *acting, {person->id, person->email, *removal.removed}, remove.at);
}

Planned Appender::end_membership(EntryKind kind, const Acting& actor, Participant who, Timestamp at) {
  StoredEntry stored = new_entry(kind, actor.user, at);
  stored.named.emplace_back(who.user, who.role);
  RoomState after = state_after();
  std::erase_if(after.members, [&](const Member& member) { return member.user == who.user; });
  Entry entry{state_.room.id, stored.rev, at, actor.user, actor.email, {}};
  if (kind == EntryKind::account_erased) {
    entry.body = AccountErased{std::move(who)};
  } else {
    entry.body = MemberRemoved{std::move(who)};
  }
  return planned(stored, std::move(entry), std::move(after));
}

Result<Planned> Appender::plan(const ChangeRole& change) {
  const auto acting = find_acting(change.actor);
  if (!acting) return std::unexpected(acting.error());
  const auto person = find_person(change.email);
  rules::Appointment appointment{state_.room.kind, acting->role, person ? role_of(person->id) : std::nullopt, change.role};
  if (appointment.member == Role::owner) appointment.owners = owners();
  if (const auto allowed = rules::may_change_role(appointment); !allowed) return std::unexpected(allowed.error());
  if (appointment.member != change.role) return set_role(*acting, *person, change.role, change.at);
  return unchanged(*acting, change.at, RoleChanged{{person->id, person->email, change.role}}, state_now());
}

Planned Appender::set_role(const Acting& actor, const People::Person& person, Role role, Timestamp at) {
  StoredEntry stored = new_entry(EntryKind::role_changed, actor.user, at);
  stored.named.emplace_back(person.id, role);
  RoomState after = state_after();
  for (Member& member : after.members) {
    if (member.user == person.id) member.role = role;
  }
  Entry entry{state_.room.id, stored.rev, at, actor.user, actor.email, RoleChanged{{person.id, person.email, role}}};
  return planned(stored, std::move(entry), std::move(after));
}

Result<Planned> Appender::plan(const JoinByInvite& join) {
  const auto not_found = [] { return fail(Errc::not_found, std::string(rules::kInviteNotFound)); };
  const auto user = find_person(join.user);
  if (!user) return fail(Errc::bad_request, "User not found");
  const auto document = connection_.find_one(kInvites, doc("_id", join.token_hash));
  if (!document || !state_.exists() || state_.deleted) return not_found();
  const View view = *document;
  const Acting acting{user->id, user->email, std::nullopt};
  const auto member = find_member(connection_, state_.room.id, user->id);
  if (member && member->active) return unchanged(acting, join.at, MembersAdded{}, state_now());
  Invite invite{join.token_hash,
                state_.room.id,
                {},
                view.get<Timestamp>("created_at"),
                view.get<std::optional<Timestamp>>("expires_at"),
                view.get<std::optional<int>>("uses_left")};
  if (attempt_->invite_taken && invite.uses_left) ++*invite.uses_left;
  const auto removed = member ? member->removed_rev : std::nullopt;
  if (const auto allowed = rules::may_join(invite, join.at, removed, view.get<Rev>("rev")); !allowed) {
    return std::unexpected(allowed.error());
  }
  if (invite.uses_left && !attempt_->invite_taken) {
    const auto taken = connection_.update(kInvites, doc("_id", join.token_hash, "uses_left", doc("$gt", 0)),
                                          doc("$inc", doc("uses_left", -1)));
    if (taken == 0) return plan(join);  // someone was quicker: it is used up or gone
    attempt_->invite_taken = true;
  }
  return add_members(acting, {*user}, join.at);
}

Result<Planned> Appender::plan(const UpdateRoom& update) {
  const auto acting = find_acting(update.actor);
  if (!acting) return std::unexpected(acting.error());
  if (const auto allowed = rules::may_update_room(state_.room.kind, acting->role); !allowed) {
    return std::unexpected(allowed.error());
  }
  Room updated = state_.room;
  if (update.name) updated.name = *update.name;
  if (update.topic) updated.topic = *update.topic;
  if (updated == state_.room) return unchanged(*acting, update.at, RoomUpdated{updated.name, updated.topic}, state_now());
  StoredEntry stored = new_entry(EntryKind::room_updated, acting->user, update.at);
  stored.name = updated.name;
  stored.topic = updated.topic;
  RoomState after = state_after();
  after.room.name = updated.name;
  after.room.topic = updated.topic;
  Entry entry{state_.room.id, stored.rev, update.at, acting->user, acting->email, RoomUpdated{updated.name, updated.topic}};
  return planned(stored, std::move(entry), std::move(after));
}

Result<Planned> Appender::plan(const DeleteRoom& deletion) {
  const auto acting = find_acting(deletion.actor);
  if (!acting) return std::unexpected(acting.error());
  if (const auto allowed = rules::may_delete_room(state_.room.kind, acting->role); !allowed) {
    return std::unexpected(allowed.error());
  }
  return delete_room(*acting, deletion.at);
}

Planned Appender::delete_room(const Acting& actor, Timestamp at) {
  const StoredEntry stored = new_entry(EntryKind::room_deleted, actor.user, at);
  RoomState after = state_after();
  Entry entry{state_.room.id, stored.rev, at, actor.user, actor.email, RoomDeleted{}};
  return planned(stored, std::move(entry), std::move(after));
}

Result<Planned> Appender::plan(const Depart& depart) {
  const auto acting = find_acting(depart.user);
  const auto member = acting ? find_member(connection_, state_.room.id, depart.user) : std::nullopt;
  if (!member || (member->erased && !member->active)) return Planned{std::nullopt, {{}, true, {}}};
  Participant who{depart.user, acting->email, acting->role.value_or(Role::member)};
  if (!acting->role) return end_membership(EntryKind::account_erased, *acting, std::move(who), depart.at);
  std::vector<People::Person> others;
  std::vector<rules::Candidate> candidates;
  std::vector<StoredMember> stored;
  People people;
  for (const Document& each : connection_.find(kMembers, doc("room", state_.room.id, "active", true)).all()) {
    stored.push_back(member_from(each));
    people.want(stored.back().user);
  }
  people.load(connection_);
  for (const StoredMember& each : stored) {
    const auto* other = people.find(each.user);
    if (other == nullptr || each.user == depart.user) continue;
    others.push_back(*other);
    candidates.push_back({each.role, each.joined_at});
  }
  if (others.empty()) return delete_room(*acting, depart.at);
  if (acting->role == Role::owner && owners() == 1) {
    const std::size_t next = rules::successor(candidates).value();
    return set_role(*acting, others[next], Role::owner, depart.at);
  }
  return end_membership(EntryKind::account_erased, *acting, std::move(who), depart.at);
}

}  // namespace payam::chat::mongo
