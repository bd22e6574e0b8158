#include "chat/store/mongo/room_log.hpp"

#include <algorithm>

namespace payam::chat::mongo {
namespace {

// Keys asked for at a time: a tail is mostly empty or short, and after a crash long.
constexpr std::int64_t kFirstStep = 4;
constexpr std::int64_t kLongestStep = 512;
constexpr std::size_t kLongTail = 64;  // entries; a longer one is worth a checkpoint

FindOptions without_text() {
  FindOptions options;
  options.projection = doc("content", 0, "attachments", 0, "reactions", 0, "mentions", 0, "links", 0);
  return options;
}

bool is_message(View entry) { return entry.get<EntryKind>("kind") == EntryKind::message; }

// Takes in the entries of a tail; true if some had to be applied.
bool take_in(Connection& connection, LogState& state, const std::vector<Document>& tail) {
  bool applied = false;
  for (const Document& entry : tail) {
    if (!is_message(entry)) {
      apply(connection, entry);
      applied = true;
    }
    fold(state, stored_entry(entry));
  }
  return applied;
}

void apply_members_added(Connection& connection, const StoredEntry& entry) {
  std::vector<Document> fresh;
  std::vector<Update> returning;
  for (const auto& [user, role] : entry.named) {
    const Document state =
        doc("active", true, "role", role, "rev", entry.rev, "joined_at", entry.at, "read_seq", entry.last_seq);
    const std::string key = member_key(entry.room, user);
    fresh.push_back(doc("_id", key, "room", entry.room, "user", user));
    fresh.back().add_all(state);
    returning.push_back({doc("_id", key, "rev", doc("$lt", entry.rev)), doc("$set", state, "$unset", doc("hidden_seq", ""))});
  }
  connection.insert_missing(kMembers, fresh);
  connection.update(kMembers, returning);
}

void apply_room_created(Connection& connection, const StoredEntry& entry) {
  apply_members_added(connection, entry);
  // Last, as it is what makes the room be there.
  connection.insert(kRooms, doc("_id", entry.room, "kind", entry.room_kind, "name", entry.name, "topic", "", "created_at",
                                entry.at, "about_rev", entry.rev, "rev", entry.rev, "last_seq", Seq{0}, "active_at", entry.at));
}

void apply_to_member(Connection& connection, const StoredEntry& entry, Document state) {
  const UserId& user = entry.named.at(0).first;
  state.add("rev", entry.rev);
  connection.update(kMembers, doc("_id", member_key(entry.room, user), "rev", doc("$lt", entry.rev)), doc("$set", state));
}

// The text is taken from the entry when it is in the message, so that what is deleted later is nowhere.
void apply_message_updated(Connection& connection, const StoredEntry& entry, View document) {
  const auto after = document.get<std::optional<View>>("after");
  if (!after) return;  // done
  if (after->get<bool>("pinned"))
    connection.insert(kPins, doc("_id", place_key(entry.room, entry.subject), "room", entry.room));
  Document state(*after);
  state.add("state", entry.rev);
  connection.update(kLog, doc("_id", entry.target, "state", doc("$lt", entry.rev)), doc("$set", state));
  std::vector<UploadId> kept = after->get<std::vector<UploadId>>("links");
  for (const View& upload : after->get<std::vector<View>>("attachments")) kept.push_back(upload.get<UploadId>("_id"));
  if (document.get<std::optional<bool>>("frees_uploads").value_or(false)) {
    release_uploads(connection, entry.target_id, kept, Uses::all_but_these);
  }
  connection.update(kLog, doc("_id", entry.key), doc("$unset", doc("after", "")));
}

void apply_room_deleted(Connection& connection, const StoredEntry& entry) {
  connection.update(kRooms, doc("_id", entry.room), doc("$set", doc("deleted", true)));
  connection.update(kMembers, doc("room", entry.room), doc("$set", doc("active", false)), Update::Which::all);
}

}  // namespace

LogState room_from(View document) {
  LogState state;
  state.room = {document.get<RoomId>("_id"),
                document.get<RoomKind>("kind"),
                document.get<std::string>("name"),
                document.get<std::string>("topic"),
                document.get<Timestamp>("created_at"),
                document.get<Seq>("last_seq"),
                document.get<Rev>("rev")};
  state.active_at = document.get<Timestamp>("active_at");
  state.deleted = document.get<std::optional<bool>>("deleted").value_or(false);
  state.applied = state.room.rev;
  return state;
}

LogState read_room(Connection& connection, const RoomId& room) {
  const auto found = connection.find_one(kRooms, doc("_id", room));
  if (found) return room_from(*found);
  LogState none;
  none.room.id = room;
  return none;
}

std::vector<Document> read_tail(Connection& connection, const RoomId& room, Rev rev) {
  std::vector<Document> tail;
  for (std::int64_t step = kFirstStep;; step = std::min(step * 8, kLongestStep)) {
    const Rev after{rev.value + static_cast<std::int64_t>(tail.size())};
    Array keys;
    for (std::int64_t i = 1; i <= step; ++i) keys.push(entry_key(room, Rev{after.value + i}));
    auto found = connection.find(kLog, doc("_id", doc("$in", keys)), without_text()).all();
    std::ranges::sort(found, {}, [](const Document& one) { return one.view().get<std::int64_t>("rev"); });
    // An insert that is under way may show a later entry before an earlier one to a reader; what is behind a gap is not read
    // yet.
    Rev next = after.next();
    for (Document& entry : found) {
      if (entry.view().get<Rev>("rev") != next) return tail;
      next = next.next();
      tail.push_back(std::move(entry));
    }
    if (static_cast<std::int64_t>(found.size()) < step) return tail;
  }
}

std::optional<LogState> current_room(Connection& connection, const RoomId& room) {
  LogState state = read_room(connection, room);
  if (!state.exists() || state.deleted) return std::nullopt;
  const auto tail = read_tail(connection, room, state.room.rev);
  if (take_in(connection, state, tail) || tail.size() > kLongTail) write_checkpoint(connection, state);
  if (state.deleted) return std::nullopt;
  return state;
}

std::vector<LogState> current_rooms(Connection& connection, const std::vector<RoomId>& rooms) {
  std::vector<LogState> states;
  if (rooms.empty()) return states;
  Array keys;
  for (const Document& document : connection.find(kRooms, doc("_id", doc("$in", list(rooms)))).all()) {
    LogState state = room_from(document);
    if (state.deleted) continue;
    for (std::int64_t i = 1; i <= kFirstStep; ++i) keys.push(entry_key(state.room.id, Rev{state.room.rev.value + i}));
    states.push_back(std::move(state));
  }
  // All the tails at once; a room with more than a short one of messages is read by itself.
  std::unordered_map<RoomId, std::vector<Document>> tails;
  for (Document& entry : connection.find(kLog, doc("_id", doc("$in", keys)), without_text()).all()) {
    tails[entry.view().get<RoomId>("room")].push_back(std::move(entry));
  }
  std::erase_if(states, [&](LogState& state) {
    auto& tail = tails[state.room.id];
    std::ranges::sort(tail, {}, [](const Document& one) { return one.view().get<std::int64_t>("rev"); });
    const bool simple = static_cast<std::int64_t>(tail.size()) < kFirstStep && std::ranges::all_of(tail, is_message) &&
                        (tail.empty() || tail.back().view().get<std::int64_t>("rev") ==
                                             state.room.rev.value + static_cast<std::int64_t>(tail.size()));
    if (simple) {
      for (const Document& entry : tail) fold(state, stored_entry(entry));
      return false;
    }
    auto now = current_room(connection, state.room.id);
    if (now) state = *std::move(now);
    return !now;
  });
  return states;
}

void apply(Connection& connection, View document) {
  const StoredEntry entry = stored_entry(document);
  switch (entry.kind) {
    case EntryKind::message: break;
    case EntryKind::room_created: apply_room_created(connection, entry); break;
    case EntryKind::members_added: apply_members_added(connection, entry); break;
    case EntryKind::role_changed: apply_to_member(connection, entry, doc("role", entry.named.at(0).second)); break;
    case EntryKind::member_removed: {
      Document state = doc("active", false);
      if (entry.named.at(0).first != entry.actor) state.add("removed_rev", entry.rev);
      apply_to_member(connection, entry, std::move(state));
      break;
    }
    case EntryKind::account_erased: apply_to_member(connection, entry, doc("active", false, "erased", true)); break;
    case EntryKind::room_updated:
      connection.update(kRooms, doc("_id", entry.room, "about_rev", doc("$lt", entry.rev)),
                        doc("$set", doc("name", entry.name, "topic", entry.topic, "about_rev", entry.rev)));
      break;
    case EntryKind::message_updated: apply_message_updated(connection, entry, document); break;
    case EntryKind::room_deleted: apply_room_deleted(connection, entry); break;
  }
}

void fold(LogState& state, const StoredEntry& entry) {
  Room& room = state.room;
  room.rev = entry.rev;
  room.last_seq = entry.last_seq;
  state.active_at = entry.active_at;
  switch (entry.kind) {
    case EntryKind::message: state.markers[entry.actor] = entry.last_seq; break;
    case EntryKind::room_created:
      room.kind = entry.room_kind;
      room.name = entry.name;
      room.created_at = entry.at;
      break;
    case EntryKind::room_updated:
      room.name = entry.name;
      room.topic = entry.topic;
      break;
    case EntryKind::room_deleted: state.deleted = true; break;
    default: break;
  }
}

void write_checkpoint(Connection& connection, LogState& state) {
  if (!state.markers.empty()) {
    std::vector<Update> markers;
    for (const auto& [user, seq] : state.markers) {
      markers.push_back({doc("_id", member_key(state.room.id, user)), doc("$max", doc("read_seq", seq))});
    }
    connection.update(kMembers, markers);
  }
  connection.update(kRooms, doc("_id", state.room.id),
                    doc("$max", doc("rev", state.room.rev, "last_seq", state.room.last_seq, "active_at", state.active_at)));
  state.markers.clear();
  state.applied = state.room.rev;
}

void release_uploads(Connection& connection, const MessageId& message, const std::vector<UploadId>& uploads, Uses which) {
  std::vector<UploadId> released;
  for (const Document& use : connection.find(kUploadUses, doc("message", message)).all()) {
    const auto upload = use.view().get<UploadId>("upload");
    if ((std::ranges::find(uploads, upload) != uploads.end()) == (which == Uses::these)) released.push_back(upload);
  }
  for (const UploadId& upload : released) {
    const auto before = connection.find_one(kUploads, doc("_id", upload));
    connection.remove_one(kUploadUses, doc("_id", use_key(upload, message)));
    if (!before || connection.find_one(kUploadUses, doc("upload", upload))) continue;
    // Whoever took it into use meanwhile has counted a claim.
    connection.update(kUploads, doc("_id", upload, "claims", before->view().get<std::int64_t>("claims")),
                      doc("$set", doc("used", false)));
  }
}

StoredMember member_from(View document) {
  return {document.get<UserId>("user"),
          document.get<Role>("role"),
          document.get<bool>("active"),
          document.get<Seq>("read_seq"),
          document.get<std::optional<Seq>>("hidden_seq"),
          document.get<std::optional<Rev>>("removed_rev"),
          document.get<Timestamp>("joined_at"),
          document.get<std::optional<bool>>("erased").value_or(false)};
}

std::optional<StoredMember> find_member(Connection& connection, const RoomId& room, const UserId& user) {
  const auto found = connection.find_one(kMembers, doc("_id", member_key(room, user)));
  return found ? std::optional(member_from(*found)) : std::nullopt;
}

std::vector<Member> read_members(Connection& connection, const LogState& state) {
  std::vector<StoredMember> stored;
  People people;
  Cursor cursor = connection.find(kMembers, doc("room", state.room.id, "active", true));
  while (const auto document = cursor.next()) {
    stored.push_back(member_from(*document));
    people.want(stored.back().user);
  }
  people.load(connection);
  std::vector<Member> members;
  for (const StoredMember& one : stored) {
    const auto* person = people.find(one.user);
    if (person == nullptr) continue;
    const auto marker = state.markers.find(one.user);
    const Seq read = marker == state.markers.end() ? one.read_seq : std::max(one.read_seq, marker->second);
    members.push_back({one.user, person->email, person->username, one.role, read});
  }
  std::ranges::sort(members, {}, &Member::email);
  return members;
}

}  // namespace payam::chat::mongo
