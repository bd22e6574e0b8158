#include "chat/store/mongo/mongo_archive.hpp"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>

#include "chat/rules.hpp"
#include "chat/store/mongo/accounts.hpp"
#include "chat/store/mongo/documents.hpp"
#include "chat/store/mongo/room_log.hpp"
#include "chat/store/mongo/schema.hpp"

namespace payam::chat {
namespace {

using namespace transfer;
using namespace mongo;

using Take = std::function<void(Record)>;
constexpr std::int64_t kStep = 500;  // log entries read at a time

FindOptions by_id() {
  FindOptions options;
  options.sort = doc("_id", 1);
  return options;
}

template <class F>
void each(Connection& connection, const char* collection, View query, const F& use) {
  Cursor cursor = connection.find(collection, query, by_id());
  while (const auto document = cursor.next()) use(*document);
}

// --- Reading -------------------------------------------------------------------------------------------------------------

UserRecord user_record(View row) {
  if (row.has("erased")) return {row.get<UserId>("_id"), {}, {}, {}, {}, row.get<Timestamp>("created_at"), {}};
  return {row.get<UserId>("_id"),
          row.get<std::string>("email"),
          row.get<std::string>("username"),
          row.get<std::optional<std::string>>("full_name"),
          row.get<std::string>("password_hash"),
          row.get<Timestamp>("created_at"),
          row.get<std::optional<Timestamp>>("last_seen")};
}

void read_people(Connection& connection, const Take& take) {
  each(connection, kUsers, doc(), [&](View row) { take(user_record(row)); });
  each(connection, kBlocks, doc(), [&](View row) { take(BlockRecord{row.get<UserId>("user"), row.get<UserId>("blocked")}); });
  each(connection, kSessions, doc(), [&](View row) { take(session_from(row)); });
  each(connection, kUploads, doc(), [&](View row) { take(upload_from(row)); });
}

// Every room that is somebody's, with its log applied and its markers written.
std::vector<LogState> read_rooms(Connection& connection) {
  std::vector<RoomId> ids;
  each(connection, kRooms, doc("deleted", doc("$ne", true)), [&](View row) { ids.push_back(row.get<RoomId>("_id")); });
  std::vector<LogState> rooms;
  for (const RoomId& id : ids) {
    auto state = current_room(connection, id);
    if (!state) continue;
    write_checkpoint(connection, *state);
    rooms.push_back(*std::move(state));
  }
  return rooms;
}

// What the first entry of a direct room has as its client key: "pair/low/high".
std::optional<std::pair<UserId, UserId>> pair_of(Connection& connection, const Room& room) {
  const auto first = connection.find_one(kLog, doc("_id", entry_key(room.id, Rev{1})));
  if (!first) throw std::runtime_error("database: room " + room.id.str() + " has no first entry");
  const auto key = first->view().get<std::string>("client");
  const auto low = key.find('/') + 1, high = key.find('/', low) + 1;
  return std::pair(UserId(key.substr(low, high - low - 1)), UserId(key.substr(high)));
}

EntryRecord entry_record(const StoredEntry& entry) {
  EntryRecord record;
  record.room = entry.room;
  record.rev = entry.rev;
  record.kind = static_cast<EntryRecord::Kind>(entry.kind);
  record.seq = entry.last_seq;
  record.at = entry.at;
  record.actor = entry.actor;
  record.named = entry.named;
  switch (entry.kind) {
    case EntryKind::room_created:
      if (entry.room_kind == RoomKind::group) record.name = entry.name;
      break;
    case EntryKind::room_updated:
      record.name = entry.name;
      record.topic = entry.topic;
      break;
    case EntryKind::message_updated:
      record.subject = EntryRecord::Subject{entry.subject, entry.target_id,
                                            Rev{std::stoll(entry.target.substr(entry.target.find('/') + 1))}};
      break;
    default: break;
  }
  return record;
}

MessageRecord message_record(const StoredMessage& stored) {
  const Message& message = stored.message;
  MessageRecord record;
  record.room = message.room;
  record.seq = message.seq;
  record.id = message.id;
  record.first_rev = stored.first_rev;
  record.rev = message.rev;
  record.sender = message.sender_id;
  record.at = message.timestamp;
  record.content = message.content;
  record.client_id = message.client_id;
  record.reply_to = message.reply_to;
  record.edited_at = message.edited_at;
  record.deleted = message.deleted;
  record.pinned = message.pinned;
  for (const auto& [emoji, user] : stored.reactions) record.reactions.push_back({emoji, user});
  record.mentions = stored.mentions;
  for (const Upload& upload : message.attachments) record.attachments.push_back(upload.id);
  record.links = stored.links;
  std::ranges::sort(record.links);
  return record;
}

// Its entries of one sort, in order.
template <class F>
void each_entry(Connection& connection, const Room& room, bool messages, const F& use) {
  for (Rev next{1}; next <= room.rev; next.value += kStep) {
    std::vector<std::string> keys;
    for (Rev rev = next; rev <= room.rev && rev.value < next.value + kStep; rev = rev.next())
      keys.push_back(entry_key(room.id, rev));
    each(connection, kLog, doc("_id", doc("$in", list(keys))), [&](View row) {
      if ((row.get<EntryKind>("kind") == EntryKind::message) == messages) use(row);
    });
  }
}

// --- Writing -------------------------------------------------------------------------------------------------------------

class Inserter {
 public:
  explicit Inserter(Connection& connection) : connection_(connection) {}

  // A room that is still to be added.
  void expect(const RoomRecord& r) { active_[r.room.id] = r.active_at; }

  void operator()(const UserRecord& r) {
    if (!r.email) {
      const std::string nobody = "/" + r.id.str();  // as erase_account() leaves it
      return add(kUsers, doc("_id", r.id, "erased", true, "email", nobody, "username_key", nobody, "username", "",
                             "password_hash", "", "created_at", r.created_at));
    }
    add(kUsers, user_document({r.id, *r.username, *r.email, r.full_name, r.password_hash, r.created_at, r.last_seen}));
  }
  void operator()(const BlockRecord& r) {
    add(kBlocks, doc("_id", r.user.str() + "/" + r.blocked.str(), "user", r.user, "blocked", r.blocked));
  }
  void operator()(const SessionRecord& r) { add(kSessions, session_document(r)); }
  void operator()(const UploadRecord& r) {
    Document document = upload_document(r);
    document.add("used", false).add("claims", 0);
    add(kUploads, std::move(document));
  }
  void operator()(const RoomRecord& r) {
    add(kRooms,
        doc("_id", r.room.id, "kind", r.room.kind, "name", r.room.name, "topic", r.room.topic, "created_at", r.room.created_at,
            "about_rev", r.room.rev, "rev", r.room.rev, "last_seq", r.room.last_seq, "active_at", r.active_at));
  }
  void operator()(const MemberRecord& r) {
    add(kMembers, doc("_id", member_key(r.room, r.user), "room", r.room, "user", r.user, "active", true, "role", r.role, "rev",
                      Rev{1}, "joined_at", r.joined_at, "read_seq", r.read_seq, "hidden_seq", r.hidden_seq));
  }
  void operator()(const RemovalRecord& r) {
    add_former_member(r.room, r.user);
    flush();  // who is back has a document already
    connection_.update(kMembers, doc("_id", member_key(r.room, r.user)), doc("$set", doc("removed_rev", r.rev)));
  }
  void operator()(const InviteRecord& r) {
    add(kInvites, doc("_id", r.invite.token_hash, "room", r.invite.room, "rev", r.rev, "creator", r.invite.creator,
                      "created_at", r.invite.created_at, "expires_at", r.invite.expires_at, "uses_left", r.invite.uses_left));
  }
  void operator()(const EntryRecord& r) {
    StoredEntry entry;
    entry.key = entry_key(r.room, r.rev);
    entry.id = entry.key;
    entry.room = r.room;
    entry.rev = r.rev;
    entry.kind = static_cast<EntryKind>(r.kind);
    entry.last_seq = r.seq;
    entry.at = r.at;
    entry.active_at = std::min(r.at, active_at(r.room));
    entry.actor = r.actor;
    entry.named = r.named;
    entry.name = r.name.value_or("");
    entry.topic = r.topic.value_or("");
    if (r.kind == EntryRecord::Kind::room_created && !r.name) {
      entry.room_kind = RoomKind::direct;
      entry.client = pair_key(r.named.at(0).first, r.named.at(1).first);
    }
    if (r.subject) {
      entry.target = entry_key(r.room, r.subject->first_rev);
      entry.target_id = r.subject->id;
      entry.subject = r.subject->seq;
    }
    // Former members as well: an erasure asks in which rooms someone ever was.
    for (const auto& [user, role] : r.named) add_former_member(r.room, user);
    add(kLog, entry_document(entry, std::nullopt));
  }
  void operator()(const MessageRecord& r) {
    StoredEntry entry;
    entry.key = entry_key(r.room, r.first_rev);
    entry.id = r.id.str();
    entry.room = r.room;
    entry.rev = r.first_rev;
    entry.last_seq = r.seq;
    entry.at = r.at;
    entry.active_at = r.at;
    entry.actor = r.sender;
    if (r.client_id) entry.client = client_key(r.room, r.sender, *r.client_id);
    StoredMessage stored;
    Message& message = stored.message;
    message.content = r.content;
    message.edited_at = r.edited_at;
    message.deleted = r.deleted;
    message.pinned = r.pinned;
    for (const UploadId& id : r.attachments) {
      if (auto upload = use(id, r)) message.attachments.push_back(*std::move(upload));
    }
    for (const UploadId& id : r.links) use(id, r);
    stored.links = r.links;
    stored.mentions = r.mentions;
    for (const auto& [emoji, user] : r.reactions) stored.reactions.emplace_back(emoji, user);
    if (r.pinned) add(kPins, doc("_id", place_key(r.room, r.seq), "room", r.room));
    Document document = entry_document(entry, r.seq);
    document.add("state", r.rev).add("client_id", r.client_id).add("reply_to", r.reply_to);
    document.add_all(state_fields(stored));
    add(kLog, std::move(document));
  }

  void flush() {
    for (auto& [collection, documents] : waiting_) {
      if (!documents.empty()) connection_.insert_missing(collection, documents);
      documents.clear();
    }
  }

 private:
  // Does nothing for who is a member: members come before everything that names them.
  void add_former_member(const RoomId& room, const UserId& user) {
    add(kMembers, doc("_id", member_key(room, user), "room", room, "user", user, "active", false, "role", Role::member, "rev",
                      Rev{1}, "joined_at", Timestamp{}, "read_seq", Seq{0}));
  }
  void add(std::string collection, Document document) { waiting_[std::move(collection)].push_back(std::move(document)); }

  std::optional<Upload> use(const UploadId& id, const MessageRecord& message) {
    flush();
    const auto found = connection_.find_one(kUploads, doc("_id", id));
    if (!found) return std::nullopt;
    const bool fresh = connection_.insert(
        kUploadUses, doc("_id", use_key(id, message.id), "upload", id, "message", message.id, "room", message.room));
    connection_.update(kUploads, doc("_id", id), doc("$set", doc("used", true), "$inc", doc("claims", fresh ? 1 : 0)));
    return upload_from(*found);
  }

  Timestamp active_at(const RoomId& room) {
    const auto known = active_.find(room);
    if (known != active_.end()) return known->second;
    const LogState state = read_room(connection_, room);
    return active_[room] = state.active_at;
  }

  Connection& connection_;
  std::map<std::string, std::vector<Document>> waiting_;  // by collection
  std::unordered_map<RoomId, Timestamp> active_;
};

class MongoArchive final : public Archive {
 public:
  explicit MongoArchive(Client& client) : connection_(client.connect()) { prepare(connection_); }

  void read(const Take& take) override {
    read_people(connection_, take);
    const std::vector<LogState> rooms = read_rooms(connection_);
    for (const LogState& state : rooms) {
      RoomRecord record{state.room, state.active_at, {}};
      if (state.room.kind == RoomKind::direct) record.pair = pair_of(connection_, state.room);
      take(std::move(record));
    }
    const auto each_member = [&](const auto& use) {
      for (const LogState& state : rooms) {
        each(connection_, kMembers, doc("room", state.room.id), [&](View row) { use(state.room.id, member_from(row)); });
      }
    };
    each_member([&](const RoomId& room, const StoredMember& one) {
      if (one.active) take(MemberRecord{room, one.user, one.role, one.read_seq, one.hidden_seq, one.joined_at});
    });
    each_member([&](const RoomId& room, const StoredMember& one) {
      if (one.removed_rev) take(RemovalRecord{room, one.user, *one.removed_rev});
    });
    for (const LogState& state : rooms) {
      each(connection_, kInvites, doc("room", state.room.id), [&](View row) {
        take(InviteRecord{
            {row.get<std::string>("_id"), state.room.id, row.get<UserId>("creator"), row.get<Timestamp>("created_at"),
             row.get<std::optional<Timestamp>>("expires_at"), row.get<std::optional<int>>("uses_left")},
            row.get<Rev>("rev")});
      });
    }
    for (const LogState& state : rooms) {
      each_entry(connection_, state.room, false, [&](View row) { take(entry_record(stored_entry(row))); });
    }
    for (const LogState& state : rooms) {
      each_entry(connection_, state.room, true, [&](View row) { take(message_record(stored_message(row))); });
    }
  }

  // What others refer to goes first, but rooms last: without its document nobody sees one.
  void put(std::span<const Record> records) override {
    Inserter insert(connection_);
    for (const Record& record : records) {
      if (const auto* room = std::get_if<RoomRecord>(&record)) insert.expect(*room);
    }
    for (std::size_t kind = 0; kind < kKinds; ++kind) {
      for (const Record& record : records) {
        if (record.index() == kind && !std::holds_alternative<RoomRecord>(record)) std::visit(insert, record);
      }
      insert.flush();
    }
    for (const Record& record : records) {
      if (std::holds_alternative<RoomRecord>(record)) std::visit(insert, record);
    }
    insert.flush();
  }

 private:
  Connection connection_;
};

}  // namespace

std::unique_ptr<Archive> open_mongo_archive(Client& client) { return std::make_unique<MongoArchive>(client); }

}  // namespace payam::chat
