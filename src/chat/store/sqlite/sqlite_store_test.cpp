// The store's contract on SQLite, in a file and in memory, and what is SQLite's alone.
#include "chat/store/sqlite/sqlite_store.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <future>

#include "chat/store/contract/store_contract.hpp"
#include "chat/store/sqlite/temporary_folder.hpp"
#include "runtime/worker_pool.hpp"

namespace payam::chat {
namespace {

class FileHost final : public StoreHost {
 public:
  std::unique_ptr<Store> open() override { return open_sqlite_store({.path = folder_.path() / "payam.db"}); }
  bool keeps_data() const override { return true; }

 private:
  TemporaryFolder folder_;
};

class MemoryHost final : public StoreHost {
 public:
  std::unique_ptr<Store> open() override { return open_sqlite_store({.path = ":memory:"}); }
  bool keeps_data() const override { return false; }
};

// The writer finds nothing in its cache, and nearly every commit is followed by a checkpoint.
class ForgetfulHost final : public StoreHost {
 public:
  std::unique_ptr<Store> open() override {
    return open_sqlite_store({.path = folder_.path() / "payam.db", .checkpoint_pages = 1, .cache_entries = 0});
  }
  bool keeps_data() const override { return true; }

 private:
  TemporaryFolder folder_;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, StoreContract,
                         testing::Values(StoreKind{"File", [] { return std::make_unique<FileHost>(); }},
                                         StoreKind{"Memory", [] { return std::make_unique<MemoryHost>(); }},
                                         StoreKind{"Forgetful", [] { return std::make_unique<ForgetfulHost>(); }}),
                         [](const auto& info) { return info.param.name; });

User person(const std::string& name) { return {UserId(name), name, name + "@example.com", {}, "hash", Timestamp{}, {}}; }

TEST(SqliteStore, RefusesWhatItsQueuesCannotHold) {
  const TemporaryFolder folder;
  ShardSet shards(1);
  const auto store = open_sqlite_store({.path = folder.path() / "payam.db", .writer_queue = 5});
  asio::co_spawn(shards[0].executor(), store->create_user(person("ali")), asio::use_future).get().value();
  const Change create = CreateRoom{RoomId("r"), UserId("ali"), "Room", {}, Timestamp{}};
  asio::co_spawn(shards[0].executor(), store->commit(create), asio::use_future).get().value();
  // The observer holds the writer until all have come: of those that wait behind it five find room.
  std::promise<void> all_came;
  std::promise<void> first_came;
  std::atomic<bool> held = false;
  store->observe([&](std::span<const Commit>) {
    if (held.exchange(true)) return;
    first_came.set_value();
    all_came.get_future().wait();
  });
  const auto send = [&](int number) {
    const Change change =
        SendMessage{RoomId("r"), UserId("ali"), MessageId("m" + std::to_string(number)), "text", {}, {}, {}, {}};
    return asio::co_spawn(shards[0].executor(), store->commit(change), asio::use_future);
  };
  std::vector<std::future<Result<Commit>>> answers;
  answers.push_back(send(0));
  first_came.get_future().wait();
  for (int i = 1; i <= 20; ++i) answers.push_back(send(i));
  std::promise<void> submitted;
  shards[0].post([&] { submitted.set_value(); });
  submitted.get_future().wait();
  all_came.set_value();
  int done = 0;
  int refused = 0;
  for (auto& answer : answers) {
    try {
      EXPECT_EQ(std::get<MessageAdded>(answer.get().value().entry.body).message.seq.value, ++done);
    } catch (const Overloaded& error) {
      EXPECT_STREQ(error.what(), "the database has too much to write");
      ++refused;
    }
  }
  EXPECT_EQ(done, 6);
  EXPECT_EQ(refused, 15);
}

Task<> send_many(Store& store, int count, std::atomic<bool>& done) {
  for (int i = 0; i < count; ++i) {
    Change change = SendMessage{RoomId("r"), UserId("ali"), MessageId("m" + std::to_string(i)), "text", {}, {}, {}, {}};
    (void)(co_await store.commit(std::move(change))).value();
  }
  done = true;
}

Task<> read_until(Store& store, const std::atomic<bool>& done) {
  while (!done) (void)(co_await store.history(RoomId("r"), UserId("ali"), {HistoryQuery::From::newest, {}, 500})).value();
}

TEST(SqliteStore, TheLogFileStaysShortWhileSomeoneIsAlwaysReading) {
  const TemporaryFolder folder;
  ShardSet shards(1);
  const auto store = open_sqlite_store({.path = folder.path() / "payam.db", .checkpoint_pages = 50});
  asio::co_spawn(shards[0].executor(), store->create_user(person("ali")), asio::use_future).get().value();
  const Change create = CreateRoom{RoomId("r"), UserId("ali"), "Room", {}, Timestamp{}};
  asio::co_spawn(shards[0].executor(), store->commit(create), asio::use_future).get().value();
  std::atomic<bool> done = false;
  std::vector<std::future<void>> futures;
  for (int i = 0; i < 4; ++i)
    futures.push_back(asio::co_spawn(shards[0].executor(), read_until(*store, done), asio::use_future));
  futures.push_back(asio::co_spawn(shards[0].executor(), send_many(*store, 300, done), asio::use_future));
  for (auto& future : futures) future.get();
  // 300 commits of several pages of 4 KiB each would be about 5 MB.
  EXPECT_LT(std::filesystem::file_size(folder.path() / "payam.db-wal"), 2'000'000u);
}

TEST(SqliteStore, AnswersAllWhoWaitBeforeItEnds) {
  const TemporaryFolder folder;
  ShardSet shards(1);
  std::vector<std::future<Result<User>>> answers;
  {
    const auto store = open_sqlite_store({.path = folder.path() / "payam.db"});
    for (int i = 0; i < 50; ++i) {
      answers.push_back(
          asio::co_spawn(shards[0].executor(), store->create_user(person("u" + std::to_string(i))), asio::use_future));
    }
    std::promise<void> submitted;
    shards[0].post([&] { submitted.set_value(); });
    submitted.get_future().wait();
  }
  for (auto& answer : answers) EXPECT_TRUE(answer.get());
}

TEST(SqliteStore, SaysWhyItCannotOpen) { EXPECT_THROW(open_sqlite_store({.path = "/nowhere/at/all.db"}), std::runtime_error); }

}  // namespace
}  // namespace payam::chat
