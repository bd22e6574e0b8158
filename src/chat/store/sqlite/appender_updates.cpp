// What happens to messages after they were sent: edits, deletions, reactions, pins. Each is an entry of the log, and the
// message's row is brought to its present state.
#include <fmt/format.h>

#include "chat/store/sqlite/appender.hpp"

namespace payam::chat::sqlite {

Result<Appender::Target> Appender::find_target(const MessageRef& ref, const UserId& actor) {
  const auto not_found = [] { return fail(Errc::not_found, std::string(rules::kMessageNotFound)); };
  if (ref.room) {
    const auto acting = find_acting(*ref.room, actor);
    if (!acting) return std::unexpected(acting.error());
    if (!acting->role) return fail(Errc::not_member, std::string(rules::kRoomNotFound));
  }
  Statement row = database_.query(
      "SELECT r.id, m.seq, m.sender, m.deleted, m.pinned, m.content FROM messages m CROSS JOIN rooms r ON r.key = m.room"
      " WHERE m.id = ?",
      ref.id);
  if (!row.step() || (ref.room && row.get<RoomId>(0) != *ref.room)) return not_found();
  const auto acting = find_acting(row.get<RoomId>(0), actor);
  if (!acting || !acting->role) return not_found();
  return Target{*acting,          row.get<Seq>(1),  row.get<std::int64_t>(2) == acting->actor->key,
                row.get<bool>(3), row.get<bool>(4), row.get<std::string>(5)};
}

template <class Statements>
Commit Appender::update_message(const Target& target, Timestamp at, const Statements& statements) {
  CachedRoom& room = *target.acting.room;
  const Rev rev = room.room.rev.next();
  Savepoint savepoint(database_);
  statements(rev);
  database_.run("UPDATE messages SET rev = ? WHERE room = ? AND seq = ?", rev, room.key, target.seq);
  Commit commit;
  commit.entry = append(room, EntryKind::message_updated, *target.acting.actor, at, {.subject = target.seq});
  commit.entry.body =
      MessageUpdated{std::move(read_messages(database_, {room.key, room.room.id}, target.seq, target.seq).at(0))};
  savepoint.keep();
  cache_.advance(room);
  return commit;
}

Result<Commit> Appender::apply(const EditMessage& edit) {
  const auto target = find_target(edit.message, edit.actor);
  if (!target) return std::unexpected(target.error());
  const Acting& acting = target->acting;
  const std::int64_t room = acting.room->key;
  if (const auto allowed = rules::may_edit(acting.role, target->own, target->deleted); !allowed) {
    return std::unexpected(allowed.error());
  }
  if (edit.content == target->content) return repeat(*target, edit.at);
  if (edit.content.empty() &&
      !database_.query("SELECT 1 FROM message_uploads WHERE room = ? AND seq = ? AND position IS NOT NULL", room, target->seq)
           .step()) {
    return fail(Errc::invalid, "A message without attachments needs a text");
  }
  auto linked = find_attached({}, edit.content, acting.actor->key);
  const std::vector<Person> mentioned = find_mentioned(edit.content, room);
  return update_message(*target, edit.at, [&](Rev) {
    database_.run("UPDATE messages SET content = ?, edited_at = ? WHERE room = ? AND seq = ?", edit.content, edit.at, room,
                  target->seq);
    database_.run("DELETE FROM mentions WHERE room = ? AND seq = ?", room, target->seq);
    insert_mentions(room, target->seq, mentioned);
    delete_attached(room, target->seq, target->seq, References::links);
    insert_attached(room, target->seq, *linked);
  });
}

Result<Commit> Appender::apply(const DeleteMessage& deletion) {
  const auto target = find_target(deletion.message, deletion.actor);
  if (!target) return std::unexpected(target.error());
  const std::int64_t room = target->acting.room->key;
  if (const auto allowed = rules::may_delete(target->acting.role, target->own); !allowed)
    return std::unexpected(allowed.error());
  if (target->deleted) return repeat(*target, deletion.at);
  return update_message(*target, deletion.at, [&](Rev) {
    database_.run("UPDATE messages SET content = '', deleted = 1, pinned = 0 WHERE room = ? AND seq = ?", room, target->seq);
    database_.run("DELETE FROM mentions WHERE room = ? AND seq = ?", room, target->seq);
    database_.run("DELETE FROM reactions WHERE room = ? AND seq = ?", room, target->seq);
    delete_attached(room, target->seq, target->seq, References::all);
  });
}

Result<Commit> Appender::apply(const React& react) {
  const auto target = find_target(react.message, react.actor);
  if (!target) return std::unexpected(target.error());
  const Acting& acting = target->acting;
  if (const auto allowed = rules::may_react(acting.role, target->deleted); !allowed) return std::unexpected(allowed.error());
  const bool is_on = database_
                         .query("SELECT 1 FROM reactions WHERE room = ? AND seq = ? AND user = ? AND emoji = ?",
                                acting.room->key, target->seq, acting.actor->key, react.emoji)
                         .step();
  if (is_on == react.on) return repeat(*target, react.at);
  if (react.on) {
    Statement row = database_.query("SELECT count(DISTINCT emoji), max(emoji = ?) FROM reactions WHERE room = ? AND seq = ?",
                                    react.emoji, acting.room->key, target->seq);
    row.step();
    const bool is_new = row.get<std::optional<int>>(1).value_or(0) == 0;
    if (const auto allowed = rules::may_add_emoji(row.get<int>(0)); is_new && !allowed) return std::unexpected(allowed.error());
  }
  return update_message(*target, react.at, [&](Rev rev) {
    if (react.on) {
      database_.run("INSERT INTO reactions (room, seq, rev, emoji, user) VALUES (?, ?, ?, ?, ?)", acting.room->key, target->seq,
                    rev, react.emoji, acting.actor->key);
    } else {
      database_.run("DELETE FROM reactions WHERE room = ? AND seq = ? AND user = ? AND emoji = ?", acting.room->key,
                    target->seq, acting.actor->key, react.emoji);
    }
  });
}

Result<Commit> Appender::apply(const PinMessage& pin) {
  const auto target = find_target(pin.message, pin.actor);
  if (!target) return std::unexpected(target.error());
  const Acting& acting = target->acting;
  const auto allowed = rules::may_pin(acting.room->room.kind, acting.role, target->deleted);
  if (!allowed) return std::unexpected(allowed.error());
  if (target->pinned == pin.on) return repeat(*target, pin.at);
  return update_message(*target, pin.at, [&](Rev) {
    database_.run("UPDATE messages SET pinned = ? WHERE room = ? AND seq = ?", pin.on, acting.room->key, target->seq);
  });
}

Commit Appender::repeat(const Target& target, Timestamp at) {
  const CachedRoom& room = *target.acting.room;
  auto messages = read_messages(database_, {room.key, room.room.id}, target.seq, target.seq);
  return unchanged(target.acting, at, MessageUpdated{std::move(messages.at(0))});
}

}  // namespace payam::chat::sqlite
