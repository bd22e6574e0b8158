// Sending: the hot path of the writer. A message costs its own rows and nothing that grows with the room.
#include <fmt/format.h>

#include <algorithm>

#include "chat/rules.hpp"
#include "chat/store/sqlite/appender.hpp"

namespace payam::chat::sqlite {

Result<Commit> Appender::apply(const SendMessage& send) {
  CachedRoom* room = cache_.find_room(send.room);
  const CachedUser* sender = cache_.find_user(send.sender);
  if (room == nullptr || sender == nullptr) return fail(Errc::not_found, std::string(rules::kRoomNotFound));
  CachedMember* member = cache_.find_member(room->key, sender->key);
  const auto allowed = rules::may_send(member != nullptr ? std::optional(member->role) : std::nullopt);
  if (!allowed) return std::unexpected(allowed.error());

  auto earlier = find_earlier(send, *room, sender->key);
  if (!earlier) return std::unexpected(std::move(earlier.error()));
  if (*earlier) return std::move(**earlier);
  if (send.reply_to && !database_.query("SELECT 1 FROM messages WHERE id = ? AND room = ?", *send.reply_to, room->key).step()) {
    return fail(Errc::bad_request, fmt::format("reply_to: no message {} in this room", send.reply_to->str()));
  }
  auto attached = find_attached(send, sender->key);
  if (!attached) return std::unexpected(std::move(attached.error()));
  const std::vector<Person> mentioned = find_mentioned(send, room->key);

  const Seq seq = room->room.last_seq.next();
  const Rev rev = room->room.rev.next();
  Message message;
  message.id = send.id;
  message.room = send.room;
  message.seq = seq;
  message.rev = rev;
  message.sender = sender->email;
  message.sender_id = sender->id;
  message.content = send.content;
  message.timestamp = send.at;
  message.client_id = send.client_id;
  message.reply_to = send.reply_to;

  Savepoint savepoint(database_);
  database_.run(
      "INSERT INTO messages (room, seq, id, first_rev, rev, sender, at, content, client_id, reply_to)"
      " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      room->key, seq, send.id, rev, rev, sender->key, send.at, send.content, send.client_id, send.reply_to);
  int position = 0;
  for (const Person& person : mentioned) {
    database_.run("INSERT INTO mentions (room, seq, position, user) VALUES (?, ?, ?, ?)", room->key, seq, position++,
                  person.key);
    message.mentions.push_back(person.email);
  }
  position = 0;
  for (Attached& one : *attached) {
    database_.run("INSERT INTO message_uploads (room, seq, upload, position) VALUES (?, ?, ?, ?)", room->key, seq, one.key,
                  one.upload ? std::optional(position++) : std::nullopt);
    if (one.upload) message.attachments.push_back(std::move(*one.upload));
  }
  Commit commit;
  commit.entry = {send.room, rev, send.at, sender->id, sender->email, MessageAdded{std::move(message)}};
  savepoint.keep();
  cache_.advance(*room, sender->key, *member, send.at);
  return commit;
}

// A retry says the same client_id, or is the same change again after an outage and then has the same id.
Result<std::optional<Commit>> Appender::find_earlier(const SendMessage& send, const CachedRoom& room, std::int64_t sender) {
  std::optional<Seq> seq;
  if (send.client_id) {
    Statement row = database_.query("SELECT seq FROM messages WHERE room = ? AND sender = ? AND client_id = ?", room.key,
                                    sender, *send.client_id);
    if (row.step()) seq = row.get<Seq>(0);
  }
  if (!seq) {
    Statement row = database_.query("SELECT seq, room, sender FROM messages WHERE id = ?", send.id);
    if (!row.step()) return std::nullopt;
    if (row.get<std::int64_t>(1) != room.key || row.get<std::int64_t>(2) != sender) {
      return fail(Errc::conflict, "The id is taken");
    }
    seq = row.get<Seq>(0);
  }
  MessageCursor cursor(database_, {room.key, room.room.id}, *seq, *seq);
  Message message = cursor.next().value();
  Commit commit;
  commit.entry = {message.room, cursor.first_rev(), message.timestamp, message.sender_id, message.sender, MessageAdded{}};
  std::get<MessageAdded>(commit.entry.body).message = std::move(message);
  commit.repeated = true;
  return commit;
}

Result<std::vector<Appender::Attached>> Appender::find_attached(const SendMessage& send, std::int64_t sender) {
  std::vector<Attached> attached;
  const auto find_own = [&](const UploadId& id) {
    return database_.query(
        "SELECT key, name, content_type, size, width, height, created_at FROM uploads WHERE id = ? AND uploader = ?", id,
        sender);
  };
  const auto known = [&](std::int64_t key) { return std::ranges::find(attached, key, &Attached::key) != attached.end(); };
  for (const UploadId& id : send.attachments) {
    Statement row = find_own(id);
    if (!row.step()) return fail(Errc::bad_request, fmt::format("Unknown upload: {}", id.str()));
    if (known(row.get<std::int64_t>(0))) continue;
    attached.push_back({row.get<std::int64_t>(0),
                        Upload{id, send.sender, row.get<std::string>(1), row.get<std::string>(2), row.get<std::uint64_t>(3),
                               row.get<std::optional<int>>(4), row.get<std::optional<int>>(5), row.get<Timestamp>(6)}});
  }
  for (const UploadId& id : rules::find_media_links(send.content)) {
    Statement row = find_own(id);  // someone else's is merely text
    if (row.step() && !known(row.get<std::int64_t>(0))) attached.push_back({row.get<std::int64_t>(0), std::nullopt});
  }
  return attached;
}

std::vector<Appender::Person> Appender::find_mentioned(const SendMessage& send, std::int64_t room) {
  std::vector<Person> mentioned;
  rules::find_mentions(send.content, [&](const std::string& key) {
    Statement row = database_.query(
        "SELECT u.key, u.id, u.email FROM users u CROSS JOIN members m ON m.room = ? AND m.user = u.key WHERE u.username_key = "
        "?",
        room, key);
    if (!row.step()) return false;
    Person person{row.get<std::int64_t>(0), row.get<UserId>(1), row.get<std::string>(2)};
    if (std::ranges::find(mentioned, person.key, &Person::key) == mentioned.end()) mentioned.push_back(std::move(person));
    return true;
  });
  return mentioned;
}

}  // namespace payam::chat::sqlite
