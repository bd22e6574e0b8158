// Promises 1 and 2 on a broken disk: what was acknowledged is there once, in an order without gaps; what failed was not
// published.
#include "chat/store/contract/under_faults.hpp"
#include "chat/store/sqlite/fault_vfs.hpp"
#include "chat/store/sqlite/sqlite_store.hpp"
#include "chat/store/sqlite/temporary_folder.hpp"

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
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "database: database or disk is full (13) in COMMIT");
  }
  EXPECT_THROW(wait(store->set_last_seen(user(0), at(1))), std::runtime_error);
  EXPECT_EQ(wait(store->history(room(), user(0), {}))->messages.size(), 0u) << "reading goes on";
  vfs.repair();
  EXPECT_TRUE(wait(store->commit(send)));
}

}  // namespace
}  // namespace payam::chat
