// Users and sessions.
#include "chat/store/contract/store_contract.hpp"

namespace payam::chat {
namespace {

TEST_P(StoreContract, KeepsAUserAsGiven) {
  const User user{UserId("u1"), "Ali", "ali@example.com", "Ali Rezaei", "$2b$12$secret", at(5), std::nullopt};
  ASSERT_EQ(wait(store().create_user(user)), user);
  EXPECT_EQ(wait(store().find_user(UserId("u1"))), user);
  EXPECT_EQ(wait(store().find_user_by_email("ali@example.com")), user);
  EXPECT_EQ(wait(store().find_user_by_username("ALI")), user);
  EXPECT_EQ(wait(store().find_user(UserId("u2"))), std::nullopt);
  EXPECT_EQ(wait(store().find_user_by_email("other@example.com")), std::nullopt);
  EXPECT_EQ(wait(store().find_user_by_username("other")), std::nullopt);
}

TEST_P(StoreContract, RefusesASecondUserOfTheSameEmailOrName) {
  add_user("ali");
  EXPECT_EQ(wait(store().create_user({UserId("u2"), "veli", "ali@example.com", {}, "h", at(0), {}})),
            (Result<User>(fail(Errc::bad_request, "Email already registered"))));
  EXPECT_EQ(wait(store().create_user({UserId("u2"), "ALI", "veli@example.com", {}, "h", at(0), {}})),
            (Result<User>(fail(Errc::bad_request, "Username already registered"))));
  EXPECT_EQ(wait(store().find_user(UserId("u2"))), std::nullopt);
}

TEST_P(StoreContract, TakesUsernamesOfOtherScriptsWithoutCase) {
  ASSERT_TRUE(wait(store().create_user({UserId("u1"), "Ömer", "omer@example.com", {}, "h", at(0), {}})));
  EXPECT_TRUE(wait(store().find_user_by_username("öMER")));
  EXPECT_FALSE(wait(store().create_user({UserId("u2"), "ÖMER", "other@example.com", {}, "h", at(0), {}})));
}

TEST_P(StoreContract, OfManyWhoTakeOneNameAtOnceOnlyOneGetsIt) {
  std::vector<std::future<Result<User>>> answers;
  for (int i = 0; i < 30; ++i) {
    const std::string number = std::to_string(i);
    User user{UserId("u" + number), "ali", "ali" + number + "@example.com", {}, "h", at(0), {}};
    answers.push_back(spawn(store().create_user(std::move(user)), i % kShards));
  }
  int taken = 0;
  for (auto& answer : answers) taken += answer.get().has_value() ? 1 : 0;
  EXPECT_EQ(taken, 1);
}

TEST_P(StoreContract, RemembersWhenAUserWasLastSeen) {
  add_user("ali");
  wait(store().set_last_seen(user_id("ali"), at(77)));
  EXPECT_EQ(wait(store().find_user(user_id("ali")))->last_seen, at(77));
  wait(store().set_last_seen(UserId("nobody"), at(78)));
}

TEST_P(StoreContract, KeepsASession) {
  add_user("ali");
  const Session session{SessionId("s1"), user_id("ali"), "Firefox", "192.0.2.1", "refresh", at(1), at(2)};
  wait(store().create_session(session));
  EXPECT_EQ(wait(store().find_session(SessionId("s1"))), session);
  EXPECT_EQ(wait(store().find_session(SessionId("s2"))), std::nullopt);
}

TEST_P(StoreContract, AnswersAPing) { wait(store().ping()); }

}  // namespace
}  // namespace payam::chat
