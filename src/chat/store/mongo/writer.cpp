#include "chat/store/mongo/writer.hpp"

#include <algorithm>

#include "base/ulid.hpp"

namespace payam::chat::mongo {
namespace {

constexpr int kMostFaults = 3;                    // inserts of one batch that may fail without a word
constexpr std::int64_t kCheckpointEntries = 256;  // messages that are not written down yet
// How long what is known of a room in which nothing was written is taken as true, and an insert without an answer as under way;
// well below kPurgeDelay.
constexpr Millis kTrust{60'000};

bool is_send(const Work& work) {
  const auto* change = std::get_if<Change>(&work);
  return change != nullptr && std::holds_alternative<SendMessage>(*change);
}

}  // namespace

Writer::Writer(Client& client, Options options, StoreMeters& meters, CommitObserver observer)
    : client_(client), options_(options), meters_(meters), observer_(std::move(observer)), waiting_(options.queue) {}

Writer::~Writer() {
  std::unique_lock lock(mutex_);
  done_.wait(lock, [this] { return running_ == 0; });
}

Task<Result<Commit>> Writer::commit(RoomId room, Work work) {
  auto start = [this, &room, &work](Completion<Result<Commit>> done) {
    const auto* change = std::get_if<Change>(&work);
    const auto waits = change != nullptr ? waiting_.item(*change) : WaitingChanges::Item{};
    submit(room,
           std::make_unique<Job>(Job{std::move(work), waits, std::move(done), steady_now() + options_.patience, {new_ulid()}}));
  };
  co_return co_await await_completion<Result<Commit>>(start);
}

void Writer::submit(const RoomId& id, std::unique_ptr<Job> job) {
  std::unique_ptr<Job> refused;
  {
    const std::lock_guard lock(mutex_);
    if (!waiting_.add(job->waits)) {
      refused = std::move(job);
    } else {
      RoomPtr& room = rooms_[id];
      if (!room) room = std::make_shared<Room>(id);
      room->queue.push_back(std::move(job));
      if (!start(room)) {
        waiting_.remove(room->queue.back()->waits);
        refused = std::move(room->queue.back());
        room->queue.pop_back();
      }
    }
  }
  if (refused) refused->done.fail(std::make_exception_ptr(Overloaded("the database has too much to write")));
}

bool Writer::start(const RoomPtr& room) {
  if (room->running) return true;
  if (!client_.submit([this, room] { run(room); }, room->id.str())) return false;
  room->running = true;
  ++running_;
  return true;
}

void Writer::run(const RoomPtr& room) {
  for (;;) {
    bool tend = false;
    Batch batch = take(*room, tend);
    // While the database is away each try takes its time, and nobody waits for all the others' before theirs.
    std::erase_if(batch, [](const auto& job) {
      const bool late = steady_now() > job->until;
      if (late) job->done.fail(std::make_exception_ptr(Overloaded("the database is slow or away")));
      return late;
    });
    try {
      Connection connection = client_.connect();
      commit_batch(connection, *room, batch);
      if (tend) tend_room(connection, *room);
    } catch (...) {
      for (auto& job : batch) job->done.fail(std::current_exception());
      batch.clear();
    }
    if (finished(*room)) return;
    // Other rooms' turn; if the pool has no place, this thread goes on.
    if (client_.submit([this, room] { run(room); }, room->id.str())) return;
  }
}

Writer::Batch Writer::take(Room& room, bool& tend) {
  const std::lock_guard lock(mutex_);
  tend = std::exchange(room.tend, false);
  Batch batch;
  std::size_t bytes = 0;
  while (!room.queue.empty() && batch.size() < options_.batch_jobs) {
    Job& next = *room.queue.front();
    if (!batch.empty() && (!is_send(next.work) || bytes + next.waits.bytes > options_.batch_bytes)) break;
    bytes += next.waits.bytes;
    waiting_.remove(next.waits);
    batch.push_back(std::move(room.queue.front()));
    room.queue.pop_front();
    if (!is_send(batch.back()->work)) break;
  }
  return batch;
}

bool Writer::finished(Room& room) {
  const std::lock_guard lock(mutex_);
  room.idle = room.doubts.empty() && (!room.loaded || room.state.applied == room.state.room.rev);
  if (!room.queue.empty() || room.tend) return false;
  room.running = false;
  --running_;
  done_.notify_all();
  return true;
}

void Writer::tend_room(Connection& connection, Room& room) {
  if (!room.loaded && !room.doubts.empty()) load(connection, room);
  Batch nobody;
  if (room.loaded && (room.behind || !room.doubts.empty())) catch_up(connection, room, nobody);
  if (room.loaded && room.state.exists() && room.state.applied != room.state.room.rev) write_checkpoint(connection, room.state);
}

void Writer::commit_batch(Connection& connection, Room& room, Batch& batch) {
  if (batch.empty()) return;
  const SteadyTime until = batch.front()->until;
  int faults = 0;
  // Sends are judged by what the fence confirms; the answers to others may say that nothing is to be done, so they look first.
  if (!is_send(batch.front()->work)) room.behind = true;
  while (!batch.empty()) {
    if (!room.loaded || !room.state.exists()) load(connection, room);
    if (steady_now() > room.confirmed + kTrust) look_for_deletion(connection, room);
    if (room.behind) catch_up(connection, room, batch);
    std::vector<Planned> planned = plan(connection, room, batch);
    if (batch.empty()) break;
    try {
      insert(connection, room, batch, planned);
    } catch (const Unavailable&) {
      if (++faults == kMostFaults) throw;
    }
    if (!batch.empty() && steady_now() > until) throw Overloaded("too many write into one room");
  }
  const LogState& state = room.state;
  if (room.loaded && state.room.rev.value - state.applied.value >= kCheckpointEntries) write_checkpoint(connection, room.state);
}

// Whoever is refused, or needs nothing written, is answered and leaves the batch; the others' plans, in its order.
std::vector<Planned> Writer::plan(Connection& connection, Room& room, Batch& batch) {
  Appender appender(connection, room.state, room.senders);
  Appender::Next next(room.state);
  std::vector<Result<Planned>> plans;
  for (auto& job : batch) plans.push_back(appender.plan(job->work, job->attempt, next));
  std::vector<Planned> planned;
  Batch waiting;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    Job& job = *batch[i];
    if (plans[i] && plans[i]->entry) {
      planned.push_back(*std::move(plans[i]));
      waiting.push_back(std::move(batch[i]));
      continue;
    }
    try {
      appender.release(job.work, job.attempt);
    } catch (const std::runtime_error&) {  // NOLINT(bugprone-empty-catch): it stays taken; too much, never too little
    }
    if (plans[i]) {
      job.done(std::move(plans[i]->commit));
    } else {
      job.done(std::unexpected(std::move(plans[i].error())));
    }
  }
  batch = std::move(waiting);
  return planned;
}

void Writer::insert(Connection& connection, Room& room, Batch& batch, std::vector<Planned>& planned) {
  std::vector<Document> entries;
  for (Planned& one : planned) entries.push_back(*std::move(one.entry));
  std::optional<std::size_t> taken;
  try {
    const SteadyTime began = steady_now();
    taken = connection.insert(kLog, entries);
    if (const std::size_t count = taken.value_or(entries.size()); count > 0) {
      meters_.batch_seconds.add(std::chrono::duration<double>(steady_now() - began).count());
      meters_.batch_changes.add(static_cast<double>(count));
    }
  } catch (...) {
    meters_.batches_failed.fetch_add(1, std::memory_order_relaxed);
    room.behind = true;
    room.doubtful_until = steady_now() + kTrust;
    for (std::size_t i = 0; i < planned.size(); ++i) {
      const View entry = entries[i];
      room.doubts[entry.get<Rev>("rev")] = {entry.get<std::string>("id"), planned[i].commit};
      batch[i]->attempt.collided = true;
    }
    throw;
  }
  for (std::size_t i = 0; i < planned.size(); ++i) planned[i].entry = std::move(entries[i]);
  settle(connection, room, batch, planned, taken.value_or(planned.size()));
  if (!taken) return;
  room.behind = true;
  // Mostly another writer was at the fence first; only if nobody was, it is another key, and the change was made before.
  const Rev fence = room.state.room.rev.next();
  catch_up(connection, room, batch);
  if (!batch.empty() && room.state.room.rev < fence) batch.front()->attempt.collided = true;
}

void Writer::settle(Connection& connection, Room& room, Batch& batch, std::vector<Planned>& planned, std::size_t count) {
  std::vector<Commit> commits;
  if (count > 0) room.confirmed = steady_now();
  for (std::size_t i = 0; i < count; ++i) {
    const StoredEntry entry = stored_entry(*planned[i].entry);
    fold(room.state, entry);
    if (entry.kind != EntryKind::message && room.loaded) {
      room.senders.clear();
      try {
        apply(connection, *planned[i].entry);
        write_checkpoint(connection, room.state);
      } catch (const std::runtime_error&) {
        room.loaded = false;  // it is committed; reading the room anew applies it
      }
    }
    commits.push_back(std::move(planned[i].commit));
  }
  room.doubts.erase(room.doubts.begin(), room.doubts.upper_bound(room.state.room.rev));
  tell(commits);
  for (std::size_t i = 0; i < count; ++i) batch[i]->done(std::move(commits[i]));
  batch.erase(batch.begin(), batch.begin() + static_cast<std::ptrdiff_t>(count));
}

void Writer::load(Connection& connection, Room& room) {
  room.senders.clear();
  room.state = read_room(connection, room.id);
  room.loaded = true;
  room.behind = true;
  room.confirmed = steady_now();
}

// A deleted room's log is purged after a while (kPurgeDelay), so that its tail may say nothing any more.
void Writer::look_for_deletion(Connection& connection, Room& room) {
  room.state.deleted = room.state.deleted || read_room(connection, room.id).deleted;
  room.behind = true;
}

void Writer::catch_up(Connection& connection, Room& room, Batch& batch) {
  bool applied = false;
  for (const Document& document : read_tail(connection, room.id, room.state.room.rev)) {
    const StoredEntry entry = stored_entry(document);
    if (entry.kind != EntryKind::message) {
      room.senders.clear();
      apply(connection, document);
      applied = true;
    }
    fold(room.state, entry);
    const auto doubt = room.doubts.find(entry.rev);
    if (doubt == room.doubts.end()) continue;
    if (doubt->second.id == entry.id) {
      const std::vector<Commit> commits{std::move(doubt->second.commit)};
      tell(commits);
      const auto waits = std::ranges::find_if(batch, [&](const auto& job) {
        const auto* change = std::get_if<Change>(&job->work);
        const auto* send = change != nullptr ? std::get_if<SendMessage>(change) : nullptr;
        return (send != nullptr ? send->id.str() : job->attempt.id) == entry.id;
      });
      if (waits != batch.end()) {
        (*waits)->done(commits.front());
        batch.erase(waits);
      }
    }
    room.doubts.erase(doubt);
  }
  room.behind = false;
  room.confirmed = steady_now();
  if (room.confirmed > room.doubtful_until) room.doubts.clear();  // an insert that long under way is none
  if (applied) write_checkpoint(connection, room.state);
}

void Writer::tell(const std::vector<Commit>& commits) {
  if (commits.empty()) return;
  const std::lock_guard lock(told_mutex_);
  observer_(commits);
}

void Writer::tend() {
  const std::lock_guard lock(mutex_);
  const bool too_many = rooms_.size() > options_.rooms;
  std::erase_if(rooms_, [&](const auto& entry) {
    const RoomPtr& room = entry.second;
    if (room->running) return false;
    if (room->idle) return too_many;
    room->tend = true;
    start(room);
    return false;
  });
}

}  // namespace payam::chat::mongo
