#include "chat/store/sqlite/sqlite_store.hpp"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "chat/store/sqlite/accounts.hpp"
#include "chat/store/sqlite/reader_pool.hpp"
#include "chat/store/sqlite/schema.hpp"
#include "chat/store/sqlite/search_index.hpp"
#include "chat/store/sqlite/search_indexer.hpp"
#include "chat/store/sqlite/uploads.hpp"
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
      "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF; PRAGMA "
      "secure_delete = FAST;"
      "PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -16384");
  sqlite::migrate(*database);
  if (options.path == kMemory) {
    database->execute("ATTACH ':memory:' AS search");
    sqlite::prepare_search_index(*database, "search");
  }
  return database;
}

class SqliteStore final : public Store {
 public:
  explicit SqliteStore(const SqliteOptions& options)
      : writer_(open_for_writing(options), meters_,
                {.queue = options.writer_queue,
                 .cache_entries = options.cache_entries,
                 .checkpoint_pages = options.checkpoint_pages,
                 .reserve = options.reserve}),
        reads_a_user_(options.reads_a_user),
        search_effort_(options.search_effort),
        search_patience_(options.search_patience) {
    writer_.observe([this](std::span<const Commit> commits) { on_commits(commits); });
    if (options.path == kMemory) return;
    const std::string path = options.path.string();
    const std::string index = path + "-search";
    readers_.emplace(
        sqlite::ReaderPool::Options{
            .path = path, .vfs = options.vfs, .threads = options.readers, .queue_limit = options.reader_queue},
        meters_);
    indexer_.emplace(sqlite::SearchIndexer::Options{.index = index, .chat = path, .vfs = options.vfs}, meters_);
    searchers_.emplace(
        sqlite::ReaderPool::Options{.path = index, .attached = path, .vfs = options.vfs, .threads = options.searchers},
        meters_);
  }

  // The writer is the last to close the chat's database: who is, copies the log into it.
  ~SqliteStore() override {
    searchers_.reset();
    if (indexer_) indexer_->stop();
  }

  void observe(CommitObserver observer) override { observer_ = std::move(observer); }

  Task<Result<User>> create_user(User user) override {
    return writer_.add([user = std::move(user)](Database& db) { return sqlite::create_user(db, user); });
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

  Task<Result<User>> update_user(UserId user, std::optional<std::string> username,
                                 std::optional<std::string> full_name) override {
    return writer_.add([user = std::move(user), username = std::move(username), full_name = std::move(full_name)](
                           Database& db) { return sqlite::update_user(db, user, username, full_name); });
  }
  Task<> set_password_hash(UserId user, std::string hash) override {
    return writer_.write(
        [user = std::move(user), hash = std::move(hash)](Database& db) { sqlite::set_password_hash(db, user, hash); });
  }
  Task<bool> renew_password_hash(UserId user, std::string old, std::string hash) override {
    return writer_.write([user = std::move(user), old = std::move(old), hash = std::move(hash)](Database& db) {
      return sqlite::renew_password_hash(db, user, old, hash);
    });
  }
  Task<int> highest_password_cost() override {
    return read([](Database& db) { return sqlite::highest_password_cost(db); });
  }
  Task<std::vector<User>> search_users(std::string prefix, int limit) override {
    return read([prefix = std::move(prefix), limit](Database& db) { return sqlite::search_users(db, prefix, limit); });
  }
  Task<bool> erase_user(UserId user, Timestamp at) override {
    return writer_.write([user = std::move(user), at](sqlite::Appender& appender, std::vector<Commit>& commits) {
      return appender.erase_user(user, at, commits);
    });
  }
  Task<Result<>> set_block(UserId user, std::string email, bool on) override {
    return writer_.write([user = std::move(user), email = std::move(email), on](Database& db) {
      return sqlite::set_block(db, user, email, on);
    });
  }
  Task<std::vector<std::string>> blocks_of(UserId user) override {
    Turn turn = turn_of(user);
    return read(std::move(turn), [user = std::move(user)](Database& db) { return sqlite::blocks_of(db, user); });
  }

  Task<> create_session(Session session) override {
    return writer_.write([session = std::move(session)](Database& db) { sqlite::create_session(db, session); });
  }
  Task<std::optional<Session>> find_session(SessionId id) override {
    return read([id = std::move(id)](Database& db) { return sqlite::find_session(db, id); });
  }

  Task<std::vector<Session>> sessions_of(UserId user) override {
    Turn turn = turn_of(user);
    return read(std::move(turn), [user = std::move(user)](Database& db) { return sqlite::sessions_of(db, user); });
  }
  Task<> touch_session(SessionId id, Timestamp at) override {
    return writer_.write([id = std::move(id), at](Database& db) { sqlite::touch_session(db, id, at); });
  }
  Task<std::optional<Rotated>> rotate_session(SessionId id, Rotation rotation, Timestamp at) override {
    return writer_.write([id = std::move(id), rotation = std::move(rotation), at](Database& db) {
      return sqlite::rotate_session(db, id, rotation, at);
    });
  }
  Task<std::vector<Session>> end_idle_sessions(Timestamp before, int limit) override {
    return writer_.write([before, limit](Database& db) { return sqlite::end_idle_sessions(db, before, limit); });
  }
  Task<bool> end_session(SessionId id, UserId owner) override {
    return writer_.write(
        [id = std::move(id), owner = std::move(owner)](Database& db) { return sqlite::end_session(db, id, owner); });
  }
  Task<std::vector<SessionId>> end_sessions_of(UserId user, std::optional<SessionId> but) override {
    return writer_.write(
        [user = std::move(user), but = std::move(but)](Database& db) { return sqlite::end_sessions_of(db, user, but); });
  }

  Task<Result<Commit>> commit(Change change) override { return writer_.commit(std::move(change)); }

  Task<Result<RoomView>> find_room(RoomId room, UserId viewer, int messages) override {
    Turn turn = turn_of(viewer);
    return read(std::move(turn), [room = std::move(room), viewer = std::move(viewer), messages](Database& db) {
      return sqlite::find_room(db, room, viewer, messages);
    });
  }
  Task<std::vector<RoomSummary>> rooms_of(UserId user, RoomKind kind) override {
    Turn turn = turn_of(user);
    return read(std::move(turn), [user = std::move(user), kind](Database& db) { return sqlite::rooms_of(db, user, kind); });
  }
  Task<std::vector<RoomId>> room_ids_of(UserId user) override {
    Turn turn = turn_of(user);
    return read(std::move(turn), [user = std::move(user)](Database& db) { return sqlite::room_ids_of(db, user); });
  }
  Task<bool> is_member(RoomId room, UserId user) override {
    Turn turn = turn_of(user);
    return read(std::move(turn),
                [room = std::move(room), user = std::move(user)](Database& db) { return sqlite::is_member(db, room, user); });
  }
  Task<Result<HistoryPage>> history(RoomId room, UserId viewer, HistoryQuery query) override {
    Turn turn = turn_of(viewer);
    return read(std::move(turn), [room = std::move(room), viewer = std::move(viewer), query](Database& db) {
      return sqlite::history(db, room, viewer, query);
    });
  }
  Task<Result<CatchUp>> messages_after(RoomId room, UserId viewer, Seq seq, CatchUpLimit limit) override {
    Turn turn = turn_of(viewer);
    return read(std::move(turn), [room = std::move(room), viewer = std::move(viewer), seq, limit](Database& db) {
      return sqlite::messages_after(db, room, viewer, seq, limit);
    });
  }
  Task<Result<CatchUp>> changes_after(RoomId room, UserId viewer, Rev rev, CatchUpLimit limit) override {
    Turn turn = turn_of(viewer);
    return read(std::move(turn), [room = std::move(room), viewer = std::move(viewer), rev, limit](Database& db) {
      return sqlite::changes_after(db, room, viewer, rev, limit);
    });
  }
  Task<Result<Message>> find_message(MessageRef message, UserId viewer) override {
    Turn turn = turn_of(viewer);
    return read(std::move(turn), [message = std::move(message), viewer = std::move(viewer)](Database& db) {
      return sqlite::find_message(db, message, viewer);
    });
  }
  Task<Result<PinPage>> pinned_messages(RoomId room, UserId viewer, PinQuery query) override {
    Turn turn = turn_of(viewer);
    return read(std::move(turn), [room = std::move(room), viewer = std::move(viewer), query](Database& db) {
      return sqlite::pinned_messages(db, room, viewer, query);
    });
  }
  Task<Result<SearchPage>> search(UserId viewer, SearchQuery query, std::stop_token stop) override {
    if (!indexer_) {
      auto work = [this, &viewer, &query, &stop](Database& db) {
        for (const RoomId& room : changed_.take()) {
          while (sqlite::follow_room(db, room)) {
          }
        }
        return sqlite::search(db, viewer, query, search_effort_, stop);
      };
      co_return co_await writer_.read(work);
    }
    co_await indexer_->caught_up();
    Turn turn{.caller = viewer.str(), .patience = search_patience_, .stop = stop};
    auto work = [this, &viewer, &query, &stop](Database& db) {
      return sqlite::search(db, viewer, query, search_effort_, stop);
    };
    co_return co_await searchers_->read(work, std::move(turn));
  }
  Task<Result<ReadMarker>> mark_read(RoomId room, UserId user, Seq seq) override {
    return writer_.write([room = std::move(room), user = std::move(user), seq](sqlite::Appender& appender) {
      return appender.mark_read(room, user, seq);
    });
  }
  Task<Result<>> hide_direct(RoomId room, UserId user) override {
    return writer_.write([room = std::move(room), user = std::move(user)](sqlite::Appender& appender) {
      return appender.hide_direct(room, user);
    });
  }
  Task<std::vector<UserId>> visible_contacts_of(UserId user, int largest_room) override {
    Turn turn = turn_of(user);
    return read(std::move(turn), [user = std::move(user), largest_room](Database& db) {
      return sqlite::visible_contacts_of(db, user, largest_room);
    });
  }

  Task<Result<>> create_invite(Invite invite) override {
    return writer_.add([invite = std::move(invite)](sqlite::Appender& appender) { return appender.create_invite(invite); });
  }
  Task<Result<>> delete_invite(RoomId room, UserId actor, std::string token_hash) override {
    return writer_.write([room = std::move(room), actor = std::move(actor), hash = std::move(token_hash)](
                             sqlite::Appender& appender) { return appender.delete_invite(room, actor, hash); });
  }
  Task<std::optional<Invite>> find_invite(std::string token_hash) override {
    return read([hash = std::move(token_hash)](Database& db) { return sqlite::find_invite(db, hash); });
  }
  Task<std::vector<UserId>> contacts_of(UserId user, int largest_room) override {
    Turn turn = turn_of(user);
    return read(std::move(turn),
                [user = std::move(user), largest_room](Database& db) { return sqlite::contacts_of(db, user, largest_room); });
  }

  Task<> create_upload(Upload upload) override {
    return writer_.add([upload = std::move(upload)](Database& db) { sqlite::create_upload(db, upload); });
  }
  Task<std::optional<Upload>> find_upload(UploadId id, UserId viewer) override {
    Turn turn = turn_of(viewer);
    return read(std::move(turn),
                [id = std::move(id), viewer = std::move(viewer)](Database& db) { return sqlite::find_upload(db, id, viewer); });
  }

  Task<std::uint64_t> uploaded_bytes(UserId user) override {
    Turn turn = turn_of(user);
    return read(std::move(turn), [user = std::move(user)](Database& db) { return sqlite::uploaded_bytes(db, user); });
  }
  Task<std::vector<UploadId>> unused_uploads(Timestamp before, int limit) override {
    return read([before, limit](Database& db) { return sqlite::unused_uploads(db, before, limit); });
  }
  Task<bool> delete_unused_upload(UploadId id) override {
    return writer_.write([id = std::move(id)](Database& db) { return sqlite::delete_unused_upload(db, id); });
  }
  Task<std::vector<UploadId>> uploads_among(std::vector<UploadId> ids) override {
    return read([ids = std::move(ids)](Database& db) { return sqlite::uploads_among(db, ids); });
  }

  Task<> check_writable() override { return writer_.check_writable(); }
  Task<> ping() override {
    co_await writer_.write([](Database&) {});
    co_await read([](Database& db) { return sqlite::find_user(db, UserId{}); });
  }

 private:
  template <class F>
  Task<std::invoke_result_t<F&, Database&>> read(F work) {
    return read({}, std::move(work));
  }
  template <class F>
  Task<std::invoke_result_t<F&, Database&>> read(Turn turn, F work) {
    return readers_ ? readers_->read(std::move(work), std::move(turn)) : writer_.read(std::move(work));
  }
  // What one user asks for waits for its turn among that of others.
  Turn turn_of(const UserId& user) const { return {.caller = user.str(), .most_waiting = reads_a_user_}; }

  // The writer's thread.
  void on_commits(std::span<const Commit> commits) {
    if (observer_) observer_(commits);
    if (indexer_) {
      indexer_->committed(commits);
    } else {
      changed_.add(commits);
    }
  }

  // The writer tells these of commits until its end. In memory there is one connection, and what reads it runs on the writer's
  // thread; the pools and the indexer are for a file.
  CommitObserver observer_;
  sqlite::ChangedRooms changed_;
  std::optional<sqlite::SearchIndexer> indexer_;
  sqlite::Writer writer_;
  std::optional<sqlite::ReaderPool> readers_;
  std::optional<sqlite::ReaderPool> searchers_;  // of their own, so that a long search is in nobody else's way
  const std::size_t reads_a_user_;
  const SearchEffort search_effort_;
  const Millis search_patience_;
};

}  // namespace

std::unique_ptr<Store> open_sqlite_store(const SqliteOptions& options) { return std::make_unique<SqliteStore>(options); }

}  // namespace payam::chat
