// Promises 1 and 2 when the database or the way to it fails, at any command: what was acknowledged is there once, in
// an order without gaps; the observer is told of every entry once and in order, also of one whose writer was told of a failure.
#include <algorithm>
#include <cstdlib>

#include "chat/store/contract/under_faults.hpp"
#include "chat/store/mongo/fault_proxy.hpp"
#include "chat/store/mongo/mongo_store.hpp"
#include "chat/store/mongo/test_server.hpp"

namespace payam::chat {
namespace {

using mongo::FaultProxy;
using mongo::TestServer;
using Fault = FaultProxy::Fault;

std::unique_ptr<Store> open(const std::string& url, const std::string& database, Witness* witness, Millis socket_timeout) {
  auto store = open_mongo_store(
      {.client = {.url = url, .database = database, .threads = 2, .socket_timeout = socket_timeout}, .tend_every = Millis(20)});
  if (witness != nullptr) store->observe([witness](std::span<const Commit> commits) { witness->published(commits); });
  return store;
}

class MongoFaults : public UnderFaults {
 protected:
  static constexpr Millis kTimeout{5'000};

  // One life of a store of which the `command`-th command is spoilt; true if it came to that.
  bool live_through(std::int64_t command, Fault fault, Millis socket_timeout) {
    const TestServer& server = TestServer::shared();
    const std::string database = TestServer::new_database();
    prepare(*open(server.url(), database, nullptr, kTimeout));
    FaultProxy proxy(server.port());
    Witness witness;
    bool happened = false;
    {
      const auto store = open(proxy.url(), database, &witness, socket_timeout);
      proxy.fail_at(command, fault);
      run({store.get()}, witness);
      happened = proxy.commands() >= command;
      proxy.repair();
      verify(*store, witness.acknowledged());
      // It goes on, and what could not be sent can be now.
      run({store.get()}, witness);
      EXPECT_EQ(witness.acknowledged().size(), kMessages);
      verify(*store, witness.acknowledged());
    }
    const auto after = open(server.url(), database, nullptr, kTimeout);
    verify(*after, witness.acknowledged());
    verify_published(witness.published());
    const auto view = wait(after->find_room(room(), user(0), 0)).value();
    EXPECT_EQ(static_cast<std::int64_t>(witness.published().size()) + 1, view.room.rev.value) << "told of every entry";
    return happened;
  }

  // At the `first` command and every `step`-th after it; FAULT_STEP=1 in the environment: at every single one, minutes long.
  void fail_everywhere(Fault fault, std::int64_t first, std::int64_t step = 29, Millis socket_timeout = kTimeout) {
    if (const char* wanted = std::getenv("FAULT_STEP")) step = std::max(1, std::atoi(wanted));
    std::int64_t command = first;
    while (!HasFailure() && live_through(command, fault, socket_timeout)) command += step;
    EXPECT_GT(command, 40) << "the run is shorter than thought";
    if (HasFailure()) ADD_FAILURE() << "when command " << command << " failed";
  }
};

TEST_F(MongoFaults, ACommandFails) { fail_everywhere(Fault::error_reply, 1); }
TEST_F(MongoFaults, TheConnectionEndsBeforeACommand) { fail_everywhere(Fault::closed_before, 2); }
TEST_F(MongoFaults, TheConnectionEndsAfterACommandWorked) { fail_everywhere(Fault::closed_after, 3); }
// Each costs its time-out.
TEST_F(MongoFaults, ACommandTimesOutAfterItWorked) { fail_everywhere(Fault::never_answered, 4, 59, Millis(700)); }

}  // namespace
}  // namespace payam::chat
