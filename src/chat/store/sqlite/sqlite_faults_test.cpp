// Promises 1 and 2 on a broken disk: what was acknowledged is there once, in an order without gaps; what failed was not
// published.
#include "chat/store/contract/under_faults.hpp"
#include "chat/store/sqlite/database.hpp"
#include "chat/store/sqlite/fault_vfs.hpp"
#include "chat/store/sqlite/sqlite_store.hpp"
#include "chat/store/sqlite/temporary_folder.hpp"
#include "runtime/unavailable.hpp"

namespace payam::chat {
namespace {

using sqlite::FaultVfs;
using Fault = FaultVfs::Fault;

std::unique_ptr<Store> open(const std::filesystem::path& file, const char* vfs, Witness* witness) {
  auto store = open_sqlite_store({.path = file, .readers = 1, .checkpoint_pages = 30, .vfs = vfs});
  if (witness != nullptr) store->observe([witness](std::span<const Commit> commits) { witness->published(commits); });
  return store;
}

class Faults : public UnderFaults {
 protected:
  // One life of a store whose disk fails at the `operation`-th change; true if it came to that.
  bool live_through(std::int64_t operation, Fault fault) {
    const TemporaryFolder folder;
    FaultVfs vfs;
    const auto file = folder.path() / "payam.db";
    {
      const auto store = open(file, vfs.name(), nullptr);
      prepare(*store);
    }
    Witness witness;
    bool happened = false;
    {
      const auto store = open(file, vfs.name(), &witness);
      vfs.fail_at(operation, fault);
      run({store.get()}, witness);
      happened = vfs.operations() >= operation;
      vfs.repair();
      verify(*store, witness.acknowledged());
      verify_published(witness.published());
      // It goes on, and what could not be sent can be now.
      run({store.get()}, witness);
      EXPECT_EQ(witness.acknowledged().size(), kMessages);
      verify(*store, witness.acknowledged());
      const TemporaryFolder dark;
      vfs.lose_power(dark.path(), static_cast<unsigned>(operation));
      verify(*open(dark.path() / "payam.db", vfs.name(), nullptr), witness.acknowledged());
    }
    verify(*open(file, vfs.name(), nullptr), witness.acknowledged());
    return happened;
  }

  void fail_everywhere(Fault fault) {
    std::int64_t operation = 1;
    while (!HasFailure() && live_through(operation, fault)) ++operation;
    EXPECT_GT(operation, 40) << "the run is shorter than thought";
    if (HasFailure()) ADD_FAILURE() << "when operation " << operation << " failed";
  }
};

TEST_F(Faults, OneOperationFails) { fail_everywhere(Fault::error_once); }
TEST_F(Faults, OneWriteIsTorn) { fail_everywhere(Fault::torn_once); }
TEST_F(Faults, TheDiskBreaks) { fail_everywhere(Fault::disk_broken); }
TEST_F(Faults, TheDiskIsFull) { fail_everywhere(Fault::disk_full); }

TEST_F(Faults, ThePowerGoes) {
  for (std::int64_t operation = 1;; ++operation) {
    const TemporaryFolder folder, dark;
    FaultVfs vfs;
    Witness witness;
    const auto store = open(folder.path() / "payam.db", vfs.name(), &witness);
    prepare(*store);
    Places acknowledged;  // before the power went
    bool gone = false;
    vfs.call_at(operation, [&] {
      acknowledged = witness.acknowledged();
      vfs.lose_power(dark.path(), static_cast<unsigned>(operation));
      gone = true;
    });
    run({store.get()}, witness);
    vfs.repair();
    if (!gone) {
      EXPECT_GT(operation, 40) << "the run is shorter than thought";
      break;
    }
    const auto after = open(dark.path() / "payam.db", vfs.name(), nullptr);
    verify(*after, acknowledged);
    if (HasFailure()) FAIL() << "when the power went before operation " << operation;
  }
}

TEST_F(Faults, WhoWaitsHearsOfTheFailure) {
  const TemporaryFolder folder;
  FaultVfs vfs;
  const auto store = open(folder.path() / "payam.db", vfs.name(), nullptr);
  prepare(*store);
  vfs.fail_at(1, Fault::disk_full);
  const SendMessage send{room(), user(0), MessageId("m"), "text", {}, {}, {}, at(0)};
  try {
    const auto sent = wait(store->commit(send));
    FAIL() << "nothing was thrown, it is " << (sent ? "sent" : "refused");
  } catch (const OutOfStorage& error) {
    EXPECT_STREQ(error.what(), "database: database or disk is full (13) in COMMIT");
  }
  EXPECT_THROW(wait(store->set_last_seen(user(0), at(1))), OutOfStorage);
  EXPECT_EQ(wait(store->history(room(), user(0), {}))->messages.size(), 0u) << "reading goes on";
  vfs.repair();
  EXPECT_TRUE(wait(store->commit(send)));
}

TEST_F(Faults, AFullDiskIsSaidToBeFullWhereverItIsMet) {
  for (std::int64_t operation = 1;; ++operation) {
    const TemporaryFolder folder;
    FaultVfs vfs;
    const auto store = open(folder.path() / "payam.db", vfs.name(), nullptr);
    prepare(*store);
    wait(store->search(user(0), SearchQuery{"x", {}, {}}, {})).value();  // the index has the room
    vfs.fail_at(operation, Fault::disk_full);
    int sent = 0, full = 0;
    const auto send = [&](int n) {
      const SendMessage message{room(), user(0), MessageId("m" + std::to_string(n)), "word" + std::to_string(n), {}, {},
                                {},     at(n)};
      try {
        ASSERT_TRUE(wait(store->commit(message)));
        ++sent;
      } catch (const OutOfStorage&) {
        ++full;
      }
    };
    for (int n = 0; n < 4; ++n) send(n);
    EXPECT_NO_THROW(wait(store->ping()));
    EXPECT_EQ(wait(store->history(room(), user(0), {}))->messages.size(), static_cast<std::size_t>(sent));
    EXPECT_NO_THROW(wait(store->search(user(0), SearchQuery{"word0", {}, {}}, {})).value());
    if (full > 0) EXPECT_THROW(wait(store->check_writable()), OutOfStorage);
    const bool happened = vfs.operations() >= operation;
    vfs.repair();
    EXPECT_NO_THROW(wait(store->check_writable()));
    for (int n = 0; n < 5; ++n) send(n);
    EXPECT_EQ(wait(store->history(room(), user(0), {}))->messages.size(), 5u);
    if (HasFailure()) FAIL() << "when the disk was full from operation " << operation << " on";
    if (!happened) {
      EXPECT_GT(operation, 10) << "the run is shorter than thought";
      break;
    }
  }
}

TEST_F(Faults, ASearchDoesNotWaitForAnIndexThatAFullDiskKeepsBehind) {
  const TemporaryFolder folder;
  FaultVfs vfs;
  const auto store = open(folder.path() / "payam.db", vfs.name(), nullptr);
  prepare(*store);
  const auto send = [&](const char* id, const char* text) {
    const SendMessage message{room(), user(0), MessageId(id), text, {}, {}, {}, at(0)};
    ASSERT_TRUE(wait(store->commit(message)));
  };
  const auto found = [&](const char* text) { return wait(store->search(user(0), SearchQuery{text, {}, {}}, {}))->hits.size(); };
  send("m1", "before");
  EXPECT_EQ(found("before"), 1u);
  send("m2", "after");
  vfs.fail_at(1, Fault::disk_full);
  EXPECT_EQ(found("before"), 1u);
  vfs.repair();
  const SteadyTime until = steady_now() + Millis{30'000};
  while (found("after") == 0 && steady_now() < until) {
  }
  EXPECT_EQ(found("after"), 1u) << "the index catches up by itself";
}

TEST_F(Faults, WhatADeletedRoomHeldIsRemovedOnceTheDiskLetsIt) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "payam.db";
  FaultVfs vfs;
  const auto store = open(file, vfs.name(), nullptr);
  prepare(*store);
  const SendMessage message{room(), user(0), MessageId("m"), "text", {}, {}, {}, at(0)};
  ASSERT_TRUE(wait(store->commit(message)));
  // The deletion's own commit is well; the disk is full when its remains are purged.
  std::int64_t operations = 0;
  store->observe([&](std::span<const Commit>) { vfs.fail_at(1, Fault::disk_full); });
  ASSERT_TRUE(wait(store->commit(DeleteRoom{room(), user(0), at(1)})));
  const SteadyTime until = steady_now() + Millis{30'000};
  while ((operations = vfs.operations()) == 0 && steady_now() < until) {
  }
  ASSERT_GT(operations, 0) << "nothing was tried";
  vfs.repair();
  wait(store->set_last_seen(user(0), at(2)));
  const auto left = [&] {
    sqlite::Database database({.path = file.string(), .read_only = true});
    auto row = database.query("SELECT count(*) FROM messages");
    row.step();
    return row.get<std::int64_t>(0);
  };
  while (left() > 0 && steady_now() < until) {
  }
  EXPECT_EQ(left(), 0);
}

}  // namespace
}  // namespace payam::chat
