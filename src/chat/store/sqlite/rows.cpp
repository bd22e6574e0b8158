#include "chat/store/sqlite/rows.hpp"

#include <algorithm>

namespace payam::chat::sqlite {
namespace {

struct BothWays {
  std::string_view ascending, descending;

  std::string_view in(Order order) const { return order == Order::ascending ? ascending : descending; }
};

#define PAYAM_BOTH_WAYS(select, seq, rest) {select " ORDER BY " seq rest, select " ORDER BY " seq " DESC" rest}

constexpr BothWays kMessages = PAYAM_BOTH_WAYS(
    "SELECT m.seq, m.id, m.rev, u.email, u.id, m.content, m.at, m.client_id, m.reply_to, m.edited_at, m.deleted, m.pinned,"
    " m.first_rev FROM messages m CROSS JOIN users u ON u.key = m.sender WHERE m.room = ? AND m.seq BETWEEN ? AND ?",
    "m.seq", "");
constexpr BothWays kMentions = PAYAM_BOTH_WAYS(
    "SELECT n.seq, u.email FROM mentions n CROSS JOIN users u ON u.key = n.user"
    " WHERE n.room = ? AND n.seq BETWEEN ? AND ? AND u.email IS NOT NULL",
    "n.seq", ", n.position");
constexpr BothWays kReactions = PAYAM_BOTH_WAYS(
    "SELECT n.seq, n.emoji, u.email FROM reactions n CROSS JOIN users u ON u.key = n.user"
    " WHERE n.room = ? AND n.seq BETWEEN ? AND ? AND u.email IS NOT NULL",
    "n.seq", ", n.rev");
constexpr BothWays kAttachments = PAYAM_BOTH_WAYS(
    "SELECT a.seq, f.id, u.id, f.name, f.content_type, f.size, f.width, f.height, f.created_at FROM message_uploads a"
    " CROSS JOIN uploads f ON f.key = a.upload CROSS JOIN users u ON u.key = f.uploader"
    " WHERE a.room = ? AND a.seq BETWEEN ? AND ? AND a.position IS NOT NULL",
    "a.seq", ", a.position");

#undef PAYAM_BOTH_WAYS

}  // namespace

std::vector<Member> read_members(Database& database, std::int64_t room) {
  std::vector<Member> members;
  Statement row = database.query(
      "SELECT u.id, u.email, u.username, m.role, m.read_seq FROM members m JOIN users u ON u.key = m.user WHERE m.room = ?"
      " ORDER BY u.email",
      room);
  while (row.step()) {
    members.push_back(
        {row.get<UserId>(0), row.get<std::string>(1), row.get<std::string>(2), row.get<Role>(3), row.get<Seq>(4)});
  }
  return members;
}

MessageCursor::MessageCursor(Database& database, const RoomRef& room, Seq first, Seq last, Order order)
    : room_(room.id),
      messages_(database.query(kMessages.in(order), room.key, first, last)),
      mentions_(database.query(kMentions.in(order), room.key, first, last)),
      reactions_(database.query(kReactions.in(order), room.key, first, last)),
      attachments_(database.query(kAttachments.in(order), room.key, first, last)) {}

std::optional<Message> MessageCursor::next() {
  if (!messages_.step()) return std::nullopt;
  Message message;
  message.room = room_;
  message.seq = messages_.get<Seq>(0);
  message.id = messages_.get<MessageId>(1);
  message.rev = messages_.get<Rev>(2);
  message.sender = messages_.get<std::optional<std::string>>(3);
  message.sender_id = messages_.get<UserId>(4);
  message.content = messages_.get<std::string>(5);
  message.timestamp = messages_.get<Timestamp>(6);
  message.client_id = messages_.get<std::optional<std::string>>(7);
  message.reply_to = messages_.get<std::optional<MessageId>>(8);
  message.edited_at = messages_.get<std::optional<Timestamp>>(9);
  message.deleted = messages_.get<bool>(10);
  message.pinned = messages_.get<bool>(11);
  first_rev_ = messages_.get<Rev>(12);
  for (; mentions_.belongs_to(message.seq); mentions_.step()) {
    message.mentions.push_back(mentions_.row().get<std::string>(1));
  }
  for (; reactions_.belongs_to(message.seq); reactions_.step()) {
    auto emoji = reactions_.row().get<std::string>(1);
    auto reaction = std::ranges::find(message.reactions, emoji, &Reaction::emoji);
    if (reaction == message.reactions.end()) reaction = message.reactions.insert(reaction, {std::move(emoji), {}});
    reaction->users.push_back(reactions_.row().get<std::string>(2));
  }
  for (; attachments_.belongs_to(message.seq); attachments_.step()) {
    const Statement& row = attachments_.row();
    message.attachments.push_back({row.get<UploadId>(1), row.get<UserId>(2), row.get<std::string>(3), row.get<std::string>(4),
                                   row.get<std::uint64_t>(5), row.get<std::optional<int>>(6), row.get<std::optional<int>>(7),
                                   row.get<Timestamp>(8)});
  }
  return message;
}

std::vector<Message> read_messages(Database& database, const RoomRef& room, Seq first, Seq last) {
  std::vector<Message> messages;
  if (first > last) return messages;
  MessageCursor cursor(database, room, first, last);
  while (auto message = cursor.next()) messages.push_back(std::move(*message));
  return messages;
}

LogCursor::LogCursor(Database& database, const RoomRef& room, Rev after)
    : database_(database),
      room_(room),
      rows_(database.query("SELECT l.rev, l.kind, l.seq, l.at, l.name, u.id, u.email, l.subject, l.topic FROM log l CROSS JOIN "
                           "users u ON u.key = l.actor"
                           " WHERE l.room = ? AND l.rev > ? ORDER BY l.rev",
                           room.key, after)) {}

bool LogCursor::next() { return rows_.step(); }

Entry LogCursor::entry() const {
  Entry entry;
  entry.room = room_.id;
  entry.rev = rev();
  entry.at = rows_.get<Timestamp>(3);
  entry.actor = rows_.get<UserId>(5);
  entry.actor_email = rows_.get<std::optional<std::string>>(6);
  std::vector<Participant> named = participants();
  switch (rows_.get<EntryKind>(1)) {
    case EntryKind::room_created: {
      // Only the two of a direct room have no name to give it.
      const auto name = rows_.get<std::optional<std::string>>(4);
      entry.body = RoomCreated{name ? RoomKind::group : RoomKind::direct, name.value_or(""), std::move(named)};
      break;
    }
    case EntryKind::message_updated: {
      const Seq seq = subject().value();
      entry.body = MessageUpdated{std::move(read_messages(database_, room_, seq, seq).at(0))};
      break;
    }
    case EntryKind::role_changed: entry.body = RoleChanged{std::move(named.at(0))}; break;
    case EntryKind::room_updated: entry.body = RoomUpdated{rows_.get<std::string>(4), rows_.get<std::string>(8)}; break;
    case EntryKind::members_added: entry.body = MembersAdded{std::move(named)}; break;
    case EntryKind::member_removed: entry.body = MemberRemoved{std::move(named.at(0))}; break;
    case EntryKind::account_erased: entry.body = AccountErased{std::move(named.at(0))}; break;
  }
  return entry;
}

// Every rev between two rows of the log is a message's.
Seq first_message_after(Database& database, std::int64_t room, Rev rev) {
  Statement row = database.query("SELECT rev, seq FROM log WHERE room = ? AND rev <= ? ORDER BY rev DESC LIMIT 1", room, rev);
  if (!row.step()) return Seq{1};
  return Seq{row.get<std::int64_t>(1) + (rev.value - row.get<std::int64_t>(0)) + 1};
}

std::vector<Participant> LogCursor::participants() const {
  std::vector<Participant> named;
  Statement row = database_.query(
      "SELECT u.id, u.email, n.role FROM log_members n CROSS JOIN users u ON u.key = n.user"
      " WHERE n.room = ? AND n.rev = ? ORDER BY n.position",
      room_.key, rev());
  while (row.step()) named.push_back({row.get<UserId>(0), row.get<std::optional<std::string>>(1), row.get<Role>(2)});
  return named;
}

}  // namespace payam::chat::sqlite
