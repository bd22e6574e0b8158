// A MongoDB-compatible server, and a bounded pool of threads on which its blocking calls run.
//
// Every write is `w: majority, j: true` and is retried once by the library where the server offers sessions; every read goes to
// the primary. Only plain commands are used, which every compatible server has.
//
// What fails throws one of:
//   Outage      the server is away, slow, or not primary just now. A write may have been done all the same: look before trying
//               again. It is an Unavailable, so REST answers 503; by itself the next call may work, nothing needs to be reset.
//   OutOfStorage the database has no space left; nothing was written.
//   DuplicateKey a unique index has the key already; nothing was written. (Inserts say it by their result instead.)
//   MongoError  anything else the server said; our fault or the operator's.
// The texts are for the log; none holds what stands before the `@` of the connection string.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/clock.hpp"
#include "chat/store/mongo/bson.hpp"
#include "runtime/task.hpp"
#include "runtime/unavailable.hpp"
#include "runtime/worker_pool.hpp"

// NOLINTBEGIN(bugprone-reserved-identifier): libmongoc's own names.
struct _mongoc_client_t;
struct _mongoc_client_pool_t;
struct _mongoc_cursor_t;
// NOLINTEND(bugprone-reserved-identifier)

namespace payam::chat::mongo {

class Outage : public Unavailable {
 public:
  using Unavailable::Unavailable;
};

class MongoError : public std::runtime_error {
 public:
  MongoError(int code, const std::string& what) : std::runtime_error(what), code_(code) {}
  int code() const { return code_; }  // the server's, 0 if it is the library's

 private:
  int code_;
};

class DuplicateKey : public MongoError {
 public:
  using MongoError::MongoError;
};

// Whether a server's error says that it has no space left. Servers have one number for it, services and other servers texts.
bool is_out_of_space(int code, std::string_view text);

// What a query found, one document at a time. Lives as long as its Connection at most.
class Cursor {
 public:
  // The next one, good until the call after; nullopt at the end.
  std::optional<View> next();
  std::vector<Document> all();  // what is left

 private:
  friend class Connection;
  struct Destroy {
    void operator()(_mongoc_cursor_t* cursor) const;
  };
  explicit Cursor(_mongoc_cursor_t* handle) : handle_(handle) {}
  std::unique_ptr<_mongoc_cursor_t, Destroy> handle_;
};

struct FindOptions {
  Document sort{};
  Document projection{};
  std::int64_t limit = 0;  // 0: all
  std::int64_t skip = 0;
  Millis time{0};  // on the server, then it is an Outage; 0: any
};

struct Update {
  Document query;
  Document change;  // operators ($set, …) or a whole document
  enum class Which : std::uint8_t { one, all, one_or_new } which = Which::one;
};

struct Index {
  std::string name;
  Document keys;  // {"field": 1, …}
  bool unique = false;
};

// One of the pool's connections, lent to one thread; given back at the end of its life. Every call blocks, within the
// time-outs of the connection string.
class Connection {
 public:
  Connection(Connection&&) noexcept = default;

  // All in order, up to the first whose unique key is taken: its index. What is before that is written, nothing from it on.
  // nullopt: all are written.
  std::optional<std::size_t> insert(std::string_view collection, std::span<const Document> documents);
  bool insert(std::string_view collection, const Document& document);  // false: a unique key is taken
  // Those whose unique key is taken stay as they are.
  void insert_missing(std::string_view collection, std::span<const Document> documents);

  // How many documents fitted the query. Throws DuplicateKey.
  std::int64_t update(std::string_view collection, View query, View change, Update::Which which = Update::Which::one);
  // In order; one command. How many fitted in all; one_or_new counts a new one too.
  std::int64_t update(std::string_view collection, std::span<const Update> updates);
  // The document as it was before; nullopt if none fitted.
  std::optional<Document> find_and_update(std::string_view collection, View query, View change);
  // How many were removed.
  std::int64_t remove_one(std::string_view collection, View query);
  std::int64_t remove_all(std::string_view collection, View query);

  Cursor find(std::string_view collection, View query, const FindOptions& options = {});
  std::optional<Document> find_one(std::string_view collection, View query, const FindOptions& options = {});
  std::int64_t count(std::string_view collection, View query);

  // Those that are not there yet.
  void create_indexes(std::string_view collection, std::span<const Index> indexes);

  // Any command on the database, its reply checked for "ok". Not for writes that have to last.
  Document command(View command);

 private:
  friend class Client;
  struct GiveBack {
    _mongoc_client_pool_t* pool;
    void operator()(_mongoc_client_t* client) const;
  };
  Connection(_mongoc_client_t* client, _mongoc_client_pool_t* pool, const std::string& database)
      : client_(client, GiveBack{pool}), database_(&database) {}

  Document write(View command);  // checked, with all that may stand in a write's reply but `writeErrors`

  std::unique_ptr<_mongoc_client_t, GiveBack> client_;
  const std::string* database_;
};

class Client {
 public:
  struct Options {
    std::string url;       // mongodb://… or mongodb+srv://…
    std::string database;  // empty: the one in the url, or else "payam"
    int threads = 8;       // and connections; a few more for connect()
    std::size_t queue_limit = 20'000;
    Millis patience{5'000};  // how long work may wait for a thread
    // Used unless the url says something else.
    Millis connect_timeout{2'000};
    Millis selection_timeout{3'000};
    Millis socket_timeout{5'000};
  };

  // Connects when first used: a server that is away is no error here. Throws std::runtime_error, with a text for the operator,
  // if the url is none.
  explicit Client(const Options& options);
  // Finishes what is queued. Whoever holds a Connection has given it back before.
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Runs `work(Connection&)` on a pool thread; its result, or what it throws, comes back on the caller's executor. Throws
  // Overloaded when the queue is full or its turn does not come in time, and as `turn` has it.
  template <class F>
  Task<std::invoke_result_t<F&, Connection&>> run(F work, Turn turn = {}) {
    auto job = [this, &work, until = steady_now() + patience_] {
      check_in_time(until);
      Connection connection = connect();
      return work(connection);
    };
    co_return co_await pool_.run(std::move(job), std::move(turn));
  }

  // For one's own threads, or with submit() on the pool's. Waits for a free one.
  Connection connect();
  // False when the queue is full. `job` must not throw. `caller`: whose turn it takes.
  bool submit(WorkerPool::Job job, std::string caller = {}) { return pool_.try_submit(std::move(job), std::move(caller)); }

  const std::string& database() const { return database_; }

 private:
  static void check_in_time(SteadyTime until);

  struct Destroy {
    void operator()(_mongoc_client_pool_t* pool) const;
  };
  const Millis patience_;
  std::string database_;
  std::unique_ptr<_mongoc_client_pool_t, Destroy> handle_;
  WorkerPool pool_;  // ends before the handle
};

}  // namespace payam::chat::mongo
