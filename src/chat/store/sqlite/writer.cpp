#include "chat/store/sqlite/writer.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>

namespace payam::chat::sqlite {
namespace {

constexpr Millis kAfterFailedCheckpoint{1'000};  // it may have copied much before it failed

std::size_t size_of(const std::vector<std::string>& texts) {
  std::size_t bytes = 0;
  for (const std::string& text : texts) bytes += text.size();
  return bytes;
}

// Of what may be long.
std::size_t content_of(const Change& change) {
  return std::visit(
      []<class T>(const T& kind) -> std::size_t {
        if constexpr (requires { kind.content; }) {
          return kind.content.size();
        } else if constexpr (requires { kind.member_emails; }) {
          return size_of(kind.member_emails);
        } else if constexpr (requires { kind.emails; }) {
          return size_of(kind.emails);
        } else {
          return 0;
        }
      },
      change);
}

const UserId& actor_of(const Change& change) {
  return std::visit(
      []<class T>(const T& kind) -> const UserId& {
        if constexpr (requires { kind.actor; }) {
          return kind.actor;
        } else if constexpr (requires { kind.sender; }) {
          return kind.sender;
        } else if constexpr (requires { kind.creator; }) {
          return kind.creator;
        } else if constexpr (requires { kind.from; }) {
          return kind.from;
        } else {
          return kind.user;
        }
      },
      change);
}

}  // namespace

class Writer::ChangeJob final : public Job {
 public:
  ChangeJob(Change change, const Person& person, Completion<Result<Commit>> done)
      : Job(Place::in_transaction, content_of(change), person), change_(std::move(change)), done_(std::move(done)) {}

  void apply(Writer& writer) override {
    auto result = writer.has_room() ? writer.appender_.apply(change_) : writer.appender_.apply_unless_it_adds(change_);
    if (result && !result->repeated) {
      index_ = writer.commits_.size();
      writer.commits_.push_back(std::move(*result));
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
      checkpoint_at_(options.checkpoint_pages) {
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
    const Person whose = person(actor_of(change));
    submit(std::make_unique<ChangeJob>(std::move(change), whose, std::move(done)));
  };
  co_return co_await await_completion<Result<Commit>>(start);
}

Writer::Person Writer::person(const UserId& id) const {
  const std::size_t hash = hash_(id.str());
  return {hash % kPlaces, kPlaces + (hash >> 32) % kPlaces};
}

bool Writer::takes(const Job& job) const {
  if (stopping_ || queue_.size() >= options_.queue_jobs || queued_bytes_ + job.bytes > options_.queue_bytes) return false;
  if (job.person == kNobody) return true;
  return std::ranges::any_of(job.person, [&](std::size_t place) {
    const Waiting& own = waiting_[place];
    return own.jobs < options_.person_jobs && own.bytes + job.bytes <= options_.person_bytes;
  });
}

void Writer::submit(std::unique_ptr<Job> job) {
  {
    const std::lock_guard lock(mutex_);
    if (takes(*job)) {
      queued_bytes_ += job->bytes;
      for (const std::size_t place : job->person) {
        ++waiting_[place].jobs;
        waiting_[place].bytes += job->bytes;
      }
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
    const Job& next = *queue_.front();
    queued_bytes_ -= next.bytes;
    for (const std::size_t place : next.person) {
      --waiting_[place].jobs;
      waiting_[place].bytes -= next.bytes;
    }
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
  if (!has_room()) throw OutOfStorage("the disk has no room for more than erasing");
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
