// What of an account's life stands in the log: ids alone, and what strangers can cause not without end.
#include <gmock/gmock.h>
#include <unistd.h>

#include <fstream>

#include "chat/api/testing/rest_fixture.hpp"
#include "chat/service/testing/captured_log.hpp"

namespace payam::chat::api {
namespace {

using namespace testing;
using chat::testing::CapturedLog;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class AccountLog : public RestFixture {
 protected:
  AccountLog() : RestFixture(Setup{.limited = true}) {}

  Reply sign_in(const std::string& email, const std::string& password) {
    return post("/auth/login", json::serialize(json::object{{"email", email}, {"password", password}}));
  }
  std::string id_of(const std::string& email) {
    std::string id;
    on_shard([&]() -> Task<> { id = (co_await store_->find_user_by_email(email)).value().id.str(); });
    return id;
  }

  const CapturedLog log_;
};

TEST_F(AccountLog, TellsOfEachStepOfAnAccount) {
  const std::string token = arrive("sara");
  const std::string user = id_of("sara@example.org"), session = tokens_.verify(token, wall_now())->session.str();
  EXPECT_THAT(log_.lines("signed_up"), ElementsAre("info signed_up user=" + user + " address=192.0.2.1"));
  EXPECT_THAT(log_.lines("signed_in"),
              ElementsAre("info signed_in user=" + user + " session=" + session + " address=192.0.2.1"));

  const std::string phone = text_of(sign_in("sara@example.org", "password of sara").body().at("access_token"));
  const std::string phone_session = tokens_.verify(phone, wall_now())->session.str();
  EXPECT_EQ(post("/auth/users/me/password", R"({"current_password":"password of sara","new_password":"another secret"})", token)
                .status,
            204);
  EXPECT_THAT(log_.lines("password_changed"),
              ElementsAre("info password_changed user=" + user + " session=" + session + " address=192.0.2.1"));
  EXPECT_THAT(log_.lines("session_ended"),
              ElementsAre("info session_ended session=" + phone_session + " user=" + user + " reason=password_changed"));
  EXPECT_EQ(post("/auth/logout", "", token).status, 204);
  EXPECT_EQ(log_.lines("session_ended").back(),
            "info session_ended session=" + session + " user=" + user + " reason=logged_out");

  const std::string last = text_of(sign_in("sara", "another secret").body().at("access_token"));
  EXPECT_EQ(call(http::Method::del, "/auth/users/me", R"({"password":"wrong"})", {.token = last}).status, 403);
  EXPECT_THAT(log_.lines("password_wrong"), ElementsAre("info password_wrong address=192.0.2.1 count=1"));
  EXPECT_EQ(call(http::Method::del, "/auth/users/me", R"({"password":"another secret"})", {.token = last}).status, 204);
  EXPECT_THAT(log_.lines("account_erased"), ElementsAre("info account_erased user=" + user + " address=192.0.2.1"));
  EXPECT_THAT(log_.text(), Not(HasSubstr("sara")));
  EXPECT_THAT(log_.text(), Not(HasSubstr("secret")));
}

TEST_F(AccountLog, GuessesAreALineAMinute) {
  arrive("sara");
  int throttled = 0;
  for (int i = 0; i < 40; ++i) throttled += sign_in("sara@example.org", "guess").status == 429 ? 1 : 0;
  EXPECT_EQ(throttled, 30);
  EXPECT_THAT(log_.lines("sign_in_failed"), ElementsAre("info sign_in_failed address=192.0.2.1 count=1"));
  EXPECT_THAT(log_.lines("sign_in_throttled"), ElementsAre("info sign_in_throttled address=192.0.2.1 count=1"));
}

class Denied : public RestFixture {
 protected:
  static PasswordDenylist list() {
    const auto file = std::filesystem::temp_directory_path() / ("payam-denied-" + std::to_string(getpid()));
    std::ofstream(file) << "correct horse\n";
    auto denylist = PasswordDenylist::read(file);
    std::filesystem::remove(file);
    return denylist;
  }
  Denied() : RestFixture(Setup{.denylist = list()}) {}

  static void expect_refused(const Reply& reply, const std::string& field) {
    EXPECT_EQ(reply.status, 422);
    EXPECT_EQ(reply.text, R"({"detail":[{"type":"value_error","loc":["body",")" + field +
                              R"("],"msg":"Value error, this password is on the list of those everybody tries first",)"
                              R"("input":null,"ctx":{"error":{}}}]})");
  }
};

TEST_F(Denied, APasswordOfTheListIsRefusedWhereOneIsChosen) {
  expect_refused(post("/auth/signup", R"({"username":"sara","email":"sara@example.org","password":"Correct Horse"})"),
                 "password");
  const std::string token = arrive("sara");
  expect_refused(
      post("/auth/users/me/password", R"({"current_password":"password of sara","new_password":"CORRECT HORSE"})", token),
      "new_password");
  EXPECT_EQ(
      post("/auth/users/me/password", R"({"current_password":"password of sara","new_password":"correct mule"})", token).status,
      204);
}

class OtherHashes : public RestFixture {
 protected:
  void have(const std::string& hash) {
    on_shard([&]() -> Task<> { co_await store_->set_password_hash(id_, hash); });
  }
  std::string hash() {
    std::string found;
    on_shard([&]() -> Task<> { found = (co_await store_->find_user(id_)).value().password_hash; });
    return found;
  }
  int sign_in(const std::string& password) {
    return post("/auth/login", json::serialize(json::object{{"email", "sara@example.org"}, {"password", password}})).status;
  }

  void SetUp() override {
    arrive("sara");
    on_shard([&]() -> Task<> { id_ = (co_await store_->find_user_by_email("sara@example.org")).value().id; });
  }
  UserId id_;
};

TEST_F(OtherHashes, AreMadeAnewAtTheNextSignIn) {
  // From the test vectors of crypt_blowfish.
  const std::string elsewhere = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
  have(elsewhere);
  EXPECT_EQ(sign_in("guess"), 401);
  EXPECT_EQ(hash(), elsewhere);
  EXPECT_EQ(sign_in("U*U"), 200);
  const std::string renewed = hash();
  EXPECT_TRUE(renewed.starts_with("$2b$04$")) << renewed;
  EXPECT_EQ(sign_in("U*U"), 200);
  EXPECT_EQ(hash(), renewed) << "as it should be already";
  EXPECT_EQ(sign_in("guess"), 401);
}

TEST_F(OtherHashes, OfNoKnownFormAreWrong) {
  for (const char* broken : {"", "!", "secret", "$2b$04$short"}) {
    have(broken);
    EXPECT_EQ(sign_in("secret"), 401) << broken;
    EXPECT_EQ(sign_in(broken), *broken == 0 ? 422 : 401) << broken;
  }
}

class Crowded : public RestFixture {
 protected:
  Crowded() : RestFixture(Setup{.passwords = {.address = 0, .total = 256}}) {}
};

TEST_F(Crowded, AnAddressWithTooManyChecksUnderWayIsToldToWait) {
  const Reply reply = post("/auth/login", R"({"email":"sara@example.org","password":"secret"})");
  EXPECT_EQ(reply.status, 429);
  EXPECT_EQ(reply.headers.at("Retry-After"), "1");
  EXPECT_EQ(post("/auth/signup", R"({"username":"sara","email":"sara@example.org","password":"correct horse"})").status, 429);
}

class Full : public RestFixture {
 protected:
  Full() : RestFixture(Setup{.passwords = {.total = 0}}) {}
};

TEST_F(Full, WithTooManyChecksInAllTheServerIsBusy) {
  const Reply reply = post("/auth/login", R"({"email":"sara@example.org","password":"secret"})");
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(reply.headers.at("Retry-After"), "1");
  EXPECT_EQ(post("/auth/signup", R"({"username":"sara","email":"sara@example.org","password":"correct horse"})").status, 503);
}

}  // namespace
}  // namespace payam::chat::api
