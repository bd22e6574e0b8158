#include "chat/store/sqlite/search_indexer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <type_traits>
#include <utility>

#include "chat/store/sqlite/search_index.hpp"
#include "runtime/worker_pool.hpp"

namespace payam::chat::sqlite {
namespace {

constexpr Millis kAfterFailure{1'000};

bool changes_words(const Entry& entry) {
  if (const auto* updated = std::get_if<MessageUpdated>(&entry.body)) {
    return updated->message.deleted || updated->message.edited_at.has_value();
  }
  return std::holds_alternative<MessageAdded>(entry.body) || std::holds_alternative<RoomDeleted>(entry.body);
}

// Nothing in it is worth mending: what cannot be opened is made anew.
std::unique_ptr<Database> open_index(const std::string& path, const char* vfs) {
  for (bool again = false;; again = true) {
    try {
      auto database = std::make_unique<Database>(Database::Options{.path = path, .vfs = vfs});
      // NORMAL: after a loss of power the index is whole, if behind.
      database->execute(
          "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;"
          "PRAGMA secure_delete = FAST");
      prepare_search_index(*database, "main");
      return database;
    } catch (const SqliteError& error) {
      if (again || error.is_out_of_space()) throw;
      for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path + suffix);
    }
  }
}

}  // namespace

void ChangedRooms::add(std::span<const Commit> commits) {
  for (const Commit& commit : commits) {
    if (changes_words(commit.entry)) rooms_.insert(commit.entry.room);
  }
}

void ChangedRooms::add(std::vector<RoomId> rooms) {
  for (RoomId& room : rooms) rooms_.insert(std::move(room));
}

SearchIndexer::SearchIndexer(Options options, StoreMeters& meters)
    : options_(std::move(options)), meters_(meters), database_(open_index(options_.index, options_.vfs)) {
  meters_.set_search_behind(steady_now());
  database_->run("ATTACH ? AS chat", options_.chat);
  thread_ = std::thread([this] { loop(); });
}

void SearchIndexer::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  ready_.notify_one();
  thread_.join();
  database_.reset();
}

void SearchIndexer::committed(std::span<const Commit> commits) {
  const std::lock_guard lock(mutex_);
  const bool idle = changed_.empty();
  changed_.add(commits);
  if (changed_.empty()) return;
  if (told_++ == reached_) meters_.set_search_behind(steady_now());
  if (idle) ready_.notify_one();
}

Task<> SearchIndexer::caught_up() {
  auto start = [this](Completion<std::monostate> done) { wait(std::move(done)); };
  co_await await_completion<std::monostate>(start);
}

void SearchIndexer::wait(Completion<std::monostate> done) {
  {
    const std::lock_guard lock(mutex_);
    if (reached_ < told_ && !disk_full_ && !stopping_ && waiters_.size() < options_.waiting) {
      waiters_.push_back({told_, steady_now() + options_.patience, std::move(done)});
      ready_.notify_one();
      return;
    }
    if (reached_ < told_ && !disk_full_)
      return done.fail(std::make_exception_ptr(Overloaded("too many wait for the search index")));
  }
  done({});
}

void SearchIndexer::loop() {
  std::unordered_set<RoomId> rooms;
  std::uint64_t told = 0;
  bool first = true;  // what an earlier life left behind is still to be found out
  while (take(rooms, told)) {
    try {
      if (first) {
        ChangedRooms lagging;
        lagging.add(lagging_rooms(*database_));
        rooms.merge(lagging.take());
        first = false;
      }
      take_in(rooms);
      reached(told);
    } catch (const SqliteError& error) {
      failed(error, rooms);
    }
  }
  give_up_waiting(true);
}

bool SearchIndexer::take(std::unordered_set<RoomId>& rooms, std::uint64_t& told) {
  std::unique_lock lock(mutex_);
  ready_.wait(lock, [this] { return stopping_ || reached_ < told_; });
  const auto in_a_hurry = [this] { return stopping_ || (!waiters_.empty() && steady_now() >= not_before_); };
  ready_.wait_until(lock, std::max(not_before_, steady_now() + options_.delay), in_a_hurry);
  rooms = changed_.take();
  told = told_;
  taken_at_ = steady_now();
  return !stopping_;
}

// A step of each room in turn, so that a room with much to take in is in no other's way.
void SearchIndexer::take_in(const std::unordered_set<RoomId>& rooms) {
  for (std::deque<RoomId> turns(rooms.begin(), rooms.end()); !turns.empty(); turns.pop_front()) {
    // Not of the kind that takes locks at once, for it would take the chat's too.
    Transaction transaction(*database_, Transaction::Kind::read);
    if (follow_room(*database_, turns.front())) turns.push_back(turns.front());
    transaction.commit();
    give_up_waiting(false);
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
  }
}

void SearchIndexer::give_up_waiting(bool all) {
  Waiters late;
  {
    const std::lock_guard lock(mutex_);
    if (waiters_.empty()) return;
    const SteadyTime now = steady_now();
    const auto first = std::ranges::partition(waiters_, [&](const Waiter& one) { return !all && one.deadline > now; });
    std::ranges::move(first, std::back_inserter(late));
    waiters_.erase(first.begin(), first.end());
  }
  for (Waiter& one : late) one.done.fail(std::make_exception_ptr(Overloaded("the search index is behind")));
}

void SearchIndexer::reached(std::uint64_t told) {
  Waiters served;
  {
    const std::lock_guard lock(mutex_);
    reached_ = told;
    disk_full_ = false;
    // What is new since then came after it.
    reached_ == told_ ? meters_.set_search_up_to_date() : meters_.set_search_behind(taken_at_);
    const auto first = std::ranges::partition(waiters_, [&](const Waiter& one) { return one.until > told; });
    std::ranges::move(first, std::back_inserter(served));
    waiters_.erase(first.begin(), first.end());
  }
  for (Waiter& one : served) one.done({});
}

// The rooms are tried again, after a while.
void SearchIndexer::failed(const SqliteError& error, const std::unordered_set<RoomId>& rooms) {
  Waiters waiting;
  {
    const std::lock_guard lock(mutex_);
    changed_.add(std::vector<RoomId>(rooms.begin(), rooms.end()));
    not_before_ = steady_now() + kAfterFailure;
    disk_full_ = error.is_out_of_space();
    waiting = std::exchange(waiters_, {});
  }
  for (Waiter& one : waiting) {
    error.is_out_of_space() ? one.done({}) : one.done.fail(for_caller(std::make_exception_ptr(error)));
  }
}

}  // namespace payam::chat::sqlite
