#include <gmock/gmock.h>

#include "chat/api/testing/rest_fixture.hpp"

namespace payam::chat::api {
namespace {

using namespace testing;

class InviteEndpoints : public RestFixture {
 protected:
  Reply invite(const std::string& body, const std::string& token) { return post(path + "/invites", body, token); }
  std::string make(const std::string& body) { return text_of(invite(body, sara).body().at("token")); }
  Reply join(const std::string& invite, const std::string& token) {
    return post("/chat/join", json::serialize(json::object{{"token", invite}}), token);
  }

  const std::string sara = arrive("sara"), omid = arrive("omid"), nima = arrive("nima");
  const std::string room = create_room(sara, {"nima"});
  const std::string path = "/chat/chat_rooms/" + room;
};

TEST_F(InviteEndpoints, WhoHasTheTokenJoins) {
  const Reply made = invite("{}", sara);
  EXPECT_EQ(made.status, 201) << made.text;
  const auto body = made.body();
  EXPECT_THAT(text_of(body.at("token")), ::testing::MatchesRegex("[A-Za-z0-9_-]{22}")) << "128 bits";
  EXPECT_TRUE(body.at("expires_at").is_null());
  EXPECT_TRUE(body.at("uses_left").is_null());
  const Reply joined = join(text_of(body.at("token")), omid);
  EXPECT_EQ(joined.status, 200) << joined.text;
  EXPECT_EQ(text_of(joined.body().at("id")), room);
  EXPECT_EQ(joined.body().at("roles").at("omid@example.org"), "member");
  EXPECT_EQ(get(path, omid).status, 200);
}

TEST_F(InviteEndpoints, AGetNeverJoins) {
  const std::string token = make("{}");
  EXPECT_EQ(get("/chat/join", omid).status, 405);
  EXPECT_EQ(get("/chat/join?token=" + token, omid).status, 405);
  EXPECT_EQ(get(path, omid).status, 404);
}

TEST_F(InviteEndpoints, TheTokenIsNotKept) {
  const std::string token = make("{}");
  std::optional<Invite> found;
  on_shard([&]() -> Task<> { found = co_await store_->find_invite(token); });
  EXPECT_FALSE(found) << "only its hash";
}

TEST_F(InviteEndpoints, ANumberOfUsesIsUsedUp) {
  const std::string token = make(R"({"uses":1})");
  EXPECT_EQ(join(token, nima).status, 200) << "a member uses nothing up";
  EXPECT_EQ(join(token, omid).status, 200);
  EXPECT_EQ(join(token, omid).status, 200);
  EXPECT_EQ(join(token, arrive("late")).status, 409);
}

TEST_F(InviteEndpoints, AnInviteExpires) {
  const std::string token = make(R"({"expires_in":60})");
  pass(std::chrono::seconds(59));
  EXPECT_EQ(join(token, omid).status, 200);
  pass(std::chrono::seconds(1));
  const Reply late = join(token, arrive("late"));
  EXPECT_EQ(late.status, 404);
  EXPECT_EQ(late.detail(), "Invite not found or expired");
}

TEST_F(InviteEndpoints, AnInviteIsEnded) {
  const std::string token = make("{}");
  EXPECT_EQ(del(path + "/invites/" + token, nima).status, 403);
  const std::string other = "/chat/chat_rooms/" + create_room(sara) + "/invites/";
  EXPECT_EQ(del(other + token, sara).status, 404) << "of another room";
  EXPECT_EQ(del(path + "/invites/" + token, sara).status, 204);
  EXPECT_EQ(del(path + "/invites/" + token, sara).status, 404);
  EXPECT_EQ(join(token, omid).status, 404);
}

TEST_F(InviteEndpoints, WhoWasRemovedNeedsANewOne) {
  const std::string old_one = make("{}");
  join(old_one, omid);
  del(path + "/members/omid@example.org", sara);
  EXPECT_EQ(join(old_one, omid).status, 403);
  EXPECT_EQ(join(make("{}"), omid).status, 200);
}

TEST_F(InviteEndpoints, WhoLeftMayComeBack) {
  const std::string token = make("{}");
  join(token, omid);
  del(path + "/members/omid@example.org", omid);
  EXPECT_EQ(join(token, omid).status, 200);
}

TEST_F(InviteEndpoints, OnlyOwnersAndAdminsInvite) {
  EXPECT_EQ(invite("{}", nima).status, 403);
  EXPECT_EQ(invite("{}", omid).status, 404);
  const std::string chat = text_of(post("/chat/private_chats/", R"({"email":"omid@example.org"})", sara).body().at("id"));
  EXPECT_EQ(post("/chat/chat_rooms/" + chat + "/invites", "{}", sara).status, 409);
}

TEST_F(InviteEndpoints, EachFieldHasItsLimits) {
  for (const char* body : {R"({"uses":0})", R"({"uses":-1})", R"({"uses":"many"})", R"({"uses":1.5})", R"({"uses":100001})",
                           R"({"expires_in":0})", R"({"expires_in":99999999999})", R"({"expires_in":[]})", "[]", "null"}) {
    EXPECT_EQ(invite(body, sara).status, 422) << body;
  }
  const std::string tokens[] = {"{}", R"({"token":""})", R"({"token":7})", R"({"token":"a\u0000b"})",
                                R"({"token":")" + std::string(65, 'x') + "\"}"};
  for (const auto& body : tokens) EXPECT_EQ(post("/chat/join", body, omid).status, 422) << body;
  EXPECT_EQ(join("nothing", omid).status, 404);
}

}  // namespace
}  // namespace payam::chat::api
