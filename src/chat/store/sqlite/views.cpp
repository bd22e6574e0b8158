#include "chat/store/sqlite/views.hpp"

#include <algorithm>
#include <memory>

#include "chat/rules.hpp"
#include "chat/store/pages.hpp"
#include "chat/store/sqlite/accounts.hpp"
#include "chat/store/sqlite/rows.hpp"

namespace payam::chat::sqlite {
namespace {

// The room if `viewer` is a member: nobody else learns whether it exists.
struct Visible {
  std::int64_t key = 0;
  Room room;
  RoomRef ref() const { return {key, room.id}; }
};

Result<Visible> find_visible(Database& database, const RoomId& id, const UserId& viewer) {
  Statement row = database.query(
      "SELECT r.key, r.kind, r.name, r.topic, r.created_at, r.last_seq, r.rev FROM rooms r CROSS JOIN users u CROSS JOIN "
      "members m"
      " ON m.room = r.key AND m.user = u.key WHERE r.id = ? AND u.id = ?",
      id, viewer);
  if (!row.step()) return fail(Errc::not_found, std::string(rules::kRoomNotFound));
  return Visible{row.get<std::int64_t>(0),
                 {id, row.get<RoomKind>(1), row.get<std::string>(2), row.get<std::string>(3), row.get<Timestamp>(4),
                  row.get<Seq>(5), row.get<Rev>(6)}};
}

// One side of a page of history.
NextMessage reader(Database& database, const RoomRef& room, Seq first, Seq last, Order order) {
  if (first > last) return [] { return std::optional<Message>(); };
  return [cursor = std::make_shared<MessageCursor>(database, room, first, last, order)] { return cursor->next(); };
}

HistoryPage read_page(Database& database, const Visible& room, const HistoryQuery& query) {
  const HistoryRange range = history_range(query, room.room.last_seq);
  return fill_page(range, query.bytes,
                   reader(database, room.ref(), range.first, std::min(range.middle, range.last), Order::descending),
                   reader(database, room.ref(), std::max(range.first, range.middle.next()), range.last, Order::ascending));
}

std::optional<User> find_other(Database& database, std::int64_t room, const UserId& user) {
  Statement row = database.query(
      "SELECT u.id FROM members m CROSS JOIN users u ON u.key = m.user WHERE m.room = ? AND u.id <> ? AND u.email IS NOT NULL",
      room, user);
  if (!row.step()) return std::nullopt;
  return find_user(database, row.get<UserId>(0));
}

}  // namespace

Result<RoomView> find_room(Database& database, const RoomId& room, const UserId& viewer, int messages) {
  auto visible = find_visible(database, room, viewer);
  if (!visible) return std::unexpected(std::move(visible.error()));
  RoomView view;
  view.members = read_members(database, visible->key);
  view.messages = read_page(database, *visible, newest_in_room(messages)).messages;
  view.room = std::move(visible->room);
  return view;
}

std::vector<RoomSummary> rooms_of(Database& database, const UserId& user, RoomKind kind) {
  std::vector<RoomSummary> rooms;
  Statement row = database.query(
      "SELECT r.key, r.id, r.name, r.topic, r.created_at, r.last_seq, r.rev, r.last_seq - m.read_seq"
      " FROM users u CROSS JOIN members m ON m.user = u.key CROSS JOIN rooms r ON r.key = m.room WHERE u.id = ? AND r.kind = ?"
      " AND (m.hidden_seq IS NULL OR m.hidden_seq < r.last_seq)"
      " ORDER BY r.active_at DESC, r.key DESC",
      user, kind);
  while (row.step()) {
    const RoomRef ref{row.get<std::int64_t>(0), row.get<RoomId>(1)};
    RoomSummary summary;
    summary.room = {ref.id,          kind,           row.get<std::string>(2), row.get<std::string>(3), row.get<Timestamp>(4),
                    row.get<Seq>(5), row.get<Rev>(6)};
    summary.unread_count = row.get<std::int64_t>(7);
    summary.last_message = MessageCursor(database, ref, summary.room.last_seq, summary.room.last_seq).next();
    if (summary.last_message) cut_for_list(*summary.last_message);
    if (kind == RoomKind::direct) summary.other = find_other(database, ref.key, user);
    rooms.push_back(std::move(summary));
  }
  return rooms;
}

std::vector<RoomId> room_ids_of(Database& database, const UserId& user) {
  std::vector<RoomId> ids;
  Statement row = database.query(
      "SELECT r.id FROM users u CROSS JOIN members m ON m.user = u.key CROSS JOIN rooms r ON r.key = m.room WHERE u.id = ?",
      user);
  while (row.step()) ids.push_back(row.get<RoomId>(0));
  return ids;
}

bool is_member(Database& database, const RoomId& room, const UserId& user) {
  return find_visible(database, room, user).has_value();
}

Result<HistoryPage> history(Database& database, const RoomId& room, const UserId& viewer, const HistoryQuery& query) {
  const auto visible = find_visible(database, room, viewer);
  if (!visible) return std::unexpected(visible.error());
  return read_page(database, *visible, query);
}

Result<CatchUp> messages_after(Database& database, const RoomId& room, const UserId& viewer, Seq seq,
                               const CatchUpLimit& limit) {
  const auto visible = find_visible(database, room, viewer);
  if (!visible) return std::unexpected(visible.error());
  CatchUp result;
  PageBytes page(limit.bytes);
  const Seq newest = visible->room.last_seq;
  const Seq first{std::clamp<std::int64_t>(seq.value, 0, newest.value) + 1};
  MessageCursor cursor(database, visible->ref(), first, newest);
  while (result.messages.size() < static_cast<std::size_t>(limit.entries)) {
    auto message = cursor.next();
    if (!message || !page.take(bytes_of(*message))) break;
    result.seq = message->seq;
    result.rev = cursor.first_rev();
    result.messages.push_back(std::move(*message));
  }
  result.more = !result.messages.empty() && result.seq < newest;
  if (!result.more) {
    result.seq = newest;
    result.rev = visible->room.rev;
  }
  return result;
}

Result<CatchUp> changes_after(Database& database, const RoomId& room, const UserId& viewer, Rev rev,
                              const CatchUpLimit& limit) {
  const auto visible = find_visible(database, room, viewer);
  if (!visible) return std::unexpected(visible.error());
  CatchUp result;
  result.seq = visible->room.last_seq;
  result.rev = visible->room.rev;
  PageBytes page(limit.bytes);
  int entries = 0;
  const Rev after{std::clamp<std::int64_t>(rev.value, 0, result.rev.value)};
  const Seq first_message = first_message_after(database, visible->key, after);
  MessageCursor messages(database, visible->ref(), first_message, result.seq);
  LogCursor log(database, visible->ref(), after);
  // Messages up to here are older than `after`, and their changes are entries; later ones come in their present state anyway.
  const Seq last_older{first_message.value - 1};
  bool more_entries = log.next();
  Rev next = after.next();
  for (; next <= visible->room.rev && entries < limit.entries; next = next.next(), ++entries) {
    if (!more_entries || log.rev() != next) {
      Message message = messages.next().value();
      if (!page.take(bytes_of(message))) break;
      result.seq = message.seq;
      result.messages.push_back(std::move(message));
    } else {
      if (!log.subject() || *log.subject() <= last_older) {
        Entry entry = log.entry();
        if (!page.take(bytes_of(entry))) break;
        if (log.subject()) drop_updates_of(*log.subject(), result.changes);
        result.changes.push_back(std::move(entry));
      }
      result.seq = log.seq();
      more_entries = log.next();
    }
    result.rev = next;
  }
  result.more = next <= visible->room.rev;
  return result;
}

Result<Message> find_message(Database& database, const MessageRef& ref, const UserId& viewer) {
  if (ref.room) {
    if (const auto visible = find_visible(database, *ref.room, viewer); !visible) return std::unexpected(visible.error());
  }
  Statement row = database.query(
      "SELECT r.key, r.id, m.seq FROM messages m CROSS JOIN rooms r ON r.key = m.room CROSS JOIN users u CROSS JOIN members p"
      " ON p.room = m.room AND p.user = u.key WHERE m.id = ? AND u.id = ?",
      ref.id, viewer);
  if (!row.step() || (ref.room && *ref.room != row.get<RoomId>(1))) {
    return fail(Errc::not_found, std::string(rules::kMessageNotFound));
  }
  const Seq seq = row.get<Seq>(2);
  return std::move(read_messages(database, {row.get<std::int64_t>(0), row.get<RoomId>(1)}, seq, seq).at(0));
}

Result<PinPage> pinned_messages(Database& database, const RoomId& room, const UserId& viewer, const PinQuery& query) {
  const auto visible = find_visible(database, room, viewer);
  if (!visible) return std::unexpected(visible.error());
  PinPage pinned;
  PageBytes page(query.bytes);
  Statement row = database.query("SELECT seq FROM messages WHERE room = ? AND pinned = 1 AND seq > ? ORDER BY seq",
                                 visible->key, query.after);
  while (row.step()) {
    const Seq seq = row.get<Seq>(0);
    auto message = MessageCursor(database, visible->ref(), seq, seq).next().value();
    pinned.more = pinned.messages.size() == static_cast<std::size_t>(query.limit) || !page.take(bytes_of(message));
    if (pinned.more) break;
    pinned.messages.push_back(std::move(message));
  }
  return pinned;
}

std::optional<Invite> find_invite(Database& database, const std::string& token_hash) {
  Statement row = database.query(
      "SELECT r.id, u.id, i.created_at, i.expires_at, i.uses_left FROM invites i CROSS JOIN rooms r ON r.key = i.room"
      " CROSS JOIN users u ON u.key = i.creator WHERE i.token_hash = ?",
      token_hash);
  if (!row.step()) return std::nullopt;
  return Invite{token_hash,
                row.get<RoomId>(0),
                row.get<UserId>(1),
                row.get<Timestamp>(2),
                row.get<std::optional<Timestamp>>(3),
                row.get<std::optional<int>>(4)};
}

// People of shared rooms, but those with whom there is a row in blocks: `?1` as its user, or as who is blocked.
static std::vector<UserId> contacts(Database& database, const UserId& user, int largest_room, bool who_see_me) {
  std::vector<UserId> people;
  Statement row = database.query(
      who_see_me
          ? "WITH me AS (SELECT key FROM users WHERE id = ?1),"
            " shared AS (SELECT m.room FROM members m WHERE m.user = (SELECT key FROM me)"
            "  AND (SELECT count(*) FROM (SELECT 1 FROM members n WHERE n.room = m.room LIMIT ?2 + 1)) <= ?2)"
            " SELECT u.id FROM users u WHERE u.key IN (SELECT m.user FROM shared CROSS JOIN members m ON m.room = shared.room)"
            " AND u.id <> ?1"
            " AND NOT EXISTS (SELECT 1 FROM blocks b WHERE b.user = (SELECT key FROM me) AND b.blocked = u.key) ORDER BY u.id"
          : "WITH me AS (SELECT key FROM users WHERE id = ?1),"
            " shared AS (SELECT m.room FROM members m WHERE m.user = (SELECT key FROM me)"
            "  AND (SELECT count(*) FROM (SELECT 1 FROM members n WHERE n.room = m.room LIMIT ?2 + 1)) <= ?2)"
            " SELECT u.id FROM users u WHERE u.key IN (SELECT m.user FROM shared CROSS JOIN members m ON m.room = shared.room)"
            " AND u.id <> ?1"
            " AND NOT EXISTS (SELECT 1 FROM blocks b WHERE b.user = u.key AND b.blocked = (SELECT key FROM me)) ORDER BY u.id",
      user, largest_room);
  while (row.step()) people.push_back(row.get<UserId>(0));
  return people;
}

std::vector<UserId> contacts_of(Database& database, const UserId& user, int largest_room) {
  return contacts(database, user, largest_room, true);
}

std::vector<UserId> visible_contacts_of(Database& database, const UserId& user, int largest_room) {
  return contacts(database, user, largest_room, false);
}

}  // namespace payam::chat::sqlite
