// The store's contract on MongoDB, and what is MongoDB's alone: several nodes on one database, what dead writers leave,
// outages.
#include "chat/store/mongo/mongo_store.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <set>

#include "chat/store/contract/store_contract.hpp"
#include "chat/store/contract/under_faults.hpp"
#include "chat/store/mongo/documents.hpp"
#include "chat/store/mongo/fault_proxy.hpp"
#include "chat/store/mongo/test_server.hpp"

namespace payam::chat {
namespace {

using mongo::Connection;
using mongo::doc;
using mongo::TestServer;
using testing::ElementsAre;

MongoOptions options_for(std::string url, std::string database) {
  return {.client = {.url = std::move(url), .database = std::move(database), .threads = 4},
          .search_effort = {.time = Millis(3'600'000)}};  // no test depends on the machine's speed
}

class MongoHost final : public StoreHost {
 public:
  std::unique_ptr<Store> open() override { return open_mongo_store(options_for(TestServer::shared().url(), database_)); }
  bool keeps_data() const override { return true; }

 private:
  const std::string database_ = TestServer::new_database();
};

INSTANTIATE_TEST_SUITE_P(Mongo, StoreContract, testing::Values(StoreKind{"One", [] { return std::make_unique<MongoHost>(); }}),
                         [](const auto& info) { return info.param.name; });

// Several stores on one database, as several nodes have.
class MongoNodes : public UnderFaults {
 protected:
  std::unique_ptr<Store> open() {
    auto store = open_mongo_store(options_for(TestServer::shared().url(), database_));
    store->observe([this](std::span<const Commit> commits) { witness_.published(commits); });
    return store;
  }
  SendMessage message(int sender, const std::string& id) {
    return {room(), user(sender), MessageId(id), "text of " + id, "c" + id, {}, {}, at(5)};
  }

  void write_together(int nodes) {
    constexpr int kPerNode = 200;
    constexpr int kInFlight = 4;  // coroutines of a node
    std::vector<std::unique_ptr<Store>> stores;
    for (int i = 0; i < nodes; ++i) stores.push_back(open());
    prepare(*stores[0]);
    const auto begun = steady_now();
    std::vector<std::future<void>> futures;
    for (int node = 0; node < nodes; ++node) {
      for (int part = 0; part < kInFlight; ++part) {
        std::vector<SendMessage> messages;
        for (int i = 0; i < kPerNode / kInFlight; ++i) {
          messages.push_back(
              message(node % kSenders, std::to_string(node) + "-" + std::to_string(part) + "-" + std::to_string(i)));
        }
        futures.push_back(asio::co_spawn(shards_[part % kShards].executor(),
                                         send_all(*stores[static_cast<std::size_t>(node)], std::move(messages)),
                                         asio::use_future));
      }
    }
    for (auto& future : futures) future.get();
    const std::chrono::duration<double> took = steady_now() - begun;
    const auto sent = static_cast<std::size_t>(nodes * kPerNode);
    std::cout << nodes << " nodes into one room: " << static_cast<int>(static_cast<double>(sent) / took.count())
              << " messages/s\n";
    EXPECT_EQ(witness_.acknowledged().size(), sent);
    for (const auto& store : stores) verify(*store, witness_.acknowledged());
    // Each node told its own: together every entry once.
    auto told = witness_.published();
    std::ranges::sort(told);
    std::vector<Rev> all;
    for (std::int64_t rev = 1; rev <= static_cast<std::int64_t>(sent) + 1; ++rev) all.push_back(Rev{rev});
    EXPECT_EQ(told, all);
  }

  Task<> send_all(Store& store, std::vector<SendMessage> messages) {
    for (const SendMessage& one : messages) {
      for (bool sent = false; !sent;) {
        Change change = one;
        try {
          const auto result = co_await store.commit(std::move(change));
          witness_.acknowledged(result.value());
          sent = true;
        } catch (const Unavailable&) {
          // On a slow machine the others may be first at the fence for too long: it asks again, as every sender does.
        }
      }
    }
  }

  const std::string database_ = TestServer::new_database();
  Witness witness_;
};

TEST_F(MongoNodes, TwoWriteIntoOneRoomWithoutAGap) { write_together(2); }
TEST_F(MongoNodes, FiveWriteIntoOneRoomWithoutAGap) { write_together(5); }

TEST_F(MongoNodes, AClientIdIsOneMessageWhicheverNodeTakesIt) {
  const auto one = open(), other = open();
  prepare(*one);
  std::vector<std::future<Result<Commit>>> answers;
  for (int i = 0; i < 10; ++i) {
    SendMessage send = message(1, "try" + std::to_string(i));
    send.client_id = "same";
    answers.push_back(
        asio::co_spawn(shards_[i % kShards].executor(), (i % 2 == 0 ? one : other)->commit(send), asio::use_future));
  }
  int fresh = 0;
  std::set<MessageId> ids;
  for (auto& answer : answers) {
    const Commit commit = answer.get().value();
    fresh += commit.repeated ? 0 : 1;
    ids.insert(message_of(commit).id);
  }
  EXPECT_EQ(fresh, 1);
  EXPECT_EQ(ids.size(), 1u);
  EXPECT_EQ(wait(other->history(room(), user(0), {}))->messages.size(), 1u);
}

TEST_F(MongoNodes, WhoWasRemovedThroughOneSendsThroughNoOther) {
  const auto one = open(), other = open();
  prepare(*one);
  ASSERT_TRUE(wait(one->commit(message(1, "before"))));  // from now on this node knows the sender
  ASSERT_TRUE(wait(other->commit(RemoveMember{room(), user(0), email(1), at(6)})));
  EXPECT_EQ(wait(one->commit(message(1, "after"))).error().code, Errc::not_member);
  ASSERT_TRUE(wait(other->commit(AddMembers{room(), user(0), {email(1)}, at(7)})));
  EXPECT_TRUE(wait(one->commit(message(1, "again"))));
  verify(*one, {});
}

TEST_F(MongoNodes, ADeletedRoomTakesNothingThroughANodeThatKnewIt) {
  const auto one = open(), other = open();
  prepare(*one);
  ASSERT_TRUE(wait(one->commit(message(0, "before"))));
  ASSERT_TRUE(wait(other->commit(DeleteRoom{room(), user(0), at(6)})));
  EXPECT_EQ(wait(one->commit(message(0, "after"))).error().code, Errc::not_found);
}

// What a writer leaves that dies between its insert and everything else.
class MongoLeftovers : public MongoNodes {
 protected:
  void leave(mongo::StoredEntry entry, mongo::Document more = {}) {
    entry.room = room();
    entry.key = mongo::entry_key(room(), entry.rev);
    entry.id = "left" + std::to_string(entry.rev.value);
    entry.actor = user(0);
    entry.at = entry.active_at = at(9);
    mongo::Document document = entry_document(entry, std::nullopt);
    document.add_all(more);
    mongo::Client client({.url = TestServer::shared().url(), .database = database_, .threads = 1});
    ASSERT_TRUE(client.connect().insert(mongo::kLog, document));
  }
};

TEST_F(MongoLeftovers, AMembershipIsAppliedByWhoReadsNext) {
  const auto store = open();
  prepare(*store);
  leave({.rev = Rev{2}, .kind = mongo::EntryKind::members_added, .named = {{user(3), Role::member}}});
  leave({.rev = Rev{3}, .kind = mongo::EntryKind::room_updated, .name = "Left", .topic = "behind"});
  leave({.rev = Rev{4}, .kind = mongo::EntryKind::member_removed, .named = {{user(1), Role::member}}});
  EXPECT_TRUE(wait(store->find_room(room(), user(0), 0)));
  const auto view = wait(store->find_room(room(), user(3), 0)).value();
  EXPECT_EQ(view.room.rev, Rev{4});
  EXPECT_EQ(view.room.name, "Left");
  EXPECT_THAT(emails(view.members), ElementsAre(email(0), email(2), email(3)));
  verify(*store, {});
}

TEST_F(MongoLeftovers, AMembershipIsAppliedByWhoWritesNext) {
  const auto store = open();
  prepare(*store);
  ASSERT_TRUE(wait(store->commit(message(1, "known"))));
  leave({.rev = Rev{3}, .kind = mongo::EntryKind::member_removed, .last_seq = Seq{1}, .named = {{user(1), Role::member}}});
  EXPECT_EQ(wait(store->commit(message(1, "late"))).error().code, Errc::not_member);
  EXPECT_EQ(wait(store->commit(message(2, "next")))->entry.rev, Rev{4});
  verify(*store, {});
}

TEST_F(MongoLeftovers, AnEditIsAppliedOnceAndItsTextIsNowhereElse) {
  const auto store = open();
  prepare(*store);
  ASSERT_TRUE(wait(store->commit(message(1, "m"))));
  const auto after = doc("content", "edited", "edited_at", at(9), "deleted", false, "pinned", false, "attachments",
                         mongo::Array(), "links", mongo::Array(), "mentions", mongo::Array(), "reactions", mongo::Array());
  mongo::StoredEntry edit{.rev = Rev{3}, .kind = mongo::EntryKind::message_updated, .last_seq = Seq{1}};
  edit.target = mongo::entry_key(room(), Rev{2});
  edit.target_id = MessageId("m");
  edit.subject = Seq{1};
  leave(edit, doc("after", after));
  EXPECT_EQ(wait(store->find_message({MessageId("m"), {}}, user(0)))->content, "edited");
  EXPECT_EQ(wait(store->find_message({MessageId("m"), {}}, user(0)))->rev, Rev{3});
  ASSERT_TRUE(wait(store->commit(DeleteMessage{{MessageId("m"), {}}, user(1), at(10)})));
  mongo::Client client({.url = TestServer::shared().url(), .database = database_, .threads = 1});
  Connection connection = client.connect();
  for (const mongo::Document& entry : connection.find(mongo::kLog, doc()).all()) {
    EXPECT_FALSE(entry.view().has("after"));
    EXPECT_EQ(entry.view().get<std::optional<std::string>>("content").value_or(""), "");
  }
}

TEST_F(MongoNodes, ASearchEndsWhenItHasCostEnoughAndGoesOnFromThere) {
  auto options = options_for(TestServer::shared().url(), database_);
  options.search_effort = {.bytes = 8'000, .time = Millis(3'600'000)};
  const auto store = open_mongo_store(options);
  prepare(*store);
  const auto send = [&](const std::string& id, std::string content, std::int64_t time) {
    SendMessage change = message(1, id);
    change.content = std::move(content);
    change.at = at(time);
    ASSERT_TRUE(wait(store->commit(std::move(change))));
  };
  send("here", "東京都", 0);
  std::string nowhere = "東京 京都 ";  // 2,714 bytes, with 200 for the reading: three are looked at
  for (int i = 0; i < 300; ++i) nowhere += "سلام ";
  for (int i = 0; i < 10; ++i) send("m" + std::to_string(i), nowhere, 10 + i);
  SearchQuery query{.text = "東京都", .room = {}, .before = {}};
  for (const char* next : {"m7", "m4", "m1"}) {
    const SearchPage page = wait(store->search(user(0), query, {})).value();
    EXPECT_TRUE(page.hits.empty());
    ASSERT_EQ(page.next, MessageId(next));
    query.before = page.next;
  }
  const SearchPage last = wait(store->search(user(0), query, {})).value();
  ASSERT_EQ(last.hits.size(), 1u);
  EXPECT_EQ(last.hits[0].message.id, MessageId("here"));
  EXPECT_EQ(last.next, std::nullopt);
  std::stop_source gone;
  gone.request_stop();
  EXPECT_THROW(wait(store->search(user(0), query, gone.get_token())), Overloaded) << "it is not begun";
}

TEST_F(MongoNodes, ASendAndAPageTakeTheSameCommandsHoweverLongTheRoom) {
  prepare(*open());
  mongo::FaultProxy proxy(TestServer::shared().port());
  auto options = options_for(proxy.url(), database_);
  options.tend_every = Millis(3'600'000);
  const auto store = open_mongo_store(options);
  const auto count = [&](auto task) {
    proxy.repair();
    wait(std::move(task)).value();
    return proxy.commands();
  };
  ASSERT_TRUE(wait(store->commit(message(1, "first"))));
  int number = 0;
  for (const int messages : {1, 40, 200}) {
    for (int i = 0; i < messages; ++i) ASSERT_TRUE(wait(store->commit(message(1, std::to_string(++number)))));
    EXPECT_EQ(count(store->commit(message(1, std::to_string(++number)))), 1) << "one insert, after " << number;
    const auto page = count(store->history(room(), user(0), {HistoryQuery::From::newest, {}, 20}));
    EXPECT_LE(page, 12) << "also with all that is not written down yet, after " << number;
  }
}

TEST(MongoAway, AtTheStartItIsWaitedForAndFoundWhenItComes) {
  auto server = std::make_unique<TestServer>();
  const int port = server->port();
  server->kill();
  ShardSet shards(1);
  const auto wait = [&](auto task) { return asio::co_spawn(shards[0].executor(), std::move(task), asio::use_future).get(); };
  auto options = options_for("mongodb://127.0.0.1:" + std::to_string(port), "payam");
  options.client.selection_timeout = Millis(500);
  const auto store = open_mongo_store(options);
  const User person{UserId("u"), "ali", "ali@example.com", {}, "hash", Timestamp{}, {}};
  const Change create = CreateRoom{RoomId("r"), UserId("u"), "Room", {}, Timestamp{}};
  const auto begun = steady_now();
  EXPECT_THROW(wait(store->ping()), mongo::Outage);
  EXPECT_THROW(wait(store->create_user(person)), mongo::Outage);
  EXPECT_THROW(wait(store->commit(create)), mongo::Outage);
  EXPECT_LT(steady_now() - begun, Millis(10'000));
  server = std::make_unique<TestServer>(nullptr, port);
  for (int tries = 0; tries < 20; ++tries) {
    try {
      wait(store->ping());
      break;
    } catch (const mongo::Outage&) {
    }
  }
  ASSERT_TRUE(wait(store->create_user(person)));
  EXPECT_TRUE(wait(store->commit(create)));
}

TEST(MongoAway, WhoWaitsIsAnsweredWithinABound) {
  auto server = std::make_unique<TestServer>();
  ShardSet shards(1);
  auto options = options_for(server->url(), "payam");
  options.client.selection_timeout = Millis(1'000);
  options.client.patience = Millis(2'000);
  const auto store = open_mongo_store(options);
  const User person{UserId("u"), "ali", "ali@example.com", {}, "hash", Timestamp{}, {}};
  asio::co_spawn(shards[0].executor(), store->create_user(person), asio::use_future).get().value();
  server->kill();
  const auto begun = steady_now();
  std::vector<std::future<std::optional<User>>> reads;
  for (int i = 0; i < 200; ++i) {
    reads.push_back(asio::co_spawn(shards[0].executor(), store->find_user(UserId("u")), asio::use_future));
  }
  for (auto& read : reads) EXPECT_THROW(read.get(), Unavailable);
  EXPECT_LT(steady_now() - begun, Millis(10'000));
}

}  // namespace
}  // namespace payam::chat
