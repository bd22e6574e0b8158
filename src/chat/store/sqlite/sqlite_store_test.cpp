// The store's contract on SQLite, in a file and in memory, and what is SQLite's alone.
#include "chat/store/sqlite/sqlite_store.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <future>

#include "chat/store/contract/store_contract.hpp"
#include "chat/store/sqlite/temporary_folder.hpp"
#include "runtime/worker_pool.hpp"

namespace payam::chat {
namespace {

constexpr SearchEffort kNoHurry{.time = Millis(3'600'000)};  // no test depends on the machine's speed

class FileHost final : public StoreHost {
 public:
  std::unique_ptr<Store> open() override {
    return open_sqlite_store({.path = folder_.path() / "payam.db", .search_effort = kNoHurry});
  }
  bool keeps_data() const override { return true; }

 private:
  TemporaryFolder folder_;
};

class MemoryHost final : public StoreHost {
 public:
  std::unique_ptr<Store> open() override { return open_sqlite_store({.path = ":memory:", .search_effort = kNoHurry}); }
  bool keeps_data() const override { return false; }
};

// The writer finds nothing in its cache, and nearly every commit is followed by a checkpoint.
class ForgetfulHost final : public StoreHost {
 public:
  std::unique_ptr<Store> open() override {
    return open_sqlite_store(
        {.path = folder_.path() / "payam.db", .search_effort = kNoHurry, .checkpoint_pages = 1, .cache_entries = 0});
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
  const auto store = open_sqlite_store({.path = folder.path() / "payam.db", .writer_queue = {.changes = 5}});
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

TEST(SqliteStore, OnePersonDoesNotFillTheQueue) {
  const TemporaryFolder folder;
  ShardSet shards(1);
  const auto store =
      open_sqlite_store({.path = folder.path() / "payam.db", .writer_queue = {.persons_changes = 5, .persons_bytes = 100}});
  const auto run = [&](auto task) { return asio::co_spawn(shards[0].executor(), std::move(task), asio::use_future); };
  for (const char* name : {"ali", "sara", "bob"}) run(store->create_user(person(name))).get().value();
  run(store->commit(CreateRoom{RoomId("r"), UserId("ali"), "Room", {"sara@example.com", "bob@example.com"}, Timestamp{}}))
      .get()
      .value();
  std::promise<void> all_came;
  std::promise<void> first_came;
  std::atomic<bool> held = false;
  store->observe([&](std::span<const Commit>) {
    if (held.exchange(true)) return;
    first_came.set_value();
    all_came.get_future().wait();
  });
  int sent = 0;
  const auto send = [&](const char* who, const std::string& text) {
    return run(
        store->commit(SendMessage{RoomId("r"), UserId(who), MessageId("m" + std::to_string(sent++)), text, {}, {}, {}, {}}));
  };
  auto first = send("ali", "first");
  first_came.get_future().wait();
  std::vector<std::future<Result<Commit>>> alis;
  for (int i = 0; i < 10; ++i) alis.push_back(send("ali", "text"));
  auto saras = send("sara", "text");
  auto small = send("bob", std::string(60, 'x'));
  auto large = send("bob", std::string(60, 'x'));
  std::promise<void> submitted;
  shards[0].post([&] { submitted.set_value(); });
  submitted.get_future().wait();
  all_came.set_value();
  int done = 0;
  for (auto& answer : alis) {
    try {
      done += answer.get() ? 1 : 0;
    } catch (const Overloaded&) {
    }
  }
  EXPECT_EQ(done, 5);
  EXPECT_TRUE(first.get());
  EXPECT_TRUE(saras.get());
  EXPECT_TRUE(small.get());
  EXPECT_THROW(large.get(), Overloaded);
  EXPECT_TRUE(
      run(store->commit(SendMessage{RoomId("r"), UserId("bob"), MessageId("later"), std::string(60, 'x'), {}, {}, {}, {}}))
          .get())
      << "what was committed does not wait any more";
}

// Below a quarter of the reserve.
class ScarceRoom : public testing::Test {
 protected:
  ScarceRoom() {
    for (const char* name : {"ali", "sara", "bob"}) run(store_->create_user(person(name))).value();
    commit(CreateRoom{RoomId("r"), UserId("ali"), "Room", {"sara@example.com"}, Timestamp{}}).value();
    commit(message("old", "first")).value();
    reserve_.measured(99, 10'000);
  }

  template <class T>
  T run(Task<T> task) {
    return asio::co_spawn(shards_[0].executor(), std::move(task), asio::use_future).get();
  }
  Result<Commit> commit(Change change) { return run(store_->commit(std::move(change))); }
  static SendMessage message(const char* id, const char* client_id) {
    return {RoomId("r"), UserId("ali"), MessageId(id), "text", client_id, {}, {}, Timestamp{}};
  }
  static Errc code(const Result<Commit>& result) { return result ? Errc{} : result.error().code; }

  const TemporaryFolder folder_;
  ShardSet shards_{1};
  DiskReserve reserve_{400};
  const std::unique_ptr<Store> store_ = open_sqlite_store({.path = folder_.path() / "payam.db", .reserve = &reserve_});
};

TEST_F(ScarceRoom, TakesNothingThatAdds) {
  const RoomId r("r");
  const UserId ali("ali");
  const MessageRef old{MessageId("old"), r};
  const Change adding[] = {message("new", "second"),
                           CreateRoom{RoomId("q"), ali, "Other", {}, {}},
                           OpenDirect{RoomId("d"), ali, "sara@example.com", {}},
                           AddMembers{r, ali, {"bob@example.com"}, {}},
                           UpdateRoom{r, ali, "New name", {}, {}},
                           EditMessage{old, ali, "longer text", {}},
                           React{old, ali, "\U0001F44D", true, {}},
                           PinMessage{old, ali, true, {}}};
  for (const Change& change : adding) EXPECT_EQ(code(commit(change)), Errc::out_of_storage) << change.index();
  EXPECT_THROW(run(store_->create_user(person("new"))), OutOfStorage);
  EXPECT_THROW(run(store_->update_user(ali, "longer", {})), OutOfStorage);
  EXPECT_THROW(run(store_->create_upload(Upload{UploadId("u"), ali, "a.txt", "text/plain", 1, {}, {}, {}})), OutOfStorage);
  EXPECT_THROW(run(store_->create_invite({"hash", r, ali, {}, {}, {}})), OutOfStorage);
  EXPECT_THROW(run(store_->check_writable()), OutOfStorage);
  EXPECT_NO_THROW(run(store_->ping()));

  const auto room = run(store_->find_room(r, ali, 50)).value();
  EXPECT_EQ(room.room.rev.value, 2u) << "nothing was left of it";
  EXPECT_EQ(room.messages.size(), 1u);
}

TEST_F(ScarceRoom, AnswersWhatWasAddedBeforeAndRefusesStrangersAsEver) {
  const auto again = commit(message("retry", "first")).value();
  EXPECT_TRUE(again.repeated);
  EXPECT_EQ(std::get<MessageAdded>(again.entry.body).message.id, MessageId("old"));
  SendMessage strangers = message("new", "second");
  strangers.sender = UserId("bob");
  EXPECT_EQ(code(commit(strangers)), Errc::not_member);
}

TEST_F(ScarceRoom, LetsPeopleDeleteLeaveAndSignOut) {
  const RoomId r("r");
  const UserId ali("ali"), sara("sara");
  run(store_->create_session(Session{SessionId("s"), ali, "phone", "192.0.2.1", "hash", {}, {}, {}}));
  EXPECT_TRUE(run(store_->end_session(SessionId("s"), ali)));
  EXPECT_TRUE(commit(DeleteMessage{{MessageId("old"), r}, ali, {}}));
  EXPECT_TRUE(commit(ChangeRole{r, ali, "sara@example.com", Role::owner, {}}));
  EXPECT_TRUE(commit(RemoveMember{r, ali, "ali@example.com", {}}));
  EXPECT_TRUE(run(store_->erase_user(ali, {})));
  EXPECT_TRUE(commit(DeleteRoom{r, sara, {}}));
}

TEST_F(ScarceRoom, GoesOnWhenThereIsSpaceAgain) {
  EXPECT_EQ(code(commit(message("new", "second"))), Errc::out_of_storage);
  reserve_.measured(100, 10'000);
  EXPECT_NO_THROW(run(store_->check_writable()));
  const auto sent = commit(message("new", "second")).value();
  EXPECT_EQ(std::get<MessageAdded>(sent.entry.body).message.seq.value, 2u);
  EXPECT_EQ(sent.entry.rev.value, 3u);
}

int mode_of(const std::filesystem::path& path) {
  return static_cast<int>(std::filesystem::status(path).permissions() & std::filesystem::perms::all);
}

constexpr const char* kFiles[] = {"payam.db",        "payam.db-wal",        "payam.db-shm",
                                  "payam.db-search", "payam.db-search-wal", "payam.db-search-shm"};

TEST(SqliteStore, ItsFilesAreItsOwnersAloneWhateverTheUmask) {
  const TemporaryFolder folder;
  ShardSet shards(1);
  const mode_t before = ::umask(0);
  {
    const auto store = open_sqlite_store({.path = folder.path() / "payam.db"});
    asio::co_spawn(shards[0].executor(), store->create_user(person("ali")), asio::use_future).get().value();
    asio::co_spawn(shards[0].executor(), store->search(UserId("ali"), SearchQuery{"x", {}, {}}, {}), asio::use_future)
        .get()
        .value();
    for (const char* file : kFiles) EXPECT_EQ(mode_of(folder.path() / file), 0600) << file;
  }
  ::umask(before);
}

TEST(SqliteStore, FilesThatOthersCouldReadAreMended) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "payam.db";
  open_sqlite_store({.path = path}).reset();
  for (const char* file : {"payam.db", "payam.db-search"}) ::chmod((folder.path() / file).c_str(), 0644);
  const auto store = open_sqlite_store({.path = path});
  for (const char* file : kFiles) EXPECT_EQ(mode_of(folder.path() / file), 0600) << file;
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

// Ali and sara in a room of many long messages; a search for kNowhere looks at each and finds none.
class LongSearch : public testing::Test {
 protected:
  static constexpr const char* kNowhere = "東京都";  // its pairs are in all, side by side in none

  void open(SqliteOptions options) {
    options.path = folder_.path() / "payam.db";
    store_ = open_sqlite_store(options);
    for (const char* name : {"ali", "sara"}) wait(store_->create_user(person(name))).value();
    wait(store_->commit(CreateRoom{RoomId("r"), UserId("ali"), "Room", {person("sara").email}, Timestamp{}})).value();
  }
  void fill(int messages) {
    std::string content = "東京 京都 ";
    for (int i = 0; i < 300; ++i) content += "سلام ";
    for (int i = 0; i < messages; ++i) {
      const Change change = SendMessage{RoomId("r"), UserId("ali"),       MessageId("m" + std::to_string(i)), content, {}, {},
                                        {},          Timestamp(Millis(i))};
      wait(store_->commit(change)).value();
    }
  }
  template <class T>
  T wait(Task<T> task) {
    return asio::co_spawn(shards_[0].executor(), std::move(task), asio::use_future).get();
  }
  std::future<Result<SearchPage>> search(const char* user, std::stop_token stop = {}) {
    auto task = store_->search(UserId(user), {.text = kNowhere, .room = {}, .before = before_}, std::move(stop));
    return asio::co_spawn(shards_[0].executor(), std::move(task), asio::use_future);
  }

  const TemporaryFolder folder_;
  ShardSet shards_{1};
  std::unique_ptr<Store> store_;
  std::optional<MessageId> before_;
};

TEST_F(LongSearch, ItEndsWhenItHasCostEnoughAndGoesOnFromThere) {
  open({.path = {}, .search_effort = {.bytes = 8'000, .time = Millis(3'600'000)}});
  wait(store_->commit(SendMessage{RoomId("r"), UserId("ali"), MessageId("here"), kNowhere, {}, {}, {}, Timestamp{}})).value();
  fill(10);
  // 2,914 bytes each, with 200 for the reading: three are looked at.
  for (const char* next : {"m7", "m4", "m1"}) {
    const SearchPage page = search("ali").get().value();
    EXPECT_TRUE(page.hits.empty());
    ASSERT_EQ(page.next, MessageId(next));
    before_ = page.next;
  }
  const SearchPage last = search("ali").get().value();
  ASSERT_EQ(last.hits.size(), 1u);
  EXPECT_EQ(last.hits[0].message.id, MessageId("here"));
  EXPECT_EQ(last.next, std::nullopt);
}

TEST_F(LongSearch, OutOfTimeItEndsAsWell) {
  open({.path = {}, .search_effort = {.bytes = 1 << 30, .time = Millis(1)}});
  fill(10);
  try {
    EXPECT_TRUE(search("ali").get()->next.has_value());
  } catch (const Overloaded& error) {
    EXPECT_STREQ(error.what(), "the search took too long") << "before the first message";
  }
}

TEST_F(LongSearch, ItEndsWhenItsCallerIsGone) {
  open({.path = {}, .search_effort = kNoHurry});
  fill(10);
  std::stop_source gone;
  gone.request_stop();
  EXPECT_THROW(search("ali", gone.get_token()).get(), Overloaded) << "it is not begun";
  EXPECT_EQ(search("ali").get()->next, std::nullopt);
}

// Four at a time are under way where the callers' bound is, and here fifty: whoever else searches is next.
TEST_F(LongSearch, UsersTakeTurns) {
  open({.path = {}, .search_effort = kNoHurry, .search_patience = Millis(3'600'000)});
  fill(10);
  std::vector<std::future<Result<SearchPage>>> greedy;
  for (int i = 0; i < 50; ++i) greedy.push_back(search("ali"));
  EXPECT_EQ(search("sara").get()->next, std::nullopt);
  const auto is_done = [](auto& one) { return one.wait_for(Millis(0)) == std::future_status::ready; };
  EXPECT_LE(std::ranges::count_if(greedy, is_done), 10) << "two were running, and one had come between";
  for (auto& one : greedy) EXPECT_TRUE(one.get());
}

TEST_F(LongSearch, WhoseTurnDoesNotComeInTimeIsRefused) {
  open({.path = {}, .searchers = 1, .search_effort = kNoHurry, .search_patience = Millis(1)});
  fill(10);
  std::vector<std::future<Result<SearchPage>>> all;
  for (int i = 0; i < 20; ++i) all.push_back(search("ali"));
  int refused = 0;
  for (auto& one : all) {
    try {
      EXPECT_TRUE(one.get());
    } catch (const Overloaded&) {
      ++refused;
    }
  }
  EXPECT_GE(refused, 10);
}

TEST_F(LongSearch, WhatOneUserReadsIsInNobodyElsesWay) {
  open({.path = {}, .readers = 1, .reads_a_user = 30});
  fill(20);
  const auto read = [&](const char* user) {
    return asio::co_spawn(shards_[0].executor(), store_->history(RoomId("r"), UserId(user), {}), asio::use_future);
  };
  std::vector<std::future<Result<HistoryPage>>> greedy;
  for (int i = 0; i < 200; ++i) greedy.push_back(read("ali"));
  EXPECT_TRUE(read("sara").get());
  int refused = 0;
  for (auto& one : greedy) {
    try {
      EXPECT_TRUE(one.get());
    } catch (const Overloaded&) {
      ++refused;
    }
  }
  EXPECT_GE(refused, 1);
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
