#include "chat/store/mongo/documents.hpp"

#include <algorithm>

namespace payam::chat::mongo {

void People::want(const UserId& user) {
  if (!known_.contains(user)) wanted_.insert(user);
}

void People::load(Connection& connection) {
  if (wanted_.empty()) return;
  Array ids;
  for (const UserId& user : wanted_) {
    ids.push(user);
    known_.emplace(user, std::nullopt);
  }
  wanted_.clear();
  FindOptions options;
  options.projection = doc("email", 1, "username", 1, "erased", 1);
  Cursor cursor = connection.find(kUsers, doc("_id", doc("$in", ids)), options);
  while (const auto row = cursor.next()) {
    if (row->has("erased")) continue;
    const auto id = row->get<UserId>("_id");
    known_[id] = Person{id, row->get<std::string>("email"), row->get<std::string>("username")};
  }
}

const People::Person* People::find(const UserId& user) const {
  const auto found = known_.find(user);
  return found != known_.end() && found->second ? &*found->second : nullptr;
}

std::optional<std::string> People::email(const UserId& user) const {
  const Person* person = find(user);
  return person != nullptr ? std::optional(person->email) : std::nullopt;
}

StoredMessage stored_message(View entry) {
  StoredMessage stored;
  stored.key = entry.get<std::string>("_id");
  stored.first_rev = entry.get<Rev>("rev");
  Message& message = stored.message;
  message.id = entry.get<MessageId>("id");
  message.room = entry.get<RoomId>("room");
  message.seq = entry.get<Seq>("last_seq");
  message.rev = entry.get<Rev>("state");
  message.sender_id = entry.get<UserId>("actor");
  message.content = entry.get<std::string>("content");
  message.timestamp = entry.get<Timestamp>("at");
  message.client_id = entry.get<std::optional<std::string>>("client_id");
  message.reply_to = entry.get<std::optional<MessageId>>("reply_to");
  message.edited_at = entry.get<std::optional<Timestamp>>("edited_at");
  message.deleted = entry.get<std::optional<bool>>("deleted").value_or(false);
  message.pinned = entry.get<std::optional<bool>>("pinned").value_or(false);
  for (const View& upload : entry.get<std::vector<View>>("attachments")) message.attachments.push_back(upload_from(upload));
  stored.mentions = entry.get<std::vector<UserId>>("mentions");
  stored.links = entry.get<std::vector<UploadId>>("links");
  for (const View& reaction : entry.get<std::vector<View>>("reactions")) {
    stored.reactions.emplace_back(reaction.get<std::string>("emoji"), reaction.get<UserId>("user"));
  }
  return stored;
}

void want_people(const StoredMessage& stored, People& people) {
  people.want(stored.message.sender_id);
  for (const UserId& user : stored.mentions) people.want(user);
  for (const auto& [emoji, user] : stored.reactions) people.want(user);
}

Message finish(const StoredMessage& stored, const People& people) {
  Message message = stored.message;
  message.sender = people.email(message.sender_id);
  for (const UserId& user : stored.mentions) {
    if (auto email = people.email(user)) message.mentions.push_back(*std::move(email));
  }
  for (const auto& [emoji, user] : stored.reactions) {
    auto email = people.email(user);
    if (!email) continue;
    auto reaction = std::ranges::find(message.reactions, emoji, &Reaction::emoji);
    if (reaction == message.reactions.end()) reaction = message.reactions.insert(reaction, {emoji, {}});
    reaction->users.push_back(*std::move(email));
  }
  return message;
}

Document state_fields(const StoredMessage& stored) {
  const Message& message = stored.message;
  Array attachments, reactions;
  for (const Upload& upload : message.attachments) attachments.push(upload_document(upload));
  for (const auto& [emoji, user] : stored.reactions) reactions.push(doc("emoji", emoji, "user", user));
  return doc("content", message.content, "edited_at", message.edited_at, "deleted", message.deleted, "pinned", message.pinned,
             "attachments", attachments, "links", list(stored.links), "mentions", list(stored.mentions), "reactions",
             reactions);
}

StoredEntry stored_entry(View entry) {
  StoredEntry stored;
  stored.key = entry.get<std::string>("_id");
  stored.id = entry.get<std::string>("id");
  stored.room = entry.get<RoomId>("room");
  stored.rev = entry.get<Rev>("rev");
  stored.kind = entry.get<EntryKind>("kind");
  stored.last_seq = entry.get<Seq>("last_seq");
  stored.at = entry.get<Timestamp>("at");
  stored.active_at = entry.get<Timestamp>("active_at");
  stored.actor = entry.get<UserId>("actor");
  stored.room_kind = entry.get<std::optional<RoomKind>>("room_kind").value_or(RoomKind::group);
  stored.name = entry.get<std::optional<std::string>>("name").value_or("");
  stored.topic = entry.get<std::optional<std::string>>("topic").value_or("");
  stored.target = entry.get<std::optional<std::string>>("target").value_or("");
  stored.target_id = entry.get<std::optional<MessageId>>("target_id").value_or(MessageId());
  stored.subject = entry.get<std::optional<Seq>>("subject").value_or(Seq{});
  stored.client = entry.get<std::string>("client");
  for (const View& named : entry.get<std::vector<View>>("named")) {
    stored.named.emplace_back(named.get<UserId>("user"), named.get<Role>("role"));
  }
  return stored;
}

Document entry_document(const StoredEntry& entry, std::optional<Seq> message_seq) {
  Document document =
      doc("_id", entry.key, "room", entry.room, "rev", entry.rev, "kind", entry.kind, "id", entry.id, "place",
          message_seq ? place_key(entry.room, *message_seq) : entry.key, "client", entry.client.value_or(entry.id), "last_seq",
          entry.last_seq, "at", entry.at, "active_at", entry.active_at, "actor", entry.actor);
  if (!entry.named.empty()) {
    Array named;
    for (const auto& [user, role] : entry.named) named.push(doc("user", user, "role", role));
    document.add("named", named);
  }
  switch (entry.kind) {
    case EntryKind::room_created: document.add("room_kind", entry.room_kind).add("name", entry.name); break;
    case EntryKind::room_updated: document.add("name", entry.name).add("topic", entry.topic); break;
    case EntryKind::message_updated:
      document.add("target", entry.target).add("target_id", entry.target_id).add("subject", entry.subject);
      break;
    default: break;
  }
  return document;
}

void want_people(const StoredEntry& stored, People& people) {
  people.want(stored.actor);
  for (const auto& [user, role] : stored.named) people.want(user);
}

Entry finish(const StoredEntry& stored, const People& people) {
  Entry entry{stored.room, stored.rev, stored.at, stored.actor, people.email(stored.actor), {}};
  std::vector<Participant> named;
  for (const auto& [user, role] : stored.named) named.push_back({user, people.email(user), role});
  switch (stored.kind) {
    case EntryKind::room_created: entry.body = RoomCreated{stored.room_kind, stored.name, std::move(named)}; break;
    case EntryKind::members_added: entry.body = MembersAdded{std::move(named)}; break;
    case EntryKind::member_removed: entry.body = MemberRemoved{std::move(named.at(0))}; break;
    case EntryKind::account_erased: entry.body = AccountErased{std::move(named.at(0))}; break;
    case EntryKind::role_changed: entry.body = RoleChanged{std::move(named.at(0))}; break;
    case EntryKind::room_updated: entry.body = RoomUpdated{stored.name, stored.topic}; break;
    case EntryKind::room_deleted: entry.body = RoomDeleted{}; break;
    case EntryKind::message: entry.body = MessageAdded{}; break;
    case EntryKind::message_updated: entry.body = MessageUpdated{}; break;
  }
  return entry;
}

Document upload_document(const Upload& upload) {
  return doc("_id", upload.id, "uploader", upload.uploader, "name", upload.name, "content_type", upload.content_type, "size",
             upload.size, "width", upload.width, "height", upload.height, "created_at", upload.created_at);
}

Upload upload_from(View document) {
  return {document.get<UploadId>("_id"),
          document.get<UserId>("uploader"),
          document.get<std::string>("name"),
          document.get<std::string>("content_type"),
          document.get<std::uint64_t>("size"),
          document.get<std::optional<int>>("width"),
          document.get<std::optional<int>>("height"),
          document.get<Timestamp>("created_at")};
}

std::vector<StoredMessage> find_messages(Connection& connection, const char* field, const std::vector<std::string>& keys) {
  std::vector<StoredMessage> found;
  if (keys.empty()) return found;
  const Document query = keys.size() == 1 ? doc(field, keys.front()) : doc(field, doc("$in", list(keys)));
  Cursor cursor = connection.find(kLog, query);
  while (const auto entry = cursor.next()) {
    if (entry->get<EntryKind>("kind") == EntryKind::message) found.push_back(stored_message(*entry));
  }
  std::ranges::sort(found, {}, [](const StoredMessage& one) { return one.message.seq; });
  return found;
}

std::vector<Message> finish(Connection& connection, const std::vector<StoredMessage>& stored) {
  People people;
  for (const StoredMessage& one : stored) want_people(one, people);
  people.load(connection);
  std::vector<Message> messages;
  for (const StoredMessage& one : stored) messages.push_back(finish(one, people));
  return messages;
}

}  // namespace payam::chat::mongo
