// That no call is without a limit, whatever is sent with it.
#include <gmock/gmock.h>

#include "chat/api/testing/rest_fixture.hpp"

namespace payam::chat::api {
namespace {

using namespace testing;

constexpr TokenLimit kOnce{.burst = 1, .per_second = 0.001};

class EveryCall : public RestFixture {
 protected:
  EveryCall()
      : RestFixture(Setup{.rates = RateLimits{.sends = kOnce,
                                              .joins = kOnce,
                                              .reads = kOnce,
                                              .uploads = kOnce,
                                              .downloads = kOnce,
                                              .lists = kOnce,
                                              .people = kOnce,
                                              .profile = kOnce,
                                              .strangers = kOnce}}) {}

  // Of a new session; of a user of its own unless one is named.
  std::string token(const std::string& user = "") {
    const std::string name = user.empty() ? "user" + std::to_string(++users_) : user;
    const SessionId session("session" + std::to_string(++sessions_));
    on_shard([&]() -> Task<> {
      if (user.empty()) {
        User created{UserId(name), name, name + "@example.org", {}, "hash", wall_now(), {}};
        EXPECT_TRUE(co_await store_->create_user(created));
      }
      Session one{session, UserId(name), "device", "192.0.2.1", "hash", wall_now(), wall_now(), {}};
      co_await store_->create_session(one);
    });
    return tokens_.issue(name + "@example.org", session, wall_now());
  }
  std::string last_user() const { return "user" + std::to_string(users_); }

  int users_ = 0, sessions_ = 0;
};

std::string filled(std::string path) {
  for (auto open = path.find('{'); open != std::string::npos; open = path.find('{')) {
    path.replace(open, path.find('}') - open + 1, "x");
  }
  return path;
}

TEST_F(EveryCall, HasALimit) {
  const auto& operations = api_.openapi().operations();
  EXPECT_GE(operations.size(), 39u);
  for (const auto& operation : operations) {
    const std::string name = std::string(http::to_string(operation.method)) + " " + operation.path;
    std::string bearer = operation.bearer ? token() : "";
    int calls = 1;
    Reply reply = call(operation.method, filled(operation.path), "", {.token = bearer});
    // An address has ten times as much as a user.
    for (; calls <= 11 && reply.status != 429; ++calls) {
      if (reply.status == 204 && operation.bearer) bearer = token(last_user());  // it has signed out
      reply = call(operation.method, filled(operation.path), "", {.token = bearer});
    }
    EXPECT_EQ(reply.status, 429) << name;
    EXPECT_NE(reply.headers["Retry-After"], "") << name;
    if (operation.bearer) EXPECT_LE(calls, 2) << name << " is counted for its user";
    EXPECT_NE(std::ranges::find(operation.replies, 429, &http::DocumentedReply::status), operation.replies.end()) << name;
  }
}

TEST_F(EveryCall, IsTooOftenForItsUserAlone) {
  const std::string one = token(), other = token();
  EXPECT_EQ(get("/auth/users?q=user", one).status, 200);
  const Reply again = get("/auth/users?q=user", one);
  EXPECT_EQ(again.status, 429);
  EXPECT_EQ(again.headers.at("Retry-After"), "1000");
  EXPECT_EQ(again.text, R"({"detail":"Too often; try again later"})");
  EXPECT_EQ(get("/auth/users?q=user", other).status, 200);
  EXPECT_EQ(get("/auth/sessions", one).status, 200) << "another kind of call";
}

}  // namespace
}  // namespace payam::chat::api
