// Promises 1 and 2 on a broken disk: what was acknowledged is there once, in an order without gaps; what failed was not
// published.
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <map>
#include <mutex>
#include <set>

#include "chat/store/sqlite/fault_vfs.hpp"
#include "chat/store/sqlite/sqlite_store.hpp"
#include "chat/store/sqlite/temporary_folder.hpp"
#include "runtime/shard_set.hpp"

namespace payam::chat {
namespace {

using sqlite::FaultVfs;
using Fault = FaultVfs::Fault;

constexpr int kShards = 2;
constexpr int kSenders = 3;
constexpr int kEach = 6;

Timestamp at(std::int64_t n) { return Timestamp(Millis(1'700'000'000'000 + n)); }
UserId user(int number) { return UserId("u" + std::to_string(number)); }
std::string email(int number) { return "user" + std::to_string(number) + "@example.com"; }
const RoomId kRoom("r");

struct Place {
  Seq seq;
  Rev rev;
  bool operator==(const Place&) const = default;
};
using Places = std::map<std::string, Place>;  // by client_id

// What the outside was told.
class Witness {
 public:
  void acknowledged(const Commit& commit) {
    const auto& message = std::get<MessageAdded>(commit.entry.body).message;
    const std::lock_guard lock(mutex_);
    acknowledged_.emplace(*message.client_id, Place{message.seq, commit.entry.rev});
  }
  void published(std::span<const Commit> commits) {
    const std::lock_guard lock(mutex_);
    for (const Commit& commit : commits) published_.push_back(commit.entry.rev);
  }
  Places acknowledged() const {
    const std::lock_guard lock(mutex_);
    return acknowledged_;
  }
  std::vector<Rev> published() const {
    const std::lock_guard lock(mutex_);
    return published_;
  }

 private:
  mutable std::mutex mutex_;
  Places acknowledged_;
  std::vector<Rev> published_;
};

std::unique_ptr<Store> open(const std::filesystem::path& file, const char* vfs, Witness* witness) {
  auto store = open_sqlite_store({.path = file, .readers = 1, .checkpoint_pages = 30, .vfs = vfs});
  if (witness != nullptr) store->observe([witness](std::span<const Commit> commits) { witness->published(commits); });
  return store;
}

class Faults : public testing::Test {
 protected:
  template <class T>
  T wait(Task<T> task) {
    return asio::co_spawn(shards_[0].executor(), std::move(task), asio::use_future).get();
  }

  void prepare(Store& store) {
    for (int i = 0; i <= kSenders; ++i) {
      const User person{user(i), "user" + std::to_string(i), email(i), {}, "hash", at(0), {}};
      ASSERT_TRUE(wait(store.create_user(person)));
    }
    CreateRoom create{kRoom, user(0), "Room", {}, at(0)};
    for (int i = 1; i < kSenders; ++i) create.member_emails.push_back(email(i));
    ASSERT_TRUE(wait(store.commit(create)));
  }

  static Task<> send(Store& store, Witness& witness, int sender) {
    for (int i = 0; i < kEach; ++i) {
      const std::string name = std::to_string(sender) + "-" + std::to_string(i);
      SendMessage send{kRoom, user(sender), MessageId("m" + name), std::string(500, 'x'), name, {}, {}, at(i)};
      Change change = std::move(send);
      try {
        const auto result = co_await store.commit(std::move(change));
        if (result) witness.acknowledged(*result);
      } catch (const std::runtime_error&) {
        // The next one may do better.
      }
    }
  }
  // Someone comes and goes, and the room is renamed.
  static Task<> change_room(Store& store) {
    for (int i = 0; i < kEach; ++i) {
      Change change = AddMembers{kRoom, user(0), {email(kSenders)}, at(i)};
      if (i % 3 == 1) change = UpdateRoom{kRoom, user(0), "Room " + std::to_string(i), {}, at(i)};
      if (i % 3 == 2) change = RemoveMember{kRoom, user(0), email(kSenders), at(i)};
      try {
        (void)co_await store.commit(std::move(change));
      } catch (const std::runtime_error&) {
      }
    }
  }

  void run(Store& store, Witness& witness) {
    std::vector<std::future<void>> futures;
    futures.push_back(asio::co_spawn(shards_[0].executor(), change_room(store), asio::use_future));
    for (int i = 0; i < kSenders; ++i) {
      futures.push_back(asio::co_spawn(shards_[i % kShards].executor(), send(store, witness, i), asio::use_future));
    }
    for (auto& future : futures) future.get();
  }

  // The room's log has no gap, no message is there twice, and everything acknowledged is where it was said to be.
  void verify(Store& store, const Places& acknowledged) {
    const auto all = wait(store.changes_after(kRoom, user(0), Rev{0}, {10'000, 100 << 20})).value();
    const auto view = wait(store.find_room(kRoom, user(0), 0)).value();
    std::set<Rev> revs;
    Places stored;
    std::int64_t seq = 0;
    for (const Message& message : all.messages) {
      EXPECT_EQ(message.seq.value, ++seq);
      revs.insert(message.rev);
      EXPECT_TRUE(stored.emplace(*message.client_id, Place{message.seq, message.rev}).second) << "there twice";
    }
    for (const Entry& entry : all.changes) revs.insert(entry.rev);
    EXPECT_EQ(revs.size(), all.messages.size() + all.changes.size());
    EXPECT_EQ(revs.rbegin()->value, static_cast<std::int64_t>(revs.size()));
    EXPECT_EQ(view.room.rev, *revs.rbegin());
    EXPECT_EQ(view.room.last_seq.value, seq);
    for (const auto& [client_id, place] : acknowledged) {
      const auto found = stored.find(client_id);
      ASSERT_NE(found, stored.end()) << client_id << " was acknowledged and is lost";
      EXPECT_EQ(found->second, place) << client_id;
    }
    // Nobody is a member without an entry that says so.
    std::set<std::string> members;
    for (const Entry& entry : all.changes) {
      if (const auto* created = std::get_if<RoomCreated>(&entry.body)) {
        for (const auto& member : created->members) members.insert(*member.email);
      } else if (const auto* added = std::get_if<MembersAdded>(&entry.body)) {
        for (const auto& member : added->members) members.insert(*member.email);
      } else if (const auto* removed = std::get_if<MemberRemoved>(&entry.body)) {
        members.erase(*removed->member.email);
      }
    }
    std::set<std::string> present;
    for (const Member& member : view.members) present.insert(member.email);
    EXPECT_EQ(present, members);
  }

  static void verify_published(const std::vector<Rev>& published) {
    std::int64_t rev = 1;  // the room's creation
    for (const Rev one : published) EXPECT_EQ(one.value, ++rev);
  }

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
      run(*store, witness);
      happened = vfs.operations() >= operation;
      vfs.repair();
      verify(*store, witness.acknowledged());
      verify_published(witness.published());
      // It goes on, and what could not be sent can be now.
      run(*store, witness);
      EXPECT_EQ(witness.acknowledged().size(), static_cast<std::size_t>(kSenders * kEach));
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

  ShardSet shards_{kShards};
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
    run(*store, witness);
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
  const SendMessage send{kRoom, user(0), MessageId("m"), "text", {}, {}, {}, at(0)};
  try {
    wait(store->commit(send));
    FAIL() << "nothing was thrown";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "database: database or disk is full (13) in COMMIT");
  }
  EXPECT_THROW(wait(store->set_last_seen(user(0), at(1))), std::runtime_error);
  EXPECT_EQ(wait(store->history(kRoom, user(0), {}))->messages.size(), 0u) << "reading goes on";
  vfs.repair();
  EXPECT_TRUE(wait(store->commit(send)));
}

}  // namespace
}  // namespace payam::chat
