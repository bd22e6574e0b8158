// The one thread that changes the database. It takes all that waits into one transaction (group commit: one fsync for many
// changes), and after COMMIT tells the observer and then the callers. Nothing waits on a timer: an idle writer begins at once.
//
// When COMMIT or a write fails (disk full, I/O error), every change of the transaction fails, nothing is published, and the
// next transaction starts from what is on disk. On a full disk the log is copied into the database file where that takes no
// more space, so that the log's own can be used again.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/disk_reserve.hpp"
#include "chat/store/sqlite/appender.hpp"
#include "chat/store/sqlite/database.hpp"
#include "chat/store/store.hpp"
#include "chat/store/waiting_changes.hpp"
#include "runtime/completion.hpp"
#include "runtime/worker_pool.hpp"

namespace payam::chat::sqlite {

namespace detail {

struct WorkTools {
  Database& database;
  Appender& appender;
  std::vector<Commit>& commits;
};

template <class F>
auto call_with(F& work, const WorkTools& tools) {
  if constexpr (std::is_invocable_v<F&, Database&>) {
    return work(tools.database);
  } else if constexpr (std::is_invocable_v<F&, Appender&>) {
    return work(tools.appender);
  } else {
    return work(tools.appender, tools.commits);
  }
}
template <class F>
using WorkResult = decltype(call_with(std::declval<F&>(), std::declval<const WorkTools&>()));

}  // namespace detail

class Writer {
 public:
  struct Options {
    WaitingChanges::Limits queue = {};     // of what waits; more is refused
    std::size_t batch_jobs = 1'000;        // in one transaction
    std::size_t cache_entries = 200'000;   // of each kind: rooms, members, users
    std::size_t checkpoint_pages = 4'000;  // of log, 4 KiB each, until it is copied into the database file
    DiskReserve* reserve = nullptr;        // null: none; below it nothing is added
  };

  // Takes over `database`, which is migrated. `meters` and the reserve outlive this.
  Writer(std::unique_ptr<Database> database, StoreMeters& meters, Options options);
  // Finishes what waits, then joins.
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void observe(CommitObserver observer) { observer_ = std::move(observer); }

  // All throw Overloaded when the queue is full, OutOfStorage when the disk is.
  //
  // Errc::out_of_storage while the disk has no room for messages and the change adds something. What was added before is
  // answered as ever.
  Task<Result<Commit>> commit(Change change);
  // `work(Database&)`, `work(Appender&)` or `work(Appender&, std::vector<Commit>&)`, which adds what is to be told, inside the
  // transaction; it must leave nothing behind if it throws.
  template <class F>
  auto write(F work) {
    return run(std::move(work), Place::in_transaction);
  }
  // The same for work that adds something: throws OutOfStorage while the disk has no room for messages.
  template <class F>
  auto add(F work) {
    if (!has_room()) throw OutOfStorage("the disk has no room for anything new");
    return write(std::move(work));
  }
  // Whether there is room for messages, and the disk takes them: if the last commit failed for want of space, tries one.
  // Throws OutOfStorage.
  Task<> check_writable();
  // `work(Database&)` between transactions: reads for a database that has no other connection.
  template <class F>
  auto read(F work) {
    return run(std::move(work), Place::alone);
  }

 private:
  enum class Place { in_transaction, alone };

  // One piece of work and who waits for it. The writer calls apply() and then exactly one of the other two.
  class Job {
   public:
    Job(Place place, const WaitingChanges::Item& waits) : place(place), waits(waits) {}
    virtual ~Job() = default;
    virtual void apply(Writer& writer) = 0;
    virtual void succeed(Writer& writer) = 0;
    virtual void fail(std::exception_ptr error) = 0;

    const Place place;
    const WaitingChanges::Item waits;
    std::exception_ptr error;  // its own, while the others of the transaction are well
  };
  using Batch = std::vector<std::unique_ptr<Job>>;

  template <class R, class F>
  class WorkJob final : public Job {
   public:
    WorkJob(Place place, F& work, Completion<R> done) : Job(place, {}), work_(work), done_(std::move(done)) {}
    void apply(Writer& writer) override {
      const detail::WorkTools tools{*writer.database_, writer.appender_, writer.commits_};
      if constexpr (std::is_void_v<detail::WorkResult<F>>) {
        detail::call_with(work_, tools);
        result_.emplace();
      } else {
        result_.emplace(detail::call_with(work_, tools));
      }
    }
    void succeed(Writer&) override { done_(std::move(*result_)); }
    void fail(std::exception_ptr error) override { done_.fail(std::move(error)); }

   private:
    F& work_;  // of the caller's coroutine, which waits
    Completion<R> done_;
    std::optional<R> result_;
  };
  class ChangeJob;

  template <class F, class Returned = detail::WorkResult<F>>
  Task<Returned> run(F work, Place place) {
    using R = std::conditional_t<std::is_void_v<Returned>, std::monostate, Returned>;
    auto start = [this, place, &work](Completion<R> done) {
      submit(std::make_unique<WorkJob<R, F>>(place, work, std::move(done)));
    };
    if constexpr (std::is_void_v<Returned>) {
      co_await await_completion<R>(start);
    } else {
      co_return co_await await_completion<R>(start);
    }
  }

  void submit(std::unique_ptr<Job> job);
  void loop();
  Batch take();
  void run_batch(Batch& batch);
  void apply_all(Batch& batch);
  bool has_work();
  bool has_room() const { return options_.reserve == nullptr || options_.reserve->has_room_for_messages(); }
  void purge();
  void failed();
  void checkpoint_if_due();
  void on_commit(std::size_t log_pages);

  const std::unique_ptr<Database> database_;
  StoreMeters& meters_;
  const Options options_;
  Appender appender_;
  CommitObserver observer_;
  std::vector<Commit> commits_;       // of the present transaction, in order
  std::size_t log_pages_ = 0;         // now in the log
  std::size_t checkpoint_at_;         // pages
  SteadyTime checkpoint_after_{};     // the last one failed
  bool purging_ = true;               // deleted rooms may still hold something
  bool purge_later_ = false;          // they do, and the disk did not let it be removed
  std::atomic<bool> failing_{false};  // the last transaction

  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<std::unique_ptr<Job>> queue_;
  WaitingChanges waiting_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace payam::chat::sqlite
