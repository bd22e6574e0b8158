#include "chat/store/sqlite/sqlite_archive.hpp"

#include <algorithm>
#include <unordered_map>

#include "chat/rules.hpp"
#include "chat/store/sqlite/accounts.hpp"
#include "chat/store/sqlite/database.hpp"
#include "chat/store/sqlite/schema.hpp"

namespace payam::chat {
namespace {

using namespace transfer;
using sqlite::Database;
using sqlite::Statement;

using Take = std::function<void(Record)>;

void read_people(Database& database, const Take& take) {
  Statement user =
      database.query("SELECT id, email, username, full_name, password_hash, created_at, last_seen FROM users ORDER BY key");
  while (user.step()) {
    take(UserRecord{user.get<UserId>(0), user.get<std::optional<std::string>>(1), user.get<std::optional<std::string>>(2),
                    user.get<std::optional<std::string>>(3), user.get<std::string>(4), user.get<Timestamp>(5),
                    user.get<std::optional<Timestamp>>(6)});
  }
  Statement block = database.query(
      "SELECT u.id, b.id FROM blocks JOIN users u ON u.key = blocks.user JOIN users b ON b.key = blocks.blocked");
  while (block.step()) take(BlockRecord{block.get<UserId>(0), block.get<UserId>(1)});
  Statement session = database.query(
      "SELECT s.id, u.id, s.device, s.address, s.refresh_hash, s.created_at, s.last_used_at, s.used_tokens"
      " FROM sessions s JOIN users u ON u.key = s.user");
  while (session.step()) {
    take(SessionRecord{session.get<SessionId>(0), session.get<UserId>(1), session.get<std::string>(2),
                       session.get<std::string>(3), session.get<std::string>(4), session.get<Timestamp>(5),
                       session.get<Timestamp>(6), sqlite::used_tokens_of(session.get<std::string>(7))});
  }
  Statement upload = database.query(
      "SELECT f.id, u.id, f.name, f.content_type, f.size, f.width, f.height, f.created_at FROM uploads f JOIN users u"
      " ON u.key = f.uploader ORDER BY f.key");
  while (upload.step()) {
    take(UploadRecord{upload.get<UploadId>(0), upload.get<UserId>(1), upload.get<std::string>(2), upload.get<std::string>(3),
                      upload.get<std::uint64_t>(4), upload.get<std::optional<int>>(5), upload.get<std::optional<int>>(6),
                      upload.get<Timestamp>(7)});
  }
}

void read_rooms(Database& database, const Take& take) {
  Statement room = database.query(
      "SELECT r.id, r.kind, r.name, r.topic, r.created_at, r.last_seq, r.rev, r.active_at, low.id, high.id FROM rooms r"
      " LEFT JOIN users low ON low.key = r.low_user LEFT JOIN users high ON high.key = r.high_user WHERE r.deleted = 0"
      " ORDER BY r.key");
  while (room.step()) {
    RoomRecord record{{room.get<RoomId>(0), room.get<RoomKind>(1), room.get<std::string>(2), room.get<std::string>(3),
                       room.get<Timestamp>(4), room.get<Seq>(5), room.get<Rev>(6)},
                      room.get<Timestamp>(7),
                      {}};
    if (record.room.kind == RoomKind::direct) record.pair = std::minmax({room.get<UserId>(8), room.get<UserId>(9)});
    take(std::move(record));
  }
  Statement member = database.query(
      "SELECT r.id, u.id, m.role, m.read_seq, m.hidden_seq, m.joined_at FROM members m JOIN rooms r ON r.key = m.room"
      " JOIN users u ON u.key = m.user WHERE r.deleted = 0");
  while (member.step()) {
    take(MemberRecord{member.get<RoomId>(0), member.get<UserId>(1), member.get<Role>(2), member.get<Seq>(3),
                      member.get<std::optional<Seq>>(4), member.get<Timestamp>(5)});
  }
  Statement removal = database.query(
      "SELECT r.id, u.id, m.rev FROM removals m JOIN rooms r ON r.key = m.room JOIN users u ON u.key = m.user WHERE r.deleted "
      "= 0");
  while (removal.step()) take(RemovalRecord{removal.get<RoomId>(0), removal.get<UserId>(1), removal.get<Rev>(2)});
  Statement invite = database.query(
      "SELECT i.token_hash, r.id, u.id, i.created_at, i.expires_at, i.uses_left, i.rev FROM invites i JOIN rooms r"
      " ON r.key = i.room JOIN users u ON u.key = i.creator WHERE r.deleted = 0");
  while (invite.step()) {
    take(InviteRecord{{invite.get<std::string>(0), invite.get<RoomId>(1), invite.get<UserId>(2), invite.get<Timestamp>(3),
                       invite.get<std::optional<Timestamp>>(4), invite.get<std::optional<int>>(5)},
                      invite.get<Rev>(6)});
  }
}

void read_log(Database& database, const Take& take) {
  Statement entry = database.query(
      "SELECT r.id, l.rev, l.kind, l.seq, l.at, u.id, l.subject, l.name, l.topic, l.room, m.id, m.first_rev FROM log l JOIN "
      "rooms r"
      " ON r.key = l.room JOIN users u ON u.key = l.actor LEFT JOIN messages m ON m.room = l.room AND m.seq = l.subject"
      " WHERE r.deleted = 0 ORDER BY l.room, l.rev");
  while (entry.step()) {
    EntryRecord record{entry.get<RoomId>(0),
                       entry.get<Rev>(1),
                       entry.get<EntryRecord::Kind>(2),
                       entry.get<Seq>(3),
                       entry.get<Timestamp>(4),
                       entry.get<UserId>(5),
                       {},
                       entry.get<std::optional<std::string>>(7),
                       entry.get<std::optional<std::string>>(8),
                       {}};
    if (const auto subject = entry.get<std::optional<Seq>>(6)) {
      record.subject = EntryRecord::Subject{*subject, entry.get<MessageId>(10), entry.get<Rev>(11)};
    }
    Statement named = database.query(
        "SELECT u.id, n.role FROM log_members n JOIN users u ON u.key = n.user WHERE n.room = ? AND n.rev = ? ORDER BY "
        "n.position",
        entry.get<std::int64_t>(9), record.rev);
    while (named.step()) record.named.emplace_back(named.get<UserId>(0), named.get<Role>(1));
    take(std::move(record));
  }
}

// Rows of another table in the same order, taken along as their message passes.
class Side {
 public:
  explicit Side(Statement rows) : rows_(std::move(rows)), more_(rows_.step()) {}
  template <class Use>
  void each_of(std::int64_t room, Seq seq, const Use& use) {
    for (; more_ && rows_.get<std::int64_t>(0) == room && rows_.get<Seq>(1) == seq; more_ = rows_.step()) use(rows_);
  }

 private:
  Statement rows_;
  bool more_;
};

void read_messages(Database& database, const Take& take) {
  Statement row = database.query(
      "SELECT m.room, m.seq, r.id, m.id, m.first_rev, m.rev, u.id, m.at, m.content, m.client_id, m.reply_to, m.edited_at,"
      " m.deleted, m.pinned FROM messages m CROSS JOIN rooms r ON r.key = m.room CROSS JOIN users u ON u.key = m.sender"
      " WHERE r.deleted = 0 ORDER BY m.room, m.seq");
  Side reactions(database.query(
      "SELECT n.room, n.seq, n.emoji, u.id FROM reactions n CROSS JOIN rooms r ON r.key = n.room CROSS JOIN users u"
      " ON u.key = n.user WHERE r.deleted = 0 ORDER BY n.room, n.seq, n.rev"));
  Side mentions(database.query(
      "SELECT n.room, n.seq, u.id FROM mentions n CROSS JOIN rooms r ON r.key = n.room CROSS JOIN users u ON u.key = n.user"
      " WHERE r.deleted = 0 ORDER BY n.room, n.seq, n.position"));
  Side uploads(database.query(
      "SELECT a.room, a.seq, f.id, a.position IS NOT NULL FROM message_uploads a CROSS JOIN rooms r ON r.key = a.room"
      " CROSS JOIN uploads f ON f.key = a.upload WHERE r.deleted = 0 ORDER BY a.room, a.seq, a.position, f.id"));
  while (row.step()) {
    const auto room = row.get<std::int64_t>(0);
    MessageRecord record;
    record.seq = row.get<Seq>(1);
    record.room = row.get<RoomId>(2);
    record.id = row.get<MessageId>(3);
    record.first_rev = row.get<Rev>(4);
    record.rev = row.get<Rev>(5);
    record.sender = row.get<UserId>(6);
    record.at = row.get<Timestamp>(7);
    record.content = row.get<std::string>(8);
    record.client_id = row.get<std::optional<std::string>>(9);
    record.reply_to = row.get<std::optional<MessageId>>(10);
    record.edited_at = row.get<std::optional<Timestamp>>(11);
    record.deleted = row.get<bool>(12);
    record.pinned = row.get<bool>(13);
    reactions.each_of(room, record.seq,
                      [&](const Statement& one) { record.reactions.push_back({one.get<std::string>(2), one.get<UserId>(3)}); });
    mentions.each_of(room, record.seq, [&](const Statement& one) { record.mentions.push_back(one.get<UserId>(2)); });
    uploads.each_of(room, record.seq, [&](const Statement& one) {
      (one.get<bool>(3) ? record.attachments : record.links).push_back(one.get<UploadId>(2));
    });
    take(std::move(record));
  }
}

// Each call writes one record, or finds that it is there.
class Inserter {
 public:
  explicit Inserter(Database& database) : database_(database) {}

  void operator()(const UserRecord& r) {
    const auto key_of = [](const std::optional<std::string>& name) {
      return name ? std::optional(rules::username_key(*name)) : std::nullopt;
    };
    database_.run(
        "INSERT INTO users (id, email, username, username_key, full_name, full_name_key, password_hash, created_at, last_seen)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
        r.id, r.email, r.username, key_of(r.username), r.full_name, key_of(r.full_name), r.password_hash, r.created_at,
        r.last_seen);
  }
  void operator()(const BlockRecord& r) {
    database_.run("INSERT INTO blocks (user, blocked) VALUES (?, ?) ON CONFLICT DO NOTHING", user(r.user), user(r.blocked));
  }
  void operator()(const SessionRecord& r) {
    database_.run(
        "INSERT INTO sessions (id, user, device, address, refresh_hash, created_at, last_used_at, used_tokens)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
        r.id, user(r.user), r.device, r.address, r.refresh_hash, r.created_at, r.last_used_at,
        sqlite::used_tokens_text(r.used));
  }
  void operator()(const UploadRecord& r) {
    database_.run(
        "INSERT INTO uploads (id, uploader, name, content_type, size, width, height, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, "
        "?)"
        " ON CONFLICT (id) DO NOTHING",
        r.id, user(r.uploader), r.name, r.content_type, r.size, r.width, r.height, r.created_at);
  }
  void operator()(const RoomRecord& r) {
    std::optional<std::int64_t> low, high;
    if (r.pair) {
      low = std::min(user(r.pair->first), user(r.pair->second));
      high = std::max(user(r.pair->first), user(r.pair->second));
    }
    database_.run(
        "INSERT INTO rooms (id, kind, name, topic, created_at, active_at, last_seq, rev, low_user, high_user)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
        r.room.id, r.room.kind, r.room.name, r.room.topic, r.room.created_at, r.active_at, r.room.last_seq, r.room.rev, low,
        high);
  }
  void operator()(const MemberRecord& r) {
    database_.run(
        "INSERT INTO members (room, user, role, read_seq, hidden_seq, joined_at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO "
        "NOTHING",
        room(r.room), user(r.user), r.role, r.read_seq, r.hidden_seq, r.joined_at);
  }
  void operator()(const RemovalRecord& r) {
    database_.run("INSERT INTO removals (room, user, rev) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", room(r.room), user(r.user),
                  r.rev);
  }
  void operator()(const InviteRecord& r) {
    database_.run(
        "INSERT INTO invites (token_hash, room, rev, creator, created_at, expires_at, uses_left) VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (token_hash) DO NOTHING",
        r.invite.token_hash, room(r.invite.room), r.rev, user(r.invite.creator), r.invite.created_at, r.invite.expires_at,
        r.invite.uses_left);
  }
  void operator()(const EntryRecord& r) {
    const auto added = database_.run(
        "INSERT INTO log (room, rev, kind, seq, at, actor, subject, name, topic) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO NOTHING",
        room(r.room), r.rev, r.kind, r.seq, r.at, user(r.actor), r.subject ? std::optional(r.subject->seq) : std::nullopt,
        r.name, r.topic);
    for (std::size_t i = 0; added > 0 && i < r.named.size(); ++i) {
      database_.run("INSERT INTO log_members (room, rev, position, user, role) VALUES (?, ?, ?, ?, ?)", room(r.room), r.rev, i,
                    user(r.named[i].first), r.named[i].second);
    }
  }
  void operator()(const MessageRecord& r) {
    const std::int64_t place = room(r.room);
    const auto added = database_.run(
        "INSERT INTO messages (room, seq, id, first_rev, rev, sender, at, content, client_id, reply_to, edited_at, deleted, "
        "pinned)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (room, seq) DO NOTHING",
        place, r.seq, r.id, r.first_rev, r.rev, user(r.sender), r.at, r.content, r.client_id, r.reply_to, r.edited_at,
        r.deleted, r.pinned);
    if (added == 0) return;
    // Of the entries that added them only the order matters.
    for (std::size_t i = 0; i < r.reactions.size(); ++i) {
      database_.run("INSERT INTO reactions (room, seq, rev, emoji, user) VALUES (?, ?, ?, ?, ?)", place, r.seq, i + 1,
                    r.reactions[i].emoji, user(r.reactions[i].user));
    }
    for (std::size_t i = 0; i < r.mentions.size(); ++i) {
      database_.run("INSERT INTO mentions (room, seq, position, user) VALUES (?, ?, ?, ?)", place, r.seq, i,
                    user(r.mentions[i]));
    }
    for (std::size_t i = 0; i < r.attachments.size(); ++i) refer(place, r.seq, r.attachments[i], i);
    for (const UploadId& link : r.links) refer(place, r.seq, link, std::nullopt);
  }

 private:
  void refer(std::int64_t room, Seq seq, const UploadId& upload, std::optional<std::size_t> position) {
    database_.run(
        "INSERT OR IGNORE INTO message_uploads (room, seq, upload, position) SELECT ?, ?, key, ? FROM uploads WHERE id = ?",
        room, seq, position, upload);
    database_.run("UPDATE uploads SET used = 1 WHERE id = ?", upload);
  }
  std::int64_t user(const UserId& id) { return key_of(id, users_, "SELECT key FROM users WHERE id = ?"); }
  std::int64_t room(const RoomId& id) { return key_of(id, rooms_, "SELECT key FROM rooms WHERE id = ?"); }
  template <class I>
  std::int64_t key_of(const I& id, std::unordered_map<I, std::int64_t>& known, std::string_view sql) {
    if (const auto found = known.find(id); found != known.end()) return found->second;
    Statement row = database_.query(sql, id);
    if (!row.step()) throw std::runtime_error("a record refers to " + id.str() + ", which is not there");
    return known[id] = row.get<std::int64_t>(0);
  }

  Database& database_;
  std::unordered_map<UserId, std::int64_t> users_;
  std::unordered_map<RoomId, std::int64_t> rooms_;
};

class SqliteArchive final : public Archive {
 public:
  explicit SqliteArchive(const std::filesystem::path& path) : database_({path.string(), false, nullptr}) {
    database_.query("PRAGMA journal_mode = WAL").step();
    database_.execute(
        "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA cache_size = -65536");
    sqlite::migrate(database_);
  }

  void read(const std::function<void(Record)>& take) override {
    sqlite::Transaction snapshot(database_, sqlite::Transaction::Kind::read);
    read_people(database_, take);
    read_rooms(database_, take);
    read_log(database_, take);
    read_messages(database_, take);
  }

  // One transaction; what others refer to goes first, whatever the order.
  void put(std::span<const Record> records) override {
    sqlite::Transaction transaction(database_, sqlite::Transaction::Kind::write);
    Inserter insert(database_);
    for (std::size_t kind = 0; kind < kKinds; ++kind) {
      for (const Record& record : records) {
        if (record.index() == kind) std::visit(insert, record);
      }
    }
    transaction.commit();
  }

 private:
  Database database_;
};

}  // namespace

std::unique_ptr<Archive> open_sqlite_archive(const std::filesystem::path& path) {
  return std::make_unique<SqliteArchive>(path);
}

}  // namespace payam::chat
