#include <gmock/gmock.h>

#include "chat/api/testing/rest_fixture.hpp"

namespace payam::chat::api {
namespace {

using namespace testing;

class RoomUpdateEndpoints : public RestFixture {
 protected:
  Reply patch(std::string target, std::string body, const std::string& token) {
    return call(http::Method::patch, std::move(target), std::move(body), {.token = token});
  }
  Reply role(const std::string& name, const std::string& role, const std::string& token) {
    return patch(path + "/members/" + name + "@example.org", R"({"role":")" + role + "\"}", token);
  }
  void send(const std::string& to, const std::string& token) {
    EXPECT_EQ(post("/chat/chat_rooms/" + to + "/messages", R"({"content":"x"})", token).status, 201);
  }
  std::int64_t rev() { return get(path, sara).body().at("rev").as_int64(); }
  std::string open_chat(const std::string& with, const std::string& token) {
    return text_of(post("/chat/private_chats/", R"({"email":")" + with + "@example.org\"}", token).body().at("id"));
  }

  const std::string sara = arrive("sara"), omid = arrive("omid"), nima = arrive("nima");
  const std::string room = create_room(sara, {"omid"});
  const std::string path = "/chat/chat_rooms/" + room;
};

TEST_F(RoomUpdateEndpoints, NameAndTopicChangeApart) {
  const Reply named = patch(path, R"({"name":"کوه","members":[],"kind":"direct"})", sara);
  EXPECT_EQ(named.status, 200) << named.text;
  EXPECT_EQ(named.body().at("name"), "کوه");
  EXPECT_EQ(named.body().at("topic"), "");
  EXPECT_EQ(named.body().at("rev"), 2);
  EXPECT_EQ(named.body().at("kind"), "group");
  EXPECT_EQ(patch(path, R"({"topic":"where to go"})", sara).body().at("name"), "کوه");
  EXPECT_EQ(patch(path, R"({"topic":""})", sara).body().at("topic"), "");
  EXPECT_EQ(rev(), 4);
}

TEST_F(RoomUpdateEndpoints, WhatIsSoAlreadyIsNoChange) {
  EXPECT_EQ(patch(path, R"({"name":"A room"})", sara).status, 200);
  EXPECT_EQ(patch(path, "{}", sara).status, 200);
  EXPECT_EQ(role("omid", "member", sara).status, 200);
  EXPECT_EQ(rev(), 1);
}

TEST_F(RoomUpdateEndpoints, MembersChangeNothing) {
  EXPECT_EQ(patch(path, R"({"name":"Mine"})", omid).status, 403);
  EXPECT_EQ(role("omid", "owner", omid).status, 403);
  EXPECT_EQ(del(path, omid).status, 403);
  EXPECT_EQ(rev(), 1);
}

TEST_F(RoomUpdateEndpoints, AdminsChangeTheRoomButMakeNoOwner) {
  const Reply made = role("OMID", "admin", sara);
  EXPECT_EQ(made.status, 200) << made.text;
  EXPECT_EQ(made.body().at("roles"), json::parse(R"({"omid@example.org":"admin","sara@example.org":"owner"})"));
  EXPECT_EQ(patch(path, R"({"topic":"by an admin"})", omid).status, 200);
  EXPECT_EQ(role("sara", "member", omid).status, 403);
  EXPECT_EQ(role("omid", "owner", omid).status, 403);
  EXPECT_EQ(del(path, omid).status, 403);
  EXPECT_EQ(role("nima", "admin", sara).status, 404) << "not a member";
}

TEST_F(RoomUpdateEndpoints, OwnershipIsHandedOnBeforeTheOwnerLeaves) {
  EXPECT_EQ(role("sara", "member", sara).status, 409);
  EXPECT_EQ(role("omid", "owner", sara).status, 200);
  EXPECT_EQ(del(path + "/members/sara@example.org", sara).status, 204);
  EXPECT_EQ(get(path, omid).body().at("roles"), json::parse(R"({"omid@example.org":"owner"})"));
}

TEST_F(RoomUpdateEndpoints, ADeletedRoomIsGoneForAll) {
  send(room, omid);
  const Reply gone = del(path, sara);
  EXPECT_EQ(gone.status, 204);
  EXPECT_EQ(gone.text, "");
  for (const auto& token : {sara, omid}) {
    EXPECT_EQ(get(path, token).status, 404);
    EXPECT_EQ(get("/chat/chat_rooms/", token).text, "[]");
  }
  EXPECT_EQ(del(path, sara).status, 404);
}

TEST_F(RoomUpdateEndpoints, APrivateChatHasNoNameNoRolesNoEnd) {
  const std::string chat = "/chat/chat_rooms/" + open_chat("omid", sara);
  EXPECT_EQ(patch(chat, R"({"name":"Ours"})", sara).status, 409);
  EXPECT_EQ(patch(chat + "/members/omid@example.org", R"({"role":"owner"})", sara).status, 409);
  EXPECT_EQ(del(chat, sara).status, 409);
}

TEST_F(RoomUpdateEndpoints, EachFieldHasItsLimits) {
  const std::string bad_rooms[] = {R"({"name":null})",
                                   R"({"topic":null})",
                                   R"({"name":""})",
                                   R"({"name":7})",
                                   R"({"name":"a\u0000b"})",
                                   R"({"name":"\u202Ebackwards"})",
                                   R"({"name":"\ud800"})",
                                   R"({"topic":"a\nb"})",
                                   R"({"topic":["x"]})",
                                   R"({"name":"good","topic":")" + std::string(501, 'x') + "\"}",
                                   R"({"name":")" + std::string(101, 'x') + "\"}"};
  for (const auto& body : bad_rooms) EXPECT_EQ(patch(path, body, sara).status, 422) << body;
  for (const char* body : {"{}", R"({"role":"king"})", R"({"role":null})", R"({"role":2})", R"({"role":"Owner"})"}) {
    EXPECT_EQ(patch(path + "/members/omid@example.org", body, sara).status, 422) << body;
  }
  for (const char* body :
       {"{}", R"({"seq":-1})", R"({"seq":1.5})", R"({"seq":null})", R"({"seq":"x"})", R"({"seq":99999999999999999999})"}) {
    EXPECT_EQ(post(path + "/read", body, sara).status, 422) << body;
  }
  EXPECT_EQ(get(path, sara).body().at("name"), "A room") << "not half a change";
  EXPECT_EQ(rev(), 1);
}

TEST_F(RoomUpdateEndpoints, TheReadMarkerMovesForward) {
  for (int i = 0; i < 5; ++i) send(room, sara);
  const Reply read = post(path + "/read", R"({"seq":3})", omid);
  EXPECT_EQ(read.status, 200) << read.text;
  EXPECT_EQ(read.body(), json::value(json::object{{"room", room}, {"seq", 3}}));
  EXPECT_EQ(get("/chat/chat_rooms/", omid).body().at(0).at("unread_count"), 2);
  EXPECT_EQ(post(path + "/read", R"({"seq":1})", omid).body().at("seq"), 3);
  EXPECT_EQ(post(path + "/read", R"({"seq":1000})", omid).body().at("seq"), 5);
  EXPECT_EQ(get("/chat/chat_rooms/", omid).body().at(0).at("unread_count"), 0);
  EXPECT_EQ(rev(), 6) << "markers are not of the log";
}

TEST_F(RoomUpdateEndpoints, AHiddenChatComesBackWithTheNextMessage) {
  const std::string chat = open_chat("omid", sara);
  send(chat, omid);
  EXPECT_EQ(del("/chat/private_chats/" + chat, sara).status, 204);
  EXPECT_EQ(get("/chat/private_chats/", sara).text, "[]");
  EXPECT_EQ(get("/chat/private_chats/", omid).body().as_array().size(), 1u) << "for the other it stays";
  send(chat, omid);
  EXPECT_EQ(text_of(get("/chat/private_chats/", sara).body().at(0).at("id")), chat);
}

TEST_F(RoomUpdateEndpoints, AHiddenChatComesBackWhenItIsOpened) {
  const std::string chat = open_chat("omid", sara);
  del("/chat/private_chats/" + chat, sara);
  EXPECT_EQ(open_chat("omid", sara), chat);
  EXPECT_EQ(get("/chat/private_chats/", sara).body().as_array().size(), 1u);
}

TEST_F(RoomUpdateEndpoints, OnlyOnesOwnPrivateChatsAreHidden) {
  const std::string chat = open_chat("omid", sara);
  for (const auto& [id, token] : {std::pair(chat, nima), std::pair(room, sara), std::pair(std::string("nowhere"), sara)}) {
    const Reply reply = del("/chat/private_chats/" + id, token);
    EXPECT_EQ(reply.status, 404) << id;
    EXPECT_EQ(reply.detail(), "Chat room not found or access denied");
  }
}

}  // namespace
}  // namespace payam::chat::api
