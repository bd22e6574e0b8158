// Sending: the hot path of the writer. A message costs its own rows and nothing that grows with the room.
#include <fmt/format.h>

#include <algorithm>

#include "chat/rules.hpp"
#include "chat/store/sqlite/appender.hpp"

namespace payam::chat::sqlite {

Result<Commit> Appender::apply(const SendMessage& send) {
  const auto acting = find_acting(send.room, send.sender);
  if (!acting) return std::unexpected(acting.error());
  if (const auto allowed = rules::may_send(acting->role); !allowed) return std::unexpected(allowed.error());
  CachedRoom* const room = acting->room;
  const CachedUser* const sender = acting->actor;

  auto earlier = find_earlier(send, *room, sender->key);
  if (!earlier) return std::unexpected(std::move(earlier.error()));
  if (*earlier) return std::move(**earlier);
  if (send.reply_to && !database_.query("SELECT 1 FROM messages WHERE id = ? AND room = ?", *send.reply_to, room->key).step()) {
    return fail(Errc::bad_request, fmt::format("reply_to: no message {} in this room", send.reply_to->str()));
  }
  auto attached = find_attached(send.attachments, send.content, sender->key);
  if (!attached) return std::unexpected(std::move(attached.error()));
  const std::vector<Person> mentioned = find_mentioned(send.content, room->key);

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
  insert_mentions(room->key, seq, mentioned);
  insert_attached(room->key, seq, *attached);
  for (const Person& person : mentioned) message.mentions.push_back(person.email);
  for (Attached& one : *attached) {
    if (one.upload) message.attachments.push_back(std::move(*one.upload));
  }
  Commit commit;
  commit.entry = {send.room, rev, send.at, sender->id, sender->email, MessageAdded{std::move(message)}};
  savepoint.keep();
  cache_.advance(*room, sender->key, *cache_.find_member(room->key, sender->key));
  cache_.touch(*room, send.at);
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

Result<std::vector<Appender::Attached>> Appender::find_attached(const std::vector<UploadId>& ids, const std::string& content,
                                                                std::int64_t sender) {
  std::vector<Attached> attached;
  const auto find_own = [&](const UploadId& id) {
    return database_.query(
        "SELECT f.key, f.name, f.content_type, f.size, f.width, f.height, f.created_at, u.id FROM uploads f"
        " CROSS JOIN users u ON u.key = f.uploader WHERE f.id = ? AND f.uploader = ?",
        id, sender);
  };
  const auto known = [&](std::int64_t key) { return std::ranges::find(attached, key, &Attached::key) != attached.end(); };
  for (const UploadId& id : ids) {
    Statement row = find_own(id);
    if (!row.step()) return fail(Errc::bad_request, fmt::format("Unknown upload: {}", id.str()));
    if (known(row.get<std::int64_t>(0))) continue;
    attached.push_back(
        {row.get<std::int64_t>(0),
         Upload{id, row.get<UserId>(7), row.get<std::string>(1), row.get<std::string>(2), row.get<std::uint64_t>(3),
                row.get<std::optional<int>>(4), row.get<std::optional<int>>(5), row.get<Timestamp>(6)}});
  }
  for (const UploadId& id : rules::find_media_links(content)) {
    Statement row = find_own(id);  // someone else's is merely text
    if (row.step() && !known(row.get<std::int64_t>(0))) attached.push_back({row.get<std::int64_t>(0), std::nullopt});
  }
  return attached;
}

std::vector<Appender::Person> Appender::find_mentioned(const std::string& content, std::int64_t room) {
  std::vector<Person> mentioned;
  rules::find_mentions(content, [&](const std::string& key) {
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

void Appender::insert_mentions(std::int64_t room, Seq seq, const std::vector<Person>& mentioned) {
  int position = 0;
  for (const Person& person : mentioned) {
    database_.run("INSERT INTO mentions (room, seq, position, user) VALUES (?, ?, ?, ?)", room, seq, position++, person.key);
  }
}

// What is attached already, at an edit, stays as it is.
void Appender::insert_attached(std::int64_t room, Seq seq, const std::vector<Attached>& attached) {
  int position = 0;
  for (const Attached& one : attached) {
    database_.run("INSERT OR IGNORE INTO message_uploads (room, seq, upload, position) VALUES (?, ?, ?, ?)", room, seq, one.key,
                  one.upload ? std::optional(position++) : std::nullopt);
    database_.run("UPDATE uploads SET used = 1 WHERE key = ? AND used = 0", one.key);
  }
}

void Appender::delete_attached(std::int64_t room, Seq first, Seq last, References which) {
  std::vector<std::int64_t> uploads;
  {
    Statement row = database_.query(
        which == References::all
            ? "SELECT DISTINCT upload FROM message_uploads WHERE room = ? AND seq BETWEEN ? AND ?"
            : "SELECT DISTINCT upload FROM message_uploads WHERE room = ? AND seq BETWEEN ? AND ? AND position IS NULL",
        room, first, last);
    while (row.step()) uploads.push_back(row.get<std::int64_t>(0));
  }
  database_.run(which == References::all
                    ? "DELETE FROM message_uploads WHERE room = ? AND seq BETWEEN ? AND ?"
                    : "DELETE FROM message_uploads WHERE room = ? AND seq BETWEEN ? AND ? AND position IS NULL",
                room, first, last);
  for (const std::int64_t upload : uploads) {
    database_.run("UPDATE uploads SET used = EXISTS (SELECT 1 FROM message_uploads WHERE upload = ?1) WHERE key = ?1", upload);
  }
}

}  // namespace payam::chat::sqlite
