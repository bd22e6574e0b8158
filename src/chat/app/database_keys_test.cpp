#include "chat/app/database_keys.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <set>
#include <thread>

#include "chat/auth/key_file.hpp"
#include "chat/auth/sealed.hpp"
#include "chat/store/mongo/test_server.hpp"

namespace payam::chat {
namespace {

using namespace std::chrono_literals;
using mongo::doc;
using testing::HasSubstr;
using testing::Not;

constexpr std::chrono::seconds kLifetime = 30min;
const std::string kSecret = "0123456789abcdef0123456789abcdef";
const std::string kOtherSecret = "another secret, as long as needed";

class DatabaseKeys : public testing::Test {
 protected:
  Result<SigningKeys> read(Timestamp now) { return read_or_make_database_keys(connection_, kSecret, kLifetime, now); }

  mongo::Client client_{
      {.url = mongo::TestServer::shared().url(), .database = mongo::TestServer::new_database(), .threads = 4}};
  mongo::Connection connection_ = client_.connect();
  const Timestamp now_ = wall_now();
};

TEST_F(DatabaseKeys, AreMadeOnceAndReadFromThenOn) {
  const auto made = read(now_);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_TRUE(made->retired.empty());
  EXPECT_EQ(read(now_ + 24h)->key.id(), made->key.id());
}

TEST_F(DatabaseKeys, NodesThatStartTogetherShareOne) {
  constexpr int kNodes = 4;
  std::array<std::string, kNodes> ids;
  {
    std::vector<std::jthread> nodes;
    for (int i = 0; i < kNodes; ++i) {
      nodes.emplace_back([this, &id = ids[static_cast<std::size_t>(i)]] {
        auto connection = client_.connect();
        id = read_or_make_database_keys(connection, kSecret, kLifetime, now_)->key.id();
      });
    }
  }
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), 1u);
  EXPECT_EQ(connection_.count("signing_keys", doc()), 1);
}

TEST_F(DatabaseKeys, AfterARotationTokensOfBeforeVerifyUntilTheyAreOver) {
  const auto before = read(now_);
  const std::string token = Tokens(before->key, kLifetime).issue("sara@example.org", SessionId("S"), now_);
  const auto id = rotate_database_key(connection_, kSecret, now_);
  ASSERT_TRUE(id) << id.error().message;
  const auto after = read(now_ + 1min);
  EXPECT_EQ(after->key.id(), *id);
  EXPECT_NE(after->key.id(), before->key.id());
  const Tokens tokens(after->key, kLifetime, after->retired);
  EXPECT_TRUE(tokens.verify(token, now_ + 1min));
  EXPECT_THAT(tokens.jwks(now_), HasSubstr(before->key.id()));
  EXPECT_EQ(read(now_ + kLifetime + kReloadTime - 1s)->retired.size(), 1u);
  EXPECT_TRUE(read(now_ + kLifetime + kReloadTime)->retired.empty());
}

TEST_F(DatabaseKeys, EachRotationCountsFromItsOwnTime) {
  read(now_).value();
  ASSERT_TRUE(rotate_database_key(connection_, kSecret, now_));
  ASSERT_TRUE(rotate_database_key(connection_, kSecret, now_ + 20min));
  EXPECT_EQ(read(now_ + 21min)->retired.size(), 2u);
  EXPECT_EQ(read(now_ + 40min)->retired.size(), 1u);
}

TEST_F(DatabaseKeys, AnotherSecretIsToldAndMakesNothing) {
  const auto made = read(now_);
  const auto refused = read_or_make_database_keys(connection_, kOtherSecret, kLifetime, now_);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("SECRET_KEY is not the one"));
  EXPECT_FALSE(rotate_database_key(connection_, kOtherSecret, now_));
  EXPECT_EQ(connection_.count("signing_keys", doc()), 1);
  EXPECT_EQ(read(now_)->key.id(), made->key.id());
}

TEST_F(DatabaseKeys, NeverLieThereInTheClear) {
  read(now_).value();
  const auto row = connection_.find_one("signing_keys", doc("_id", 1)).value();
  EXPECT_THAT(row.view().get<std::string>("sealed"), Not(HasSubstr("PRIVATE")));
  EXPECT_EQ(unseal(kSecret, {"payam signing key", row.view().get<std::string>("kid")}, row.view().get<std::string>("sealed"))
                .value()
                .substr(0, 27),
            "-----BEGIN PRIVATE KEY-----");
}

}  // namespace
}  // namespace payam::chat
