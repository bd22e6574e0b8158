// Threads that read, each call on a connection of its own and as of one moment: a snapshot that holds every commit that was
// acknowledged before.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "chat/store/meters.hpp"
#include "chat/store/sqlite/database.hpp"
#include "runtime/worker_pool.hpp"

namespace payam::chat::sqlite {

class ReaderPool {
 public:
  struct Options {
    std::string path{};         // of a database that exists and is migrated
    std::string attached{};     // another one, read along with it; or empty
    const char* vfs = nullptr;  // the system's own
    int threads = 1;
    std::size_t queue_limit = 1'000;
  };
  // `meters` outlives this.
  ReaderPool(const Options& options, StoreMeters& meters);

  // Runs `work(Database&)`; throws Overloaded when too much waits and as `turn` has it, and what SqliteError::throw_to_caller()
  // does.
  template <class F>
  Task<std::invoke_result_t<F&, Database&>> read(F work, Turn turn) {
    const SteadyTime began = steady_now();
    auto job = [this, began, &work] {
      const Timed timed(meters_.read_seconds, began);
      const Lease lease(*this);
      try {
        Transaction snapshot(*lease.database, Transaction::Kind::read);
        return work(*lease.database);
      } catch (const SqliteError& error) {
        error.throw_to_caller();
      }
    };
    co_return co_await pool_.run(job, std::move(turn));
  }

 private:
  // A connection for the time of one call. There are as many as threads, so one is always free.
  struct Lease {
    explicit Lease(ReaderPool& pool);
    ~Lease();
    ReaderPool& pool;
    std::unique_ptr<Database> database;
  };

  StoreMeters& meters_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Database>> idle_;
  WorkerPool pool_;  // last: its threads end before the connections
};

}  // namespace payam::chat::sqlite
