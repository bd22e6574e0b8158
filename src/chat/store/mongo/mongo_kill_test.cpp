// Promise 1 on real processes: kill -9 of who writes, and of the database's server; every message that was acknowledged is
// there, once, where it was said to be.
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <memory>
#include <mutex>
#include <thread>

#include "chat/store/contract/kill.hpp"
#include "chat/store/mongo/mongo_store.hpp"
#include "chat/store/mongo/test_server.hpp"
#include "chat/store/sqlite/temporary_folder.hpp"
#include "runtime/shard_set.hpp"

namespace payam::chat {
namespace {

using mongo::TestServer;

TEST(MongoKill, AWriterThatDiesLosesNothingThatWasAcknowledged) {
  const std::string url = TestServer::shared().url() + "/" + TestServer::new_database();
  Acknowledged acknowledged;
  for (const int lines : {1, 40, 7, 150, 1, 90, 3}) {
    Victim victim(PAYAM_KILL_CHILD, url);
    ASSERT_TRUE(victim.wait_for(lines));
    ASSERT_EQ(victim.kill(), SIGKILL);
    read_acknowledged(victim.whole_output(), acknowledged);
  }
  ASSERT_GT(acknowledged.size(), 200u);
  verify_acknowledged(*open_mongo_store({.client = {.url = url, .database = {}}}), acknowledged);
}

// Sends one after the other until `stop`, and goes on after failures with the next.
Task<> send_through(Store& store, int sender, const std::atomic<bool>& stop, Acknowledged& acknowledged, std::mutex& mutex) {
  for (int i = 0; !stop; ++i) {
    const std::string id = std::to_string(sender) + "-" + std::to_string(i);
    SendMessage send{RoomId("r"), UserId("u"), MessageId(id), "text of " + id, "c" + id, {}, {}, wall_now()};
    Change change = std::move(send);
    try {
      const auto result = co_await store.commit(std::move(change));
      const Message& message = std::get<MessageAdded>(result.value().entry.body).message;
      const std::lock_guard lock(mutex);
      acknowledged.emplace(*message.client_id, std::pair(message.seq.value, message.rev.value));
    } catch (const std::runtime_error&) {
    }
  }
}

TEST(MongoKill, AServerThatDiesLosesNothingThatWasAcknowledgedAndIsFoundAgain) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "mongo.h2";
  auto server = std::make_unique<TestServer>(&file);
  const int port = server->port();
  ShardSet shards(2);
  const auto store = open_mongo_store({.client = {.url = server->url(), .database = "payam"}});
  const User person{UserId("u"), "ali", "ali@example.com", {}, "hash", wall_now(), {}};
  asio::co_spawn(shards[0].executor(), store->create_user(person), asio::use_future).get().value();
  const Change create = CreateRoom{RoomId("r"), UserId("u"), "Room", {}, wall_now()};
  asio::co_spawn(shards[0].executor(), store->commit(create), asio::use_future).get().value();

  Acknowledged acknowledged;
  std::mutex mutex;
  std::atomic<bool> stop = false;
  std::vector<std::future<void>> senders;
  for (int i = 0; i < 4; ++i) {
    senders.push_back(
        asio::co_spawn(shards[i % 2].executor(), send_through(*store, i, stop, acknowledged, mutex), asio::use_future));
  }
  const auto count = [&] {
    const std::lock_guard lock(mutex);
    return acknowledged.size();
  };
  const auto wait_for = [&](std::size_t more) {
    const std::size_t until = count() + more;
    const auto deadline = steady_now() + Millis(60'000);
    while (count() < until && steady_now() < deadline) std::this_thread::sleep_for(Millis(5));
    return count() >= until;
  };
  for (int life = 0; life < 3; ++life) {
    ASSERT_TRUE(wait_for(50)) << "in life " << life;
    server->kill();
    server = std::make_unique<TestServer>(&file, port);
  }
  ASSERT_TRUE(wait_for(50));
  stop = true;
  for (auto& sender : senders) sender.get();
  verify_acknowledged(*store, acknowledged);
  server->kill();
  server = std::make_unique<TestServer>(&file, port);
  verify_acknowledged(*open_mongo_store({.client = {.url = server->url(), .database = "payam"}}), acknowledged);
}

}  // namespace
}  // namespace payam::chat
