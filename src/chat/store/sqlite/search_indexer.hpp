// The thread that keeps the index of a database file behind the commits: at once when somebody waits to search, else a moment
// later and then many together. A broken index disk stops searching, never sending; on a full one the index stays behind until
// there is space again, and nobody waits for it.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include "base/clock.hpp"
#include "chat/model.hpp"
#include "chat/store/meters.hpp"
#include "chat/store/sqlite/database.hpp"
#include "runtime/completion.hpp"
#include "runtime/task.hpp"

namespace payam::chat::sqlite {

// Rooms whose words may have changed.
class ChangedRooms {
 public:
  void add(std::span<const Commit> commits);
  void add(std::vector<RoomId> rooms);
  bool empty() const { return rooms_.empty(); }
  std::unordered_set<RoomId> take() { return std::exchange(rooms_, {}); }

 private:
  std::unordered_set<RoomId> rooms_;
};

class SearchIndexer {
 public:
  struct Options {
    std::string index;          // the file; made, or made anew if it is damaged or of another version
    std::string chat;           // the chat's database, which exists
    const char* vfs = nullptr;  // the system's own; for both
    Millis delay{250};          // until what nobody waits for is taken in
    Millis patience{5'000};
    std::size_t waiting = 1'000;
  };

  // `meters` outlives this.
  SearchIndexer(Options options, StoreMeters& meters);
  ~SearchIndexer() { stop(); }
  SearchIndexer(const SearchIndexer&) = delete;
  SearchIndexer& operator=(const SearchIndexer&) = delete;

  // Ends the thread and closes both databases; whoever waits gets Overloaded. From then on commits are only counted.
  void stop();

  // The writer's thread, after each commit.
  void committed(std::span<const Commit> commits);

  // Until all that committed() was told of is in the index, or the disk is full. Throws Overloaded when that takes too long or
  // too many wait, SqliteError when the index cannot be written.
  Task<> caught_up();

 private:
  struct Waiter {
    std::uint64_t until = 0;  // of told_
    SteadyTime deadline;
    Completion<std::monostate> done;
  };
  using Waiters = std::vector<Waiter>;

  void wait(Completion<std::monostate> done);
  void loop();
  // What is to be taken in now; false at the end of all.
  bool take(std::unordered_set<RoomId>& rooms, std::uint64_t& told);
  void take_in(const std::unordered_set<RoomId>& rooms);
  // Those whose time has come, or all.
  void give_up_waiting(bool all);
  void reached(std::uint64_t told);
  void failed(const SqliteError& error, const std::unordered_set<RoomId>& rooms);

  const Options options_;
  StoreMeters& meters_;
  std::unique_ptr<Database> database_;

  std::mutex mutex_;
  std::condition_variable ready_;
  ChangedRooms changed_;
  std::uint64_t told_ = 1;     // times; the first is what was committed before the start
  std::uint64_t reached_ = 0;  // of them
  SteadyTime taken_at_{};      // when the last were taken in hand
  Waiters waiters_;
  SteadyTime not_before_{};  // after a failure
  bool disk_full_ = false;   // at the last try
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace payam::chat::sqlite
