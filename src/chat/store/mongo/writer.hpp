// Commits changes: a queue a room, of which the pool's threads take what waits as one batch, one batch a room at a time.
//
// A batch of sends is one ordered insert; any other change goes alone, is applied, and then told. The observer is told in the
// order of a room's log, by one thread at a time, before the callers. When an insert fails without saying whether it happened,
// the room is in doubt: its tail is read before anything else is done in it, by the next change or by tend(), and what is
// found of ours is told then.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/salted_hash.hpp"
#include "chat/store/meters.hpp"
#include "chat/store/mongo/appender.hpp"
#include "chat/store/mongo/client.hpp"
#include "chat/store/store.hpp"
#include "chat/store/waiting_changes.hpp"
#include "runtime/completion.hpp"

namespace payam::chat::mongo {

class Writer {
 public:
  struct Options {
    WaitingChanges::Limits queue = {};  // of what waits; more is refused
    std::size_t batch_jobs = 200;       // in one insert
    std::size_t batch_bytes = 4 << 20;
    std::size_t rooms = 50'000;  // kept in memory while nothing is done in them
    Millis patience{10'000};     // of a change, for its turn and for the fence when many write into one room
  };

  // `client` and `meters` outlive the writer. `observer`: as Store::observe().
  Writer(Client& client, Options options, StoreMeters& meters, CommitObserver observer);
  // Waits for what is under way; what waits has been answered before.
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // In the room, which need not be there. Throws Overloaded when too much waits or the fence is not passed in time.
  Task<Result<Commit>> commit(RoomId room, Work work);

  // Resolves doubts, writes down how far rooms are applied, forgets rooms that nobody uses. Now and then, on any thread.
  void tend();

 private:
  struct Job {
    Work work;
    WaitingChanges::Item waits;
    Completion<Result<Commit>> done;
    SteadyTime until;
    Appender::Attempt attempt;
  };
  using Batch = std::vector<std::unique_ptr<Job>>;

  // An entry of ours of which we do not know whether it was inserted.
  struct Doubt {
    std::string id;
    Commit commit;
  };
  struct Room {
    explicit Room(RoomId name) : id(std::move(name)) {}
    const RoomId id;
    // Under the writer's mutex:
    std::deque<std::unique_ptr<Job>> queue;
    bool running = false;
    bool tend = false;
    bool idle = true;  // nothing to write down, nothing in doubt
    // Of the thread that runs it:
    LogState state;
    bool loaded = false;
    bool behind = false;  // the log has entries that `state` does not, or may have
    KnownSenders senders;
    std::map<Rev, Doubt> doubts;
    SteadyTime doubtful_until{};
    SteadyTime confirmed{};  // when the log was last seen to end where `state` does
  };
  using RoomPtr = std::shared_ptr<Room>;

  void submit(const RoomId& room, std::unique_ptr<Job> job);
  bool start(const RoomPtr& room);  // with the mutex held
  void run(const RoomPtr& room);
  Batch take(Room& room, bool& tend);
  bool finished(Room& room);  // and then it is not running any more
  void tend_room(Connection& connection, Room& room);
  std::vector<Planned> plan(Connection& connection, Room& room, Batch& batch);
  void commit_batch(Connection& connection, Room& room, Batch& batch);
  void load(Connection& connection, Room& room);
  void look_for_deletion(Connection& connection, Room& room);
  // Takes in what the log has beyond the state, and answers those of the batch who are found in it.
  void catch_up(Connection& connection, Room& room, Batch& batch);
  void insert(Connection& connection, Room& room, Batch& batch, std::vector<Planned>& planned);
  // The first `count` of the batch are committed.
  void settle(Connection& connection, Room& room, Batch& batch, std::vector<Planned>& planned, std::size_t count);
  void tell(const std::vector<Commit>& commits);

  Client& client_;
  const Options options_;
  StoreMeters& meters_;
  const CommitObserver observer_;
  std::mutex told_mutex_;

  std::mutex mutex_;
  std::condition_variable done_;
  // By an id that a client may have made up.
  struct HashRoom {
    std::size_t operator()(const RoomId& id) const { return SaltedHash{}(id.str()); }
  };
  std::unordered_map<RoomId, RoomPtr, HashRoom> rooms_;
  WaitingChanges waiting_;
  std::size_t running_ = 0;
};

}  // namespace payam::chat::mongo
