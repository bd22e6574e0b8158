#include "chat/store/sqlite/writer.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>

namespace payam::chat::sqlite {
namespace {

// Of a change's content: in the log, the database and the search index with its terms.
constexpr std::uint64_t kWrittenForEachByte = 4;

constexpr Millis kAfterFailedCheckpoint{1'000};  // it may have copied much before it failed

}  // namespace

class Writer::ChangeJob final : public Job {
 public:
  ChangeJob(Change change, const WaitingChanges::Item& waits, Completion<Result<Commit>> done)
      : Job(Place::in_transaction, waits), change_(std::move(change)), done_(std::move(done)) {}

  void apply(Writer& writer) override {
    auto result = writer.has_room() ? writer.appender_.apply(change_) : writer.appender_.apply_unless_it_adds(change_);
    if (result && !result->repeated) {
      index_ = writer.commits_.size();
      writer.commits_.push_back(std::move(*result));
      if (writer.options_.reserve != nullptr) writer.options_.reserve->wrote(kWrittenForEachByte * waits.bytes);
    } else {
      answer_ = std::move(result);
    }
  }
  void succeed(Writer& writer) override { done_(answer_ ? std::move(*answer_) : std::move(writer.commits_[index_])); }
  void fail(std::exception_ptr why) override { done_.fail(std::move(why)); }

 private:
  Change change_;
  Completion<Result<Commit>> done_;
  std::optional<Result<Commit>> answer_;  // a refusal or a repetition; else commits_[index_]
  std::size_t index_ = 0;
};

Writer::Writer(std::unique_ptr<Database> database, StoreMeters& meters, Options options)
    : database_(std::move(database)),
      meters_(meters),
      options_(options),
      appender_(*database_, options.cache_entries),
      checkpoint_at_(options.checkpoint_pages),
      waiting_(options.queue) {
  sqlite3_wal_hook(
      database_->handle(),
      [](void* self, sqlite3*, const char*, int pages) {
        static_cast<Writer*>(self)->on_commit(static_cast<std::size_t>(pages));
        return SQLITE_OK;
      },
      this);
  thread_ = std::thread([this] { loop(); });
}

Writer::~Writer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  ready_.notify_one();
  thread_.join();
}

Task<Result<Commit>> Writer::commit(Change change) {
  auto start = [this, &change](Completion<Result<Commit>> done) {
    const auto waits = waiting_.item(change);
    submit(std::make_unique<ChangeJob>(std::move(change), waits, std::move(done)));
  };
  co_return co_await await_completion<Result<Commit>>(start);
}

void Writer::submit(std::unique_ptr<Job> job) {
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_ && waiting_.add(job->waits)) {
      queue_.push_back(std::move(job));
    }
  }
  if (job) {
    job->fail(std::make_exception_ptr(Overloaded("the database has too much to write")));
  } else {
    ready_.notify_one();
  }
}

void Writer::loop() {
  for (;;) {
    if (purging_ && !has_work()) {
      purge();
    } else {
      Batch batch = take();
      if (batch.empty()) return;
      run_batch(batch);
    }
    checkpoint_if_due();
  }
}

bool Writer::has_work() {
  const std::lock_guard lock(mutex_);
  return stopping_ || !queue_.empty();
}

// Called by SQLite after each commit that wrote something.
void Writer::on_commit(std::size_t log_pages) {
  if (log_pages < log_pages_) checkpoint_at_ = options_.checkpoint_pages;  // it has begun anew
  log_pages_ = log_pages;
  failing_.store(false, std::memory_order_relaxed);
  purging_ = std::exchange(purge_later_, false) || purging_;
}

// A part of what deleted rooms held, while nobody waits.
void Writer::purge() {
  try {
    Transaction transaction(*database_, Transaction::Kind::write);
    purging_ = appender_.purge_some();
    transaction.commit();
  } catch (const SqliteError&) {
    purging_ = false;  // a disk that is full or broken; tried again once it takes a commit
    purge_later_ = true;
    failed();
  }
}

// What waits and goes into one transaction; empty at the end of all.
Writer::Batch Writer::take() {
  std::unique_lock lock(mutex_);
  ready_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
  Batch batch;
  while (!queue_.empty() && batch.size() < options_.batch_jobs) {
    if (!batch.empty() && queue_.front()->place == Place::alone) break;
    waiting_.remove(queue_.front()->waits);
    batch.push_back(std::move(queue_.front()));
    queue_.pop_front();
    if (batch.back()->place == Place::alone) break;
  }
  return batch;
}

void Writer::run_batch(Batch& batch) {
  commits_.clear();
  try {
    if (batch.front()->place == Place::alone) {
      apply_all(batch);
    } else {
      const SteadyTime began = steady_now();
      Transaction transaction(*database_, Transaction::Kind::write);
      apply_all(batch);
      appender_.cache().flush();
      transaction.commit();
      meters_.batch_seconds.add(std::chrono::duration<double>(steady_now() - began).count());
      meters_.batch_changes.add(static_cast<double>(batch.size()));
      appender_.cache().trim();
    }
  } catch (...) {
    failed();
    const std::exception_ptr why = for_caller(std::current_exception());
    for (auto& job : batch) job->fail(why);
    return;
  }
  for (const Commit& commit : commits_) purging_ = purging_ || std::holds_alternative<RoomDeleted>(commit.entry.body);
  if (observer_ && !commits_.empty()) observer_(commits_);
  for (auto& job : batch) {
    if (job->error) {
      job->fail(std::move(job->error));
    } else {
      job->succeed(*this);
    }
  }
}

void Writer::apply_all(Batch& batch) {
  for (auto& job : batch) {
    try {
      job->apply(*this);
    } catch (const SqliteError& error) {
      if (!error.is_about_the_statement()) throw;
      job->error = std::current_exception();
    } catch (...) {
      job->error = std::current_exception();
    }
  }
}

void Writer::failed() {
  meters_.batches_failed.fetch_add(1, std::memory_order_relaxed);
  failing_.store(true, std::memory_order_relaxed);
  appender_.cache().forget();
  checkpoint_at_ = 0;
}

Task<> Writer::check_writable() {
  if (!has_room()) throw OutOfStorage("the disk has no room for anything new");
  // One page is written, with what it says.
  auto rewrite = [this](Database& database) {
    if (!failing_.load(std::memory_order_relaxed)) return;
    std::int64_t version = 0;
    {
      Statement row = database.query("PRAGMA user_version");
      row.step();
      version = row.get<std::int64_t>(0);
    }
    database.execute(fmt::format("PRAGMA user_version = {}", version));
  };
  co_await write(rewrite);
}

// Copies the log into the database file, so that the next commit begins it anew. That one waits for nobody; but if some reader
// was always in the way until the log is long, this waits for the readers of the moment. What fails is tried again later.
void Writer::checkpoint_if_due() {
  if (log_pages_ < checkpoint_at_ || steady_now() < checkpoint_after_) return;
  checkpoint_at_ = log_pages_ + options_.checkpoint_pages;
  const int mode = log_pages_ < 4 * options_.checkpoint_pages ? SQLITE_CHECKPOINT_PASSIVE : SQLITE_CHECKPOINT_RESTART;
  const int result = sqlite3_wal_checkpoint_v2(database_->handle(), nullptr, mode, nullptr, nullptr);
  if (result == SQLITE_OK || result == SQLITE_BUSY) return;
  checkpoint_at_ = 0;
  checkpoint_after_ = steady_now() + kAfterFailedCheckpoint;
}

}  // namespace payam::chat::sqlite
