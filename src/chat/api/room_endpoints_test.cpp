#include <gmock/gmock.h>

#include "chat/api/testing/rest_fixture.hpp"

namespace payam::chat::api {
namespace {

using namespace testing;
using ::testing::HasSubstr;

class RoomEndpoints : public RestFixture {
 protected:
  const std::string sara = arrive("sara"), omid = arrive("omid"), nima = arrive("nima");
};

TEST_F(RoomEndpoints, ARoomIsCreatedWithItsOwnerAmongTheMembers) {
  const Reply reply = post(
      "/chat/chat_rooms/",
      R"({"name":"کوه‌نوردی 🏔️","members":["OMID@example.org","omid@example.org","sara@example.org"]})", sara);
  EXPECT_EQ(reply.status, 201) << reply.text;
  const auto room = reply.body();
  EXPECT_EQ(room.at("name"), "کوه‌نوردی 🏔️");
  EXPECT_EQ(room.at("members"), json::parse(R"(["omid@example.org","sara@example.org"])"));
  EXPECT_EQ(room.at("messages"), json::array());
  EXPECT_EQ(room.at("roles"), json::parse(R"({"omid@example.org":"member","sara@example.org":"owner"})"));
  EXPECT_EQ(room.at("kind"), "group");
  EXPECT_EQ(room.at("rev"), 1);
  EXPECT_EQ(room.at("last_seq"), 0);
}

TEST_F(RoomEndpoints, AnUnknownMemberIsNamedAndNothingIsCreated) {
  const Reply reply = post("/chat/chat_rooms/", R"({"name":"Typo","members":["omid@example.org","omdi@example.org"]})", sara);
  EXPECT_EQ(reply.status, 400);
  EXPECT_THAT(reply.detail(), HasSubstr("omdi@example.org"));
  EXPECT_EQ(get("/chat/chat_rooms/", sara).text, "[]");
  EXPECT_EQ(get("/chat/chat_rooms/", omid).text, "[]");
}

TEST_F(RoomEndpoints, ARoomsDetailHoldsItsLast50Messages) {
  const std::string room = create_room(sara, {"omid"});
  for (int i = 1; i <= 51; ++i)
    post("/chat/chat_rooms/" + room + "/messages", R"({"content":"m)" + std::to_string(i) + "\"}", omid);
  const auto detail = get("/chat/chat_rooms/" + room, sara).body();
  EXPECT_EQ(detail.at("messages").as_array().size(), 50u);
  EXPECT_EQ(detail.at("messages").at(0).at("content"), "m2");
  EXPECT_EQ(detail.at("messages").at(49).at("content"), "m51");
  EXPECT_EQ(detail.at("last_seq"), 51);
  EXPECT_EQ(detail.at("rev"), 52);
}

TEST_F(RoomEndpoints, MyRoomsComeLatestFirstWithWhatIsUnread) {
  const std::string first = create_room(sara, {"omid"}), second = create_room(sara, {"omid"});
  create_room(nima);
  pass(std::chrono::seconds(1));
  post("/chat/chat_rooms/" + first + "/messages", R"({"content":"one"})", sara);
  post("/chat/chat_rooms/" + first + "/messages", R"({"content":"two"})", sara);
  const auto rooms = get("/chat/chat_rooms/", omid).body().as_array();
  ASSERT_EQ(rooms.size(), 2u);
  EXPECT_EQ(text_of(rooms[0].at("id")), first);
  EXPECT_EQ(rooms[0].at("unread_count"), 2);
  EXPECT_EQ(rooms[0].at("last_message").at("content"), "two");
  EXPECT_EQ(rooms[0].at("rev"), 3);
  EXPECT_EQ(text_of(rooms[1].at("id")), second);
  EXPECT_EQ(rooms[1].at("unread_count"), 0);
  EXPECT_TRUE(rooms[1].at("last_message").is_null());
  EXPECT_EQ(get("/chat/chat_rooms/", sara).body().at(0).at("unread_count"), 0) << "one's own messages are read";
}

TEST_F(RoomEndpoints, OwnersAddAndRemove) {
  const std::string room = create_room(sara);
  const Reply added =
      post("/chat/chat_rooms/" + room + "/members", R"({"emails":["omid@example.org","NIMA@example.org"]})", sara);
  EXPECT_EQ(added.status, 200) << added.text;
  EXPECT_EQ(added.body().at("members"), json::parse(R"(["nima@example.org","omid@example.org","sara@example.org"])"));
  EXPECT_EQ(added.body().at("rev"), 2);
  EXPECT_EQ(del("/chat/chat_rooms/" + room + "/members/OMID@example.org", sara).status, 204);
  EXPECT_EQ(get("/chat/chat_rooms/" + room, omid).status, 404);
  EXPECT_EQ(get("/chat/chat_rooms/" + room, nima).status, 200);
}

TEST_F(RoomEndpoints, WhoIsThereAlreadyIsNotAddedTwice) {
  const std::string room = create_room(sara, {"omid"});
  const Reply reply = post("/chat/chat_rooms/" + room + "/members", R"({"emails":["omid@example.org"]})", sara);
  EXPECT_EQ(reply.status, 200) << reply.text;
  EXPECT_EQ(reply.body().at("rev"), 1);
}

TEST_F(RoomEndpoints, MembersAddAndRemoveNobodyButMayLeave) {
  const std::string room = create_room(sara, {"omid", "nima"});
  EXPECT_EQ(post("/chat/chat_rooms/" + room + "/members", R"({"emails":["sara@example.org"]})", omid).status, 403);
  EXPECT_EQ(del("/chat/chat_rooms/" + room + "/members/nima@example.org", omid).status, 403);
  EXPECT_EQ(del("/chat/chat_rooms/" + room + "/members/omid@example.org", omid).status, 204);
  EXPECT_EQ(del("/chat/chat_rooms/" + room + "/members/sara@example.org", sara).status, 409) << "a room keeps an owner";
  EXPECT_EQ(del("/chat/chat_rooms/" + room + "/members/nobody@example.org", sara).status, 404);
}

TEST_F(RoomEndpoints, UnknownPeopleAreNotAdded) {
  const std::string room = create_room(sara);
  const Reply reply =
      post("/chat/chat_rooms/" + room + "/members", R"({"emails":["omid@example.org","nobody@example.org"]})", sara);
  EXPECT_EQ(reply.status, 400);
  EXPECT_THAT(reply.detail(), HasSubstr("nobody@example.org"));
  EXPECT_EQ(get("/chat/chat_rooms/" + room, omid).status, 404);
}

TEST_F(RoomEndpoints, APrivateChatIsOneForAPair) {
  const Reply opened = post("/chat/private_chats/", R"({"email":"omid@example.org"})", sara);
  EXPECT_EQ(opened.status, 201) << opened.text;
  const auto chat = opened.body();
  EXPECT_EQ(chat.at("other_user_email"), "omid@example.org");
  EXPECT_EQ(chat.at("is_online"), false);
  EXPECT_TRUE(chat.at("last_seen").is_null());
  EXPECT_EQ(chat.at("unread_count"), 0);
  EXPECT_TRUE(chat.at("last_message").is_null());

  const Reply again = post("/chat/private_chats/", R"({"email":"omid@example.org"})", sara);
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.body().at("id"), chat.at("id"));
  const Reply from_the_other = post("/chat/private_chats/", R"({"email":"sara@example.org"})", omid);
  EXPECT_EQ(from_the_other.status, 200);
  EXPECT_EQ(from_the_other.body().at("id"), chat.at("id"));
  EXPECT_EQ(from_the_other.body().at("other_user_email"), "sara@example.org");
}

TEST_F(RoomEndpoints, APrivateChatIsARoomToo) {
  const std::string chat(post("/chat/private_chats/", R"({"email":"omid@example.org"})", sara).body().at("id").as_string());
  EXPECT_EQ(post("/chat/chat_rooms/" + chat + "/messages", R"({"content":"salam"})", sara).status, 201);
  EXPECT_EQ(get("/chat/chat_rooms/" + chat, omid).body().at("kind"), "direct");
  EXPECT_EQ(get("/chat/chat_rooms/" + chat + "/messages", omid).body().at(0).at("content"), "salam");
  EXPECT_EQ(get("/chat/chat_rooms/", omid).text, "[]") << "it is listed with the private chats";

  const auto chats = get("/chat/private_chats/", omid).body().as_array();
  ASSERT_EQ(chats.size(), 1u);
  EXPECT_EQ(chats[0].at("other_user_email"), "sara@example.org");
  EXPECT_EQ(chats[0].at("unread_count"), 1);
  EXPECT_EQ(chats[0].at("last_message").at("content"), "salam");
  EXPECT_EQ(post("/chat/private_chats/", R"({"email":"sara@example.org"})", omid).body().at("unread_count"), 1);
  EXPECT_EQ(post("/chat/private_chats/", R"({"email":"omid@example.org"})", sara).body().at("unread_count"), 0);
}

TEST_F(RoomEndpoints, APrivateChatHasTwoMembers) {
  const std::string chat(post("/chat/private_chats/", R"({"email":"omid@example.org"})", sara).body().at("id").as_string());
  EXPECT_EQ(post("/chat/chat_rooms/" + chat + "/members", R"({"emails":["nima@example.org"]})", sara).status, 409);
  EXPECT_EQ(del("/chat/chat_rooms/" + chat + "/members/sara@example.org", sara).status, 409);
}

TEST_F(RoomEndpoints, APrivateChatNeedsSomebodyElse) {
  EXPECT_EQ(post("/chat/private_chats/", R"({"email":"sara@example.org"})", sara).status, 400);
  const Reply reply = post("/chat/private_chats/", R"({"email":"nobody@example.org"})", sara);
  EXPECT_EQ(reply.status, 400);
  EXPECT_THAT(reply.detail(), HasSubstr("nobody@example.org"));
}

TEST_F(RoomEndpoints, WhoIsConnectedIsOnline) {
  post("/chat/private_chats/", R"({"email":"omid@example.org"})", sara);
  std::string user(get("/auth/users/me", omid).body().at("id").as_string());
  presence_->connected(UserId(user), "omid@example.org");
  EXPECT_EQ(get("/chat/private_chats/", sara).body().at(0).at("is_online"), true);
}

}  // namespace
}  // namespace payam::chat::api
