#include "chat/store/mongo/client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <future>

#include "chat/store/mongo/fault_proxy.hpp"
#include "chat/store/mongo/test_server.hpp"
#include "runtime/shard_set.hpp"

namespace payam::chat::mongo {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

Client::Options options_for(const std::string& url) {
  return {.url = url, .database = TestServer::new_database(), .threads = 2};
}

class MongoClient : public testing::Test {
 protected:
  Client client_{options_for(TestServer::shared().url())};
  Connection connection_ = client_.connect();

  std::vector<std::int64_t> ids(View query) {
    std::vector<std::int64_t> found;
    FindOptions options;
    options.sort.add("_id", 1);
    for (const Document& one : connection_.find("things", query, options).all()) found.push_back(one.view().get<int>("_id"));
    return found;
  }
};

TEST_F(MongoClient, InsertsInOrderUpToTheFirstKeyThatIsTaken) {
  EXPECT_TRUE(connection_.insert("things", doc("_id", 3)));
  EXPECT_FALSE(connection_.insert("things", doc("_id", 3)));
  std::vector<Document> batch;
  for (int i = 1; i <= 5; ++i) batch.push_back(doc("_id", i));
  EXPECT_EQ(connection_.insert("things", batch), 2u);
  EXPECT_THAT(ids(doc()), ElementsAre(1, 2, 3));
  connection_.insert_missing("things", batch);
  EXPECT_THAT(ids(doc()), ElementsAre(1, 2, 3, 4, 5));
}

TEST_F(MongoClient, AUniqueIndexOfOnesOwnIsAFenceToo) {
  const Index by_name{"by_name", doc("name", 1), true};
  connection_.create_indexes("things", std::span(&by_name, 1));
  connection_.create_indexes("things", std::span(&by_name, 1));
  EXPECT_TRUE(connection_.insert("things", doc("_id", 1, "name", "a")));
  EXPECT_FALSE(connection_.insert("things", doc("_id", 2, "name", "a")));
  EXPECT_TRUE(connection_.insert("things", doc("_id", 3, "name", "b")));
  EXPECT_THROW(connection_.update("things", doc("_id", 3), doc("$set", doc("name", "a"))), DuplicateKey);
}

TEST_F(MongoClient, UpdatesSayHowManyFitted) {
  for (int i = 1; i <= 3; ++i) connection_.insert("things", doc("_id", i, "n", i));
  EXPECT_EQ(connection_.update("things", doc("_id", 1, "n", doc("$lt", 5)), doc("$set", doc("n", 5))), 1);
  EXPECT_EQ(connection_.update("things", doc("_id", 1, "n", doc("$lt", 5)), doc("$set", doc("n", 5))), 0);
  EXPECT_EQ(connection_.update("things", doc(), doc("$max", doc("n", 4)), Update::Which::all), 3);
  EXPECT_THAT(ids(doc("n", 4)), ElementsAre(2, 3));
  const auto before = connection_.find_and_update("things", doc("_id", 2), doc("$inc", doc("n", 1)));
  ASSERT_TRUE(before);
  EXPECT_EQ(before->view().get<int>("n"), 4);
  EXPECT_FALSE(connection_.find_and_update("things", doc("_id", 9), doc("$inc", doc("n", 1))));
  EXPECT_EQ(connection_.remove_one("things", doc("n", 5)), 1);
  EXPECT_EQ(connection_.remove_all("things", doc()), 2);
  EXPECT_EQ(connection_.count("things", doc()), 0);
}

TEST_F(MongoClient, ReadsManyDocumentsOneAtATime) {
  std::vector<Document> batch;
  for (int i = 0; i < 1'000; ++i) batch.push_back(doc("_id", i));
  EXPECT_FALSE(connection_.insert("things", batch));
  int count = 0;
  for (Cursor cursor = connection_.find("things", doc()); cursor.next();) ++count;
  EXPECT_EQ(count, 1'000);
  EXPECT_THAT(ids(doc("_id", doc("$in", list(std::vector{7, 5, 2'000})))), ElementsAre(5, 7));
}

TEST_F(MongoClient, EveryWriteIsForTheMajorityAndTheJournal) {
  FaultProxy proxy(TestServer::shared().port());
  Client client(options_for(proxy.url() + "/?w=1&journal=false"));
  Connection connection = client.connect();
  // As BSON holds them: w, a string of nine bytes with its end; j, a boolean that is true.
  const std::string durable("\x02w\0\x09\0\0\0majority\0\x08j\0\x01", 20);
  connection.insert("things", doc("_id", 1));
  EXPECT_THAT(proxy.last_command(), HasSubstr(durable));
  connection.update("things", doc("_id", 1), doc("$set", doc("n", 1)));
  EXPECT_THAT(proxy.last_command(), HasSubstr(durable));
  connection.find_and_update("things", doc("_id", 1), doc("$set", doc("n", 2)));
  EXPECT_THAT(proxy.last_command(), HasSubstr(durable));
  connection.remove_all("things", doc());
  EXPECT_THAT(proxy.last_command(), HasSubstr(durable));
}

TEST_F(MongoClient, WorkRunsOnThePoolAndItsFaultsComeBack) {
  ShardSet shards(1);
  const auto wait = [&](auto task) { return asio::co_spawn(shards[0].executor(), std::move(task), asio::use_future).get(); };
  EXPECT_TRUE(wait(client_.run([](Connection& connection) { return connection.insert("things", doc("_id", 1)); })));
  EXPECT_THROW(wait(client_.run([](Connection& connection) { connection.command(doc("noSuchCommand", 1)); })), MongoError);
}

TEST(MongoClientErrors, AFullDatabaseIsKnownByItsNumberOrItsText) {
  EXPECT_TRUE(is_out_of_space(14031, "Available disk space of 1 bytes is less than required minimum"));
  EXPECT_TRUE(is_out_of_space(8000, "you are over your space quota, using 513 MB of 512 MB"));
  EXPECT_TRUE(is_out_of_space(1, "could not extend file \"base/1/2\": No space left on device"));
  EXPECT_FALSE(is_out_of_space(8000, "user is not allowed to do action"));
  EXPECT_FALSE(is_out_of_space(1, ""));
}

TEST(MongoClientAway, IsAnOutageWithinItsTimeAndComesBackByItself) {
  auto server = std::make_unique<TestServer>();
  const int port = server->port();
  auto options = options_for(server->url());
  options.selection_timeout = Millis(2'000);
  Client client(options);
  EXPECT_TRUE(client.connect().insert("things", doc("_id", 1)));
  server->kill();
  const auto begun = steady_now();
  EXPECT_THROW(client.connect().insert("things", doc("_id", 2)), Outage);
  EXPECT_THROW(client.connect().insert("things", doc("_id", 2)), Outage);
  EXPECT_LT(steady_now() - begun, Millis(10'000));
  server = std::make_unique<TestServer>(nullptr, port);
  bool worked = false;
  for (int i = 0; i < 20 && !worked; ++i) {
    try {
      worked = client.connect().insert("things", doc("_id", 2));
    } catch (const Outage&) {
    }
  }
  EXPECT_TRUE(worked);
}

TEST(MongoClientUrl, IsRefusedWithoutTellingItsSecrets) {
  for (const char* url : {"mongodb://ali:s3cret@", "mongodb://ali:s3cret%zz@host/", "mongo://ali:s3cret@host", "nonsense"}) {
    try {
      const Client client({.url = url, .database = {}});
      ADD_FAILURE() << url << " was taken";
    } catch (const std::runtime_error& error) {
      EXPECT_THAT(error.what(), HasSubstr("no MongoDB connection string"));
      EXPECT_THAT(error.what(), Not(HasSubstr("s3cret")));
    }
  }
  EXPECT_EQ(Client({.url = "mongodb://127.0.0.1:1/name", .database = {}}).database(), "name");
  EXPECT_EQ(Client({.url = "mongodb://127.0.0.1:1/name", .database = "other"}).database(), "other");
  EXPECT_EQ(Client({.url = "mongodb://127.0.0.1:1", .database = {}}).database(), "payam");
}

TEST(MongoClientUrl, AFaultSaysNoPassword) {
  const Client::Options options{.url = "mongodb://ali:s3cret@127.0.0.1:1", .database = "x", .selection_timeout = Millis(300)};
  Client client(options);
  try {
    client.connect().command(doc("ping", 1));
    FAIL() << "nobody is there";
  } catch (const Outage& error) {
    EXPECT_THAT(error.what(), Not(HasSubstr("s3cret")));
  }
}

}  // namespace
}  // namespace payam::chat::mongo
