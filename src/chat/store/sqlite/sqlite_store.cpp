#include "chat/store/sqlite/sqlite_store.hpp"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "chat/store/sqlite/accounts.hpp"
#include "chat/store/sqlite/reader_pool.hpp"
#include "chat/store/sqlite/schema.hpp"
#include "chat/store/sqlite/views.hpp"
#include "chat/store/sqlite/writer.hpp"

namespace payam::chat {
namespace {

using sqlite::Database;

constexpr std::string_view kMemory = ":memory:";

std::unique_ptr<Database> open_for_writing(const SqliteOptions& options) {
  auto database = std::make_unique<Database>(Database::Options{options.path.string(), false, options.vfs});
  if (options.path != kMemory) {
    sqlite::Statement row = database->query("PRAGMA journal_mode = WAL");
    row.step();
    if (row.get<std::string>(0) != "wal")
      throw std::runtime_error("the file system of the database has no shared memory (WAL)");
  }
  // FULL: an acknowledged change outlives the machine's power.
  database->execute(
      "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;"
      "PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -16384");
  sqlite::migrate(*database);
  return database;
}

class SqliteStore final : public Store {
 public:
  explicit SqliteStore(const SqliteOptions& options)
      : writer_(open_for_writing(options), {.queue_jobs = options.writer_queue,
                                            .cache_entries = options.cache_entries,
                                            .checkpoint_pages = options.checkpoint_pages}) {
    if (options.path != kMemory) readers_.emplace(options.path.string(), options.vfs, options.readers, options.reader_queue);
  }

  void observe(CommitObserver observer) override { writer_.observe(std::move(observer)); }

  Task<Result<User>> create_user(User user) override {
    return writer_.write([user = std::move(user)](Database& db) { return sqlite::create_user(db, user); });
  }
  Task<std::optional<User>> find_user(UserId id) override {
    return read([id = std::move(id)](Database& db) { return sqlite::find_user(db, id); });
  }
  Task<std::optional<User>> find_user_by_email(std::string email) override {
    return read([email = std::move(email)](Database& db) { return sqlite::find_user_by_email(db, email); });
  }
  Task<std::optional<User>> find_user_by_username(std::string username) override {
    return read([username = std::move(username)](Database& db) { return sqlite::find_user_by_username(db, username); });
  }
  Task<> set_last_seen(UserId user, Timestamp at) override {
    return writer_.write([user = std::move(user), at](Database& db) { sqlite::set_last_seen(db, user, at); });
  }

  Task<> create_session(Session session) override {
    return writer_.write([session = std::move(session)](Database& db) { sqlite::create_session(db, session); });
  }
  Task<std::optional<Session>> find_session(SessionId id) override {
    return read([id = std::move(id)](Database& db) { return sqlite::find_session(db, id); });
  }

  Task<Result<Commit>> commit(Change change) override { return writer_.commit(std::move(change)); }

  Task<Result<RoomView>> find_room(RoomId room, UserId viewer, int messages) override {
    return read([room = std::move(room), viewer = std::move(viewer), messages](Database& db) {
      return sqlite::find_room(db, room, viewer, messages);
    });
  }
  Task<std::vector<RoomSummary>> rooms_of(UserId user, RoomKind kind) override {
    return read([user = std::move(user), kind](Database& db) { return sqlite::rooms_of(db, user, kind); });
  }
  Task<std::vector<RoomId>> room_ids_of(UserId user) override {
    return read([user = std::move(user)](Database& db) { return sqlite::room_ids_of(db, user); });
  }
  Task<bool> is_member(RoomId room, UserId user) override {
    return read([room = std::move(room), user = std::move(user)](Database& db) { return sqlite::is_member(db, room, user); });
  }
  Task<Result<HistoryPage>> history(RoomId room, UserId viewer, HistoryQuery query) override {
    return read([room = std::move(room), viewer = std::move(viewer), query](Database& db) {
      return sqlite::history(db, room, viewer, query);
    });
  }
  Task<Result<CatchUp>> messages_after(RoomId room, UserId viewer, Seq seq, CatchUpLimit limit) override {
    return read([room = std::move(room), viewer = std::move(viewer), seq, limit](Database& db) {
      return sqlite::messages_after(db, room, viewer, seq, limit);
    });
  }
  Task<Result<CatchUp>> changes_after(RoomId room, UserId viewer, Rev rev, CatchUpLimit limit) override {
    return read([room = std::move(room), viewer = std::move(viewer), rev, limit](Database& db) {
      return sqlite::changes_after(db, room, viewer, rev, limit);
    });
  }
  Task<std::vector<UserId>> contacts_of(UserId user, int largest_room) override {
    return read([user = std::move(user), largest_room](Database& db) { return sqlite::contacts_of(db, user, largest_room); });
  }

  Task<> create_upload(Upload upload) override {
    return writer_.write([upload = std::move(upload)](Database& db) { sqlite::create_upload(db, upload); });
  }
  Task<std::optional<Upload>> find_upload(UploadId id, UserId viewer) override {
    return read([id = std::move(id), viewer = std::move(viewer)](Database& db) { return sqlite::find_upload(db, id, viewer); });
  }

  Task<> ping() override {
    co_await writer_.write([](Database&) {});
    co_await read([](Database& db) { return sqlite::find_user(db, UserId{}); });
  }

 private:
  template <class F>
  Task<std::invoke_result_t<F&, Database&>> read(F work) {
    return readers_ ? readers_->read(std::move(work)) : writer_.read(std::move(work));
  }

  sqlite::Writer writer_;
  std::optional<sqlite::ReaderPool> readers_;  // none in memory, where there is one connection
};

}  // namespace

std::unique_ptr<Store> open_sqlite_store(const SqliteOptions& options) { return std::make_unique<SqliteStore>(options); }

}  // namespace payam::chat
