#include "chat/store/mongo/mongo_store.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "chat/rules.hpp"
#include "chat/store/mongo/accounts.hpp"
#include "chat/store/mongo/search_index.hpp"
#include "chat/store/mongo/uploads.hpp"
#include "chat/store/mongo/views.hpp"
#include "chat/store/mongo/writer.hpp"

namespace payam::chat {
namespace {

using mongo::Connection;
using mongo::doc;

constexpr int kSearchers = 2;  // each has a connection
constexpr std::size_t kSearchesWaiting = 1'000;

class MongoStore final : public Store {
 public:
  explicit MongoStore(const MongoOptions& options)
      : options_(options),
        client_(options.client),
        searchers_("the search", kSearchers, kSearchesWaiting),
        writer_(client_, {.queue = options.writer_queue}, meters_,
                [this](std::span<const Commit> commits) { on_commits(commits); }) {
    keeper_ = std::thread([this] { keep(); });
  }

  ~MongoStore() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    keeper_.join();
  }

  void observe(CommitObserver observer) override { observer_ = std::move(observer); }

  Task<Result<User>> create_user(User user) override {
    return run([user = std::move(user)](Connection& c) { return mongo::create_user(c, user); });
  }
  Task<std::optional<User>> find_user(UserId id) override {
    return run([id = std::move(id)](Connection& c) { return mongo::find_user(c, id); });
  }
  Task<std::optional<User>> find_user_by_email(std::string email) override {
    return run([email = std::move(email)](Connection& c) { return mongo::find_user_by_email(c, email); });
  }
  Task<std::optional<User>> find_user_by_username(std::string username) override {
    return run([username = std::move(username)](Connection& c) { return mongo::find_user_by_username(c, username); });
  }
  Task<> set_last_seen(UserId user, Timestamp at) override {
    return run([user = std::move(user), at](Connection& c) { mongo::set_of_user(c, user, doc("last_seen", at)); });
  }
  Task<Result<User>> update_user(UserId user, std::optional<std::string> username,
                                 std::optional<std::string> full_name) override {
    Turn turn = turn_of(user);
    return run(std::move(turn), [user = std::move(user), username = std::move(username), full_name = std::move(full_name)](
                                    Connection& c) { return mongo::update_user(c, user, username, full_name); });
  }
  Task<> set_password_hash(UserId user, std::string hash) override {
    return run([user = std::move(user), hash = std::move(hash)](Connection& c) {
      mongo::set_of_user(c, user, doc("password_hash", hash));
    });
  }
  Task<bool> renew_password_hash(UserId user, std::string old, std::string hash) override {
    return run([user = std::move(user), old = std::move(old), hash = std::move(hash)](Connection& c) {
      return mongo::renew_password_hash(c, user, old, hash);
    });
  }
  Task<int> highest_password_cost() override {
    return run([](Connection& c) { return mongo::highest_password_cost(c); });
  }
  Task<std::vector<User>> search_users(std::string prefix, int limit) override {
    return run([prefix = std::move(prefix), limit](Connection& c) { return mongo::search_users(c, prefix, limit); });
  }
  Task<bool> erase_user(UserId user, Timestamp at) override {
    if (!co_await find_user(user)) co_return false;
    co_await tell_rooms(user, at);
    auto erase = [&user](Connection& c) { return mongo::erase_account(c, user); };
    const bool erased = co_await run(std::move(erase));
    co_await tell_rooms(std::move(user), at);  // into which someone has put them meanwhile; from now on nobody can
    co_return erased;
  }
  Task<Result<>> set_block(UserId user, std::string email, bool on) override {
    Turn turn = turn_of(user);
    return run(std::move(turn), [user = std::move(user), email = std::move(email), on](Connection& c) {
      return mongo::set_block(c, user, email, on);
    });
  }
  Task<std::vector<std::string>> blocks_of(UserId user) override {
    Turn turn = turn_of(user);
    return run(std::move(turn), [user = std::move(user)](Connection& c) { return mongo::blocks_of(c, user); });
  }

  Task<> create_session(Session session) override {
    return run([session = std::move(session)](Connection& c) { mongo::create_session(c, session); });
  }
  Task<std::optional<Session>> find_session(SessionId id) override {
    return run([id = std::move(id)](Connection& c) { return mongo::find_session(c, id); });
  }
  Task<std::vector<Session>> sessions_of(UserId user) override {
    Turn turn = turn_of(user);
    return run(std::move(turn), [user = std::move(user)](Connection& c) { return mongo::sessions_of(c, user); });
  }
  Task<> touch_session(SessionId id, Timestamp at) override {
    return run([id = std::move(id), at](Connection& c) { mongo::touch_session(c, id, at); });
  }
  Task<std::optional<Rotated>> rotate_session(SessionId id, Rotation rotation, Timestamp at) override {
    return run([id = std::move(id), rotation = std::move(rotation), at](Connection& c) {
      return mongo::rotate_session(c, id, rotation, at);
    });
  }
  Task<std::vector<Session>> end_idle_sessions(Timestamp before, int limit) override {
    return run([before, limit](Connection& c) { return mongo::end_idle_sessions(c, before, limit); });
  }
  Task<bool> end_session(SessionId id, UserId owner) override {
    return run([id = std::move(id), owner = std::move(owner)](Connection& c) { return mongo::end_session(c, id, owner); });
  }
  Task<std::vector<SessionId>> end_sessions_of(UserId user, std::optional<SessionId> but) override {
    return run([user = std::move(user), but = std::move(but)](Connection& c) { return mongo::end_sessions_of(c, user, but); });
  }

  Task<Result<Commit>> commit(Change change) override {
    co_await ready();
    Result<RoomId> room = co_await room_of(change);
    if (!room) co_return std::unexpected(std::move(room.error()));
    try {
      co_return co_await writer_.commit(*std::move(room), mongo::Work(std::move(change)));
    } catch (const OutOfStorage&) {
      full_ = true;
      throw;
    }
  }

  Task<Result<RoomView>> find_room(RoomId room, UserId viewer, int messages) override {
    Turn turn = turn_of(viewer);
    return run(std::move(turn), [room = std::move(room), viewer = std::move(viewer), messages](Connection& c) {
      return mongo::find_room(c, room, viewer, messages);
    });
  }
  Task<std::vector<RoomSummary>> rooms_of(UserId user, RoomKind kind) override {
    Turn turn = turn_of(user);
    return run(std::move(turn), [user = std::move(user), kind](Connection& c) { return mongo::rooms_of(c, user, kind); });
  }
  Task<std::vector<RoomId>> room_ids_of(UserId user) override {
    Turn turn = turn_of(user);
    return run(std::move(turn), [user = std::move(user)](Connection& c) { return mongo::room_ids_of(c, user); });
  }
  Task<bool> is_member(RoomId room, UserId user) override {
    Turn turn = turn_of(user);
    return run(std::move(turn), [room = std::move(room), user = std::move(user)](Connection& c) {
      return mongo::find_visible(c, room, user).has_value();
    });
  }
  Task<Result<HistoryPage>> history(RoomId room, UserId viewer, HistoryQuery query) override {
    Turn turn = turn_of(viewer);
    return run(std::move(turn), [room = std::move(room), viewer = std::move(viewer), query](Connection& c) {
      return mongo::history(c, room, viewer, query);
    });
  }
  Task<Result<CatchUp>> messages_after(RoomId room, UserId viewer, Seq seq, CatchUpLimit limit) override {
    Turn turn = turn_of(viewer);
    return run(std::move(turn), [room = std::move(room), viewer = std::move(viewer), seq, limit](Connection& c) {
      return mongo::messages_after(c, room, viewer, seq, limit);
    });
  }
  Task<Result<CatchUp>> changes_after(RoomId room, UserId viewer, Rev rev, CatchUpLimit limit) override {
    Turn turn = turn_of(viewer);
    return run(std::move(turn), [room = std::move(room), viewer = std::move(viewer), rev, limit](Connection& c) {
      return mongo::changes_after(c, room, viewer, rev, limit);
    });
  }
  Task<Result<Message>> find_message(MessageRef message, UserId viewer) override {
    Turn turn = turn_of(viewer);
    return run(std::move(turn), [message = std::move(message), viewer = std::move(viewer)](Connection& c) {
      return mongo::find_message(c, message, viewer);
    });
  }
  Task<Result<PinPage>> pinned_messages(RoomId room, UserId viewer, PinQuery query) override {
    Turn turn = turn_of(viewer);
    return run(std::move(turn), [room = std::move(room), viewer = std::move(viewer), query](Connection& c) {
      return mongo::pinned_messages(c, room, viewer, query);
    });
  }
  // On threads of its own, so that long ones are in nobody else's way.
  Task<Result<SearchPage>> search(UserId viewer, SearchQuery query, std::stop_token stop) override {
    Turn turn{.caller = viewer.str(), .patience = options_.search_patience, .stop = stop};
    auto work = [this, &viewer, &query, &stop] {
      Connection connection = client_.connect();
      prepare_once(connection);
      return mongo::search(connection, viewer, query, options_.search_effort, options_.search_patience, stop);
    };
    const Timed timed(meters_.read_seconds, steady_now());
    co_return co_await searchers_.run(std::move(work), std::move(turn));
  }
  Task<Result<ReadMarker>> mark_read(RoomId room, UserId user, Seq seq) override {
    Turn turn = turn_of(user);
    return run(std::move(turn), [room = std::move(room), user = std::move(user), seq](Connection& c) {
      return mongo::mark_read(c, room, user, seq);
    });
  }
  Task<Result<>> hide_direct(RoomId room, UserId user) override {
    Turn turn = turn_of(user);
    return run(std::move(turn),
               [room = std::move(room), user = std::move(user)](Connection& c) { return mongo::hide_direct(c, room, user); });
  }
  Task<std::vector<UserId>> contacts_of(UserId user, int largest_room) override {
    Turn turn = turn_of(user);
    return run(std::move(turn), [user = std::move(user), largest_room](Connection& c) {
      return mongo::contacts(c, user, largest_room, mongo::Contacts::who_see_me);
    });
  }
  Task<std::vector<UserId>> visible_contacts_of(UserId user, int largest_room) override {
    Turn turn = turn_of(user);
    return run(std::move(turn), [user = std::move(user), largest_room](Connection& c) {
      return mongo::contacts(c, user, largest_room, mongo::Contacts::whom_i_see);
    });
  }

  Task<Result<>> create_invite(Invite invite) override {
    return run([invite = std::move(invite)](Connection& c) { return mongo::create_invite(c, invite); });
  }
  Task<Result<>> delete_invite(RoomId room, UserId actor, std::string token_hash) override {
    Turn turn = turn_of(actor);
    return run(std::move(turn), [room = std::move(room), actor = std::move(actor), hash = std::move(token_hash)](
                                    Connection& c) { return mongo::delete_invite(c, room, actor, hash); });
  }
  Task<std::optional<Invite>> find_invite(std::string token_hash) override {
    return run([hash = std::move(token_hash)](Connection& c) { return mongo::find_invite(c, hash); });
  }

  Task<> create_upload(Upload upload) override {
    return run([upload = std::move(upload)](Connection& c) { mongo::create_upload(c, upload); });
  }
  Task<std::optional<Upload>> find_upload(UploadId id, UserId viewer) override {
    Turn turn = turn_of(viewer);
    return run(std::move(turn),
               [id = std::move(id), viewer = std::move(viewer)](Connection& c) { return mongo::find_upload(c, id, viewer); });
  }
  Task<std::uint64_t> uploaded_bytes(UserId user) override {
    Turn turn = turn_of(user);
    return run(std::move(turn), [user = std::move(user)](Connection& c) { return mongo::uploaded_bytes(c, user); });
  }
  Task<std::vector<UploadId>> unused_uploads(Timestamp before, int limit) override {
    return run([before, limit](Connection& c) { return mongo::unused_uploads(c, before, limit); });
  }
  Task<bool> delete_unused_upload(UploadId id) override {
    return run([id = std::move(id)](Connection& c) { return mongo::delete_unused_upload(c, id); });
  }
  Task<std::vector<UploadId>> uploads_among(std::vector<UploadId> ids) override {
    return run([ids = std::move(ids)](Connection& c) { return mongo::uploads_among(c, ids); });
  }

  Task<> ping() override {
    return run([](Connection& c) { c.command(doc("ping", 1)); });
  }
  Task<> check_writable() override {
    if (!full_) co_return;
    co_await run([](Connection& c) { mongo::write_a_little(c); });
    full_ = false;
  }

 private:
  // What one user asks for waits for its turn among that of others.
  Turn turn_of(const UserId& user) const { return {.caller = user.str(), .most_waiting = options_.calls_a_user}; }

  // `work(Connection&)` on the pool, in a database whose indexes are made.
  template <class F>
  Task<std::invoke_result_t<F&, Connection&>> run(F work) {
    return run({}, std::move(work));
  }
  template <class F>
  Task<std::invoke_result_t<F&, Connection&>> run(Turn turn, F work) {
    auto prepared = [this, &work](Connection& connection) {
      prepare_once(connection);
      return work(connection);
    };
    const Timed timed(meters_.read_seconds, steady_now());
    try {
      co_return co_await client_.run(std::move(prepared), std::move(turn));
    } catch (const OutOfStorage&) {
      full_ = true;
      throw;
    }
  }

  Task<> ready() {
    if (prepared_) co_return;
    co_await run([](Connection&) {});
  }

  void prepare_once(Connection& connection) {
    if (prepared_) return;
    const std::lock_guard lock(preparing_);
    if (prepared_) return;
    mongo::prepare(connection);
    prepared_ = true;
  }

  // Whose log the change is to be in.
  Task<Result<RoomId>> room_of(const Change& change) {
    if (const auto* create = std::get_if<CreateRoom>(&change)) co_return create->id;
    if (const auto* open = std::get_if<OpenDirect>(&change)) co_return open->id;
    if (const auto* join = std::get_if<JoinByInvite>(&change)) {
      auto find = [join](Connection& c) -> Result<RoomId> {
        if (!mongo::find_user(c, join->user)) return fail(Errc::bad_request, "User not found");
        const auto invite = c.find_one(mongo::kInvites, doc("_id", join->token_hash));
        if (!invite) return fail(Errc::not_found, std::string(rules::kInviteNotFound));
        return invite->view().get<RoomId>("room");
      };
      co_return co_await run(std::move(find));
    }
    const auto [room, message] = std::visit(
        []<class T>(const T& kind) -> std::pair<std::optional<RoomId>, MessageId> {
          if constexpr (requires { kind.message; }) {
            return {kind.message.room, kind.message.id};
          } else if constexpr (requires { kind.room; }) {
            return {kind.room, {}};
          } else {
            return {};
          }
        },
        change);
    if (room) co_return *room;
    auto find = [&message](Connection& c) -> Result<RoomId> {
      const auto found = mongo::find_messages(c, "id", {message.str()});
      if (found.empty()) return fail(Errc::not_found, std::string(rules::kMessageNotFound));
      return found.front().message.room;
    };
    co_return co_await run(std::move(find));
  }

  Task<> tell_rooms(UserId user, Timestamp at) {
    auto find = [&user](Connection& c) { return mongo::rooms_ever_of(c, user); };
    const std::vector<RoomId> rooms = co_await run(std::move(find));
    for (const RoomId& room : rooms) {
      for (bool passed_on = true; passed_on;) {
        mongo::Work depart = mongo::Depart{room, user, at};
        const Result<Commit> left = co_await writer_.commit(room, std::move(depart));
        passed_on = left && !left->repeated && std::holds_alternative<RoleChanged>(left->entry.body);
      }
    }
  }

  // A thread of the pool.
  void on_commits(std::span<const Commit> commits) {
    if (observer_) observer_(commits);
    const std::lock_guard lock(mutex_);
    for (const Commit& commit : commits) {
      if (std::holds_alternative<RoomDeleted>(commit.entry.body)) {
        deleted_.emplace(commit.entry.room, steady_now() + options_.purge_delay);
      } else {
        changed_.insert(commit.entry.room);
      }
    }
    if (!changed_.empty() && !std::exchange(search_behind_, true)) meters_.set_search_behind(steady_now());
  }

  // The keeper's thread: what nobody waits for. An outage leaves it for later.
  void keep() {
    std::unique_lock lock(mutex_);
    bool looked = false;  // for rooms that were deleted before our time
    while (!wake_.wait_for(lock, options_.tend_every, [this] { return stopping_; })) {
      if (!prepared_) continue;
      auto changed = std::exchange(changed_, {});
      const SteadyTime taken_at = steady_now();
      std::vector<RoomId> due;
      for (const auto& [room, when] : deleted_) {
        if (when <= steady_now()) due.push_back(room);
      }
      lock.unlock();
      writer_.tend();
      try {
        Connection connection = client_.connect();
        while (!changed.empty()) {
          const RoomId room = *changed.begin();
          if (const auto state = mongo::current_room(connection, room)) {
            mongo::index_room(connection, *state, steady_now() + options_.search_patience);
          }
          changed.erase(room);
        }
        for (const RoomId& room : due) mongo::purge_room(connection, room);
        const auto found = looked ? std::vector<RoomId>() : mongo::rooms_to_purge(connection);
        looked = true;
        lock.lock();
        search_behind_ = !changed_.empty();
        search_behind_ ? meters_.set_search_behind(taken_at) : meters_.set_search_up_to_date();
        for (const RoomId& room : due) deleted_.erase(room);
        for (const RoomId& room : found) deleted_.emplace(room, steady_now() + options_.purge_delay);
      } catch (const std::runtime_error&) {
        if (!lock.owns_lock()) lock.lock();
        changed_.merge(changed);
      }
    }
  }

  const MongoOptions options_;
  CommitObserver observer_;
  std::atomic<bool> prepared_ = false;
  std::atomic<bool> full_ = false;  // the last time something was written, for all we know
  std::mutex preparing_;

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::unordered_set<RoomId> changed_;              // since the index last took them in
  bool search_behind_ = false;                      // `changed_` or what the keeper has taken from it
  std::unordered_map<RoomId, SteadyTime> deleted_;  // and when they are to be purged

  mongo::Client client_;
  WorkerPool searchers_;  // ends before the client
  mongo::Writer writer_;  // ends before the client, with what it has under way
  std::thread keeper_;
};

}  // namespace

std::unique_ptr<Store> open_mongo_store(const MongoOptions& options) { return std::make_unique<MongoStore>(options); }

}  // namespace payam::chat
