// The profile, the password, the end of an account, the directory, blocks, invites to the server.
#include <gmock/gmock.h>
#include <time.h>

#include "chat/api/testing/socket_fixture.hpp"
#include "chat/auth/secret_hash.hpp"

namespace payam::chat::api {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::vector<std::string> names(const Reply& reply) {
  std::vector<std::string> list;
  for (const auto& person : reply.body().as_array()) list.push_back(text_of(person.at("username")));
  return list;
}

class UserEndpoints : public SocketFixture {
 protected:
  Reply patch(const std::string& body, const std::string& token) {
    return call(http::Method::patch, "/auth/users/me", body, {.token = token});
  }
  Reply change_password(const std::string& current, const std::string& next, const std::string& token) {
    return post("/auth/users/me/password", json::serialize(json::object{{"current_password", current}, {"new_password", next}}),
                token);
  }
  Reply erase(const std::string& password, const std::string& token) {
    return call(http::Method::del, "/auth/users/me", json::serialize(json::object{{"password", password}}), {.token = token});
  }
  Reply log_in(const std::string& name, const std::string& password) {
    return post("/auth/login", json::serialize(json::object{{"email", name + "@example.org"}, {"password", password}}));
  }

  const std::string sara = arrive("sara"), omid = arrive("omid");
};

TEST_F(UserEndpoints, AProfileIsChangedFieldByField) {
  EXPECT_EQ(patch(R"({"full_name":"سارا"})", sara).body().at("full_name"), "سارا");
  const Reply renamed = patch(R"({"username":"Sara2"})", sara);
  EXPECT_EQ(renamed.status, 200);
  EXPECT_EQ(renamed.body().at("username"), "Sara2");
  EXPECT_EQ(renamed.body().at("full_name"), "سارا");
  EXPECT_EQ(patch(R"({"full_name":null})", sara).body().at("full_name"), nullptr);
  EXPECT_EQ(patch("{}", sara).body(), get("/auth/users/me", sara).body());
  const Reply taken = patch(R"({"username":"OMID"})", sara);
  EXPECT_EQ(taken.status, 400);
  EXPECT_EQ(taken.detail(), "Username already registered");
  for (const char* bad : {R"({"username":null})", R"({"username":""})", R"({"username":" x"})", R"({"full_name":7})", "[]"}) {
    EXPECT_EQ(patch(bad, sara).status, 422) << bad;
  }
}

TEST_F(UserEndpoints, ANewPasswordSignsEveryOtherDeviceOut) {
  const std::string other = text_of(log_in("sara", "password of sara").body().at("access_token"));
  Client& here = join(sara);
  Client& there = join(other, 1);
  EXPECT_EQ(change_password("a wrong one", "a new password", sara).status, 403);
  EXPECT_EQ(change_password("password of sara", "short", sara).status, 422);
  EXPECT_EQ(change_password("password of sara", "a new password", sara).status, 204);
  EXPECT_EQ(there.event("session_ended"), json::value({{"reason", "password_changed"}}));
  EXPECT_TRUE(there.wait_closed());
  EXPECT_TRUE(here.events("session_ended").empty());
  EXPECT_EQ(get("/auth/users/me", other).status, 401);
  EXPECT_EQ(get("/auth/users/me", sara).status, 200);
  EXPECT_EQ(log_in("sara", "password of sara").status, 401);
  EXPECT_EQ(log_in("sara", "a new password").status, 200);
}

TEST_F(UserEndpoints, AnErasedAccountLeavesItsMessages) {
  const std::string room = create_room(sara, {"omid"});
  Client& saras = join(sara);
  Client& omids = join(omid, 1);
  saras.ask("chat_message", {{"room", room}, {"message", "remember me"}});
  EXPECT_EQ(erase("a wrong one", sara).status, 403);
  EXPECT_EQ(get("/auth/users/me", sara).status, 200);
  const Reply erased = erase("password of sara", sara);
  EXPECT_EQ(erased.status, 204);
  EXPECT_THAT(erased.headers.at("Set-Cookie"), StartsWith("payam_media=; Path=/media; Max-Age=0"));
  EXPECT_EQ(saras.event("session_ended"), json::value({{"reason", "account_erased"}}));
  EXPECT_TRUE(saras.wait_closed());
  EXPECT_EQ(omids.event("room_updated").at("change").at("type"), "role_changed") << "the room keeps an owner";
  EXPECT_EQ(omids.event("room_updated").at("change").at("type"), "account_erased");
  EXPECT_EQ(get("/auth/users/me", sara).status, 401);
  EXPECT_EQ(log_in("sara", "password of sara").status, 401);
  const auto messages = get("/chat/chat_rooms/" + room + "/messages", omid).body().as_array();
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(messages[0].at("sender"), nullptr);
  EXPECT_EQ(messages[0].at("content"), "remember me");
  arrive("sara");  // the names are free again
}

TEST_F(UserEndpoints, PeopleAreFoundByTheBeginningOfTheirNames) {
  arrive("sam");
  EXPECT_THAT(names(get("/auth/users?q=SA", omid)), ElementsAre("sam", "sara"));
  EXPECT_EQ(get("/auth/users?q=sara%40exam", omid).text,
            R"([{"email":"sara@example.org","username":"sara","full_name":null}])");
  EXPECT_EQ(get("/auth/users?q=ara", omid).text, "[]");
  EXPECT_EQ(get("/auth/users", omid).status, 422);
  EXPECT_EQ(get("/auth/users?q=", omid).status, 422);
}

TEST_F(UserEndpoints, NoMoreThanTwentyPeopleAreFound) {
  for (int i = 10; i < 32; ++i) arrive("crowd" + std::to_string(i));
  EXPECT_EQ(get("/auth/users?q=crowd", omid).body().as_array().size(), 20u);
  EXPECT_THAT(names(get("/auth/users?q=crowd31", omid)), ElementsAre("crowd31"));
}

TEST_F(UserEndpoints, ABlockedPersonStartsNoChatAndAddsToNoRoom) {
  EXPECT_EQ(call(http::Method::put, "/auth/users/me/blocks/Omid@example.org", "", {.token = sara}).status, 204);
  EXPECT_EQ(get("/auth/users/me/blocks", sara).text, R"(["omid@example.org"])");
  EXPECT_EQ(post("/chat/private_chats/", R"({"email":"sara@example.org"})", omid).status, 403);
  EXPECT_EQ(post("/chat/chat_rooms/", R"({"name":"x","members":["sara@example.org"]})", omid).status, 403);
  const std::string room = create_room(omid);
  EXPECT_EQ(post("/chat/chat_rooms/" + room + "/members", R"({"emails":["sara@example.org"]})", omid).status, 403);
  EXPECT_EQ(post("/chat/private_chats/", R"({"email":"omid@example.org"})", sara).status, 201) << "not the other way";
  EXPECT_EQ(del("/auth/users/me/blocks/omid@example.org", sara).status, 204);
  EXPECT_EQ(get("/auth/users/me/blocks", sara).text, "[]");
  EXPECT_EQ(post("/chat/chat_rooms/" + room + "/members", R"({"emails":["sara@example.org"]})", omid).status, 200);
  EXPECT_EQ(del("/auth/users/me/blocks/nobody@example.org", sara).status, 404);
  EXPECT_EQ(del("/auth/users/me/blocks/sara@example.org", sara).status, 404) << "oneself";
  EXPECT_EQ(del("/auth/users/me/blocks/x", sara).status, 422);
}

TEST_F(UserEndpoints, AnUnknownAccountCostsAsMuchWorkAsAWrongPassword) {
  // The time the password's thread has worked, not the clock on the wall: others use the machine too.
  const auto worked = [this] {
    std::chrono::nanoseconds time{};
    on_shard([&]() -> Task<> {
      auto ask = [] {
        timespec spent{};
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
        return std::chrono::seconds(spent.tv_sec) + std::chrono::nanoseconds(spent.tv_nsec);
      };
      time = co_await password_pool_.run(ask);
    });
    return time;
  };
  const auto cost_of = [&](const std::string& name) {
    const auto before = worked();
    for (int i = 0; i < 20; ++i) EXPECT_EQ(log_in(name, "a wrong password").status, 401);
    return static_cast<double>((worked() - before).count());
  };
  cost_of("sara");  // the first ones warm the caches up
  const double known = cost_of("sara"), unknown = cost_of("nobody");
  EXPECT_GT(unknown, known * 0.5);
  EXPECT_LT(unknown, known * 2);
}

class ExactDirectory : public RestFixture {
 protected:
  ExactDirectory() : RestFixture(Setup{.directory = UserDirectory::exact}) {}
};
TEST_F(ExactDirectory, FindsWhoseEmailOneKnows) {
  const std::string sara = arrive("sara");
  EXPECT_THAT(names(get("/auth/users?q=SARA%40example.org", sara)), ElementsAre("sara"));
  EXPECT_EQ(get("/auth/users?q=sara", sara).text, "[]");
}

class NoDirectory : public RestFixture {
 protected:
  NoDirectory() : RestFixture(Setup{.directory = UserDirectory::off}) {}
};
TEST_F(NoDirectory, FindsNobody) {
  const std::string sara = arrive("sara");
  EXPECT_EQ(get("/auth/users?q=sara%40example.org", sara).text, "[]");
}

class InvitedSignup : public RestFixture {
 protected:
  InvitedSignup() : RestFixture(Setup{.signup = SignupMode::invite}) {}
  Reply sign_up(const std::string& name, const std::string& invite) {
    json::object body{{"username", name}, {"email", name + "@example.org"}, {"password", "password of " + name}};
    if (!invite.empty()) body["invite"] = invite;
    return post("/auth/signup", json::serialize(body));
  }
  std::string token_of(const std::string& name) {
    return text_of(post("/auth/login",
                        json::serialize(json::object{{"email", name + "@example.org"}, {"password", "password of " + name}}))
                       .body()
                       .at("access_token"));
  }
  std::string invite() { return tokens_.issue_signup(wall_now(), std::chrono::hours(1)); }
};

TEST_F(InvitedSignup, NeedsAnInviteThatIsGoodForOne) {
  const std::string good = invite();
  for (const std::string& bad :
       {std::string(), std::string("x"), good + "x", tokens_.issue_signup(wall_now(), std::chrono::seconds(0))}) {
    const Reply reply = sign_up("sara", bad);
    EXPECT_EQ(reply.status, 403) << bad;
    EXPECT_EQ(reply.detail(), "A valid invite is needed to sign up");
  }
  EXPECT_EQ(sign_up("sara", good).status, 201);
  EXPECT_EQ(sign_up("omid", good).status, 403) << "used";
  EXPECT_EQ(sign_up("omid", token_of("sara")).status, 403) << "no token but an invite";
  EXPECT_EQ(get("/auth/users/me", good).status, 401) << "nor an invite a token";
}

TEST_F(InvitedSignup, ARoomsInviteLeadsIntoTheRoomToo) {
  ASSERT_EQ(sign_up("sara", invite()).status, 201);
  const std::string sara = token_of("sara"), room = create_room(sara);
  on_shard([&]() -> Task<> {
    Invite made{hash_secret("room-token"), RoomId(room), UserId(), wall_now(), std::nullopt, 1};
    made.creator = (co_await store_->find_user_by_email("sara@example.org"))->id;
    EXPECT_TRUE(co_await store_->create_invite(std::move(made)));
  });
  EXPECT_EQ(sign_up("omid", "room-token").status, 201);
  EXPECT_EQ(get("/chat/chat_rooms/" + room, token_of("omid")).status, 200);
  EXPECT_EQ(sign_up("nima", "room-token").status, 403) << "used up";
}

}  // namespace
}  // namespace payam::chat::api
