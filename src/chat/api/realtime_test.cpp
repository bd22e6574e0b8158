#include "chat/api/realtime.hpp"

#include <gmock/gmock.h>

#include "chat/api/testing/socket_fixture.hpp"

namespace payam::chat::api {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const json::value kNoSuchRoom = {
    {"status", "error"}, {"code", "not_found"}, {"message", "Chat room not found or access denied"}};

class RealtimeTest : public SocketFixture {
 protected:
  static std::vector<std::string> contents(const std::vector<json::value>& messages) {
    std::vector<std::string> list;
    for (const auto& message : messages) list.push_back(text_of(message.at("content")));
    return list;
  }
  void add(const std::string& room, const std::string& name, const std::string& token) {
    EXPECT_EQ(post("/chat/chat_rooms/" + room + "/members", R"({"emails":[")" + name + "@example.org\"]}", token).status, 200);
  }
  void remove(const std::string& room, const std::string& name, const std::string& token) {
    EXPECT_EQ(del("/chat/chat_rooms/" + room + "/members/" + name + "@example.org", token).status, 204);
  }
  // A token of the same session with another end.
  std::string expiring(const std::string& token, Timestamp end) {
    const auto claims = tokens_.verify(token, wall_now()).value();
    return tokens_.issue(claims.subject, claims.session, end - tokens_.lifetime());
  }

  const std::string sara = arrive("sara"), omid = arrive("omid"), nima = arrive("nima");
};

TEST_F(RealtimeTest, OnlyAGoodTokenConnects) {
  const std::string refused = R"(4{"message":"Could not validate credentials","data":{"code":"unauthorized"}})";
  for (const std::string& auth :
       {std::string(), std::string("{}"), std::string(R"({"token":""})"), std::string(R"({"token":7})"),
        std::string(R"({"token":"nonsense"})"), R"({"token":")" + sara + "x\"}"}) {
    Client client(io_, shards_[0]);
    EXPECT_EQ(client.connect(auth), refused) << auth;
  }
  join(sara);
}

TEST_F(RealtimeTest, TheTokenMayStandInTheHeader) {
  eio::Handshake handshake;
  handshake.request = http::PackedRequest("/socket.io/", "127.0.0.1", {{"Authorization", "Bearer " + sara}});
  Client client(io_, shards_[0], std::move(handshake));
  EXPECT_TRUE(client.connect("").starts_with("0{\"sid\""));
}

TEST_F(RealtimeTest, AMessageIsAcknowledgedAndBroadcastOnEveryShard) {
  const std::string room = create_room(sara, {"omid"});
  Client& saras = join(sara, 0);
  Client& omids = join(omid, 1);
  Client& nimas = join(nima, 1);
  auto reply = saras.ask("chat_message", {{"room", room}, {"message", "سلام 👋"}, {"client_id", "c-1"}}).as_object();
  EXPECT_EQ(reply.at("status"), "ok");
  EXPECT_EQ(reply.at("content"), "سلام 👋");
  EXPECT_EQ(reply.at("sender"), "sara@example.org");
  EXPECT_EQ(reply.at("seq"), 1);
  EXPECT_EQ(reply.at("client_id"), "c-1");
  reply.erase("status");
  EXPECT_EQ(saras.event("broadcast_message"), json::value(reply)) << "the sender's too";
  EXPECT_EQ(omids.event("broadcast_message"), json::value(reply));
  EXPECT_THAT(nimas.events("broadcast_message"), IsEmpty());
}

TEST_F(RealtimeTest, WithoutAnAckTheSenderGetsChatResponse) {
  const std::string room = create_room(sara, {"omid"});
  Client& saras = join(sara);
  Client& omids = join(omid, 1);
  saras.emit("chat_message", {{"room", room}, {"message", "hello"}});
  EXPECT_EQ(saras.event("chat_response"), json::parse(R"({"status":"received","message":"hello"})"));
  omids.event("broadcast_message");
  EXPECT_THAT(omids.events("chat_response"), IsEmpty());
}

TEST_F(RealtimeTest, ARetryIsAcknowledgedAndNotBroadcast) {
  const std::string room = create_room(sara);
  Client& saras = join(sara);
  const json::value message{{"room", room}, {"message", "once"}, {"client_id", "c"}};
  const auto first = saras.ask("chat_message", message);
  EXPECT_EQ(saras.ask("chat_message", message), first);
  EXPECT_EQ(saras.events("broadcast_message").size(), 1u);
}

TEST_F(RealtimeTest, MessagesAreStoredInTheOrderOfSending) {
  const std::string room = create_room(sara, {"omid"});
  Client& saras = join(sara);
  Client& omids = join(omid, 1);
  std::vector<std::string> expected;
  for (int i = 0; i < 200; ++i) {
    expected.push_back("m" + std::to_string(i));
    saras.emit("chat_message", {{"room", room}, {"message", expected.back()}});
  }
  saras.ask("chat_message", {{"room", room}, {"message", "end"}});
  expected.push_back("end");
  std::vector<json::value> received;
  for (std::size_t i = 0; i < expected.size(); ++i) received.push_back(omids.event("broadcast_message"));
  EXPECT_EQ(contents(received), expected);
  for (std::size_t i = 0; i < received.size(); ++i) EXPECT_EQ(received[i].at("seq"), i + 1);
}

TEST_F(RealtimeTest, ARoomThatIsNotMineIsNotFoundInEveryEvent) {
  const std::string room = create_room(sara);
  Client& omids = join(omid);
  for (const std::string& id : {room, std::string("nowhere"), std::string("user:x")}) {
    EXPECT_EQ(omids.ask("chat_message", {{"room", id}, {"message", "x"}}), kNoSuchRoom);
    EXPECT_EQ(omids.ask("join_room", {{"room", id}}), kNoSuchRoom);
    EXPECT_EQ(omids.ask("join_room", {{"room", id}, {"after_seq", 0}}), kNoSuchRoom);
    EXPECT_EQ(omids.ask("leave_room", {{"room", id}}), kNoSuchRoom);
    EXPECT_EQ(omids.ask("typing", {{"room", id}, {"typing", true}}), kNoSuchRoom);
    EXPECT_EQ(omids.ask("get_online_users", {{"room", id}}), kNoSuchRoom);
    omids.emit("chat_message", {{"room", id}, {"message", "x"}});
    EXPECT_EQ(omids.event("error"), json::parse(R"({"message":"Chat room not found or access denied","code":"not_found"})"));
  }
  EXPECT_EQ(omids.ask("resume", {{"rooms", {{room, 0}}}}), json::parse(R"({"status":"ok","rooms":{}})"));
}

TEST_F(RealtimeTest, WrongDataIsAnsweredAndNothingElse) {
  const std::string room = create_room(sara);
  Client& saras = join(sara);
  const std::string nested = std::string(100, '[') + std::string(100, ']');
  const std::string id = "\"room\":\"" + room + "\"";
  const std::string cases[] = {
      R"(["chat_message"])",
      R"(["chat_message",null])",
      R"(["chat_message",7])",
      R"(["chat_message",[]])",
      R"(["chat_message","text"])",
      R"(["chat_message",{"message":"x"}])",
      R"(["chat_message",{"room":7,"message":"x"}])",
      R"(["chat_message",{"room":"","message":"x"}])",
      R"(["chat_message",{)" + id + "}]",
      R"(["chat_message",{)" + id + R"(,"message":""}])",
      R"(["chat_message",{)" + id + R"(,"message":{}}])",
      R"(["chat_message",{)" + id + R"(,"message":"\ud800"}])",
      R"(["chat_message",{)" + id + R"(,"message":"a\u0000b"}])",
      R"(["chat_message",{)" + id + R"(,"message":")" + std::string(20'001, 'x') + R"("}])",
      R"(["chat_message",{)" + id + R"(,"message":"x","client_id":""}])",
      R"(["chat_message",{)" + id + R"(,"message":"x","client_id":")" + std::string(65, 'c') + R"("}])",
      R"(["chat_message",{)" + id + R"(,"message":"x","reply_to":1}])",
      R"(["chat_message",{)" + id + R"(,"message":"x","attachments":"a"}])",
      R"(["chat_message",)" + nested + "]",
      R"(["join_room",{)" + id + R"(,"after_seq":-1}])",
      R"(["join_room",{)" + id + R"(,"after_seq":"1"}])",
      R"(["join_room",{)" + id + R"(,"after_seq":1e300}])",
      R"(["join_room",{)" + id + R"(,"after_seq":1.5}])",
      R"(["join_room",{)" + id + R"(,"after_seq":1,"after_rev":1}])",
      R"(["leave_room",{}])",
      R"(["resume",{}])",
      R"(["resume",{"rooms":[]}])",
      R"(["resume",{"rooms":{"a":"1"}}])",
      R"(["resume",{"rooms":{"a":{"rev":"1"}}}])",
      R"(["resume",{"rooms":{"a":{}}}])",
      R"(["typing",{)" + id + "}]",
      R"(["typing",{)" + id + R"(,"typing":"maybe"}])",
      R"(["get_online_users",{"room":7}])",
      R"(["authenticate",{}])",
  };
  for (const std::string& text : cases) {
    const auto reply = saras.ask_raw(text);
    ASSERT_TRUE(reply.is_object()) << text;
    EXPECT_EQ(reply.at("status"), "error") << text;
    EXPECT_EQ(reply.at("code"), "invalid") << text;
    EXPECT_EQ(reply.at("message"), "Invalid data") << text;
    EXPECT_TRUE(reply.as_object().contains("detail")) << text;
    saras.send("2" + text);
    EXPECT_EQ(saras.event("error").at("message"), "Invalid data") << text;
  }
  EXPECT_EQ(saras.ask("chat_message", {{"room", room}, {"message", "still here"}}).at("seq"), 1) << "and nothing was stored";
}

TEST_F(RealtimeTest, JoinRoomBringsWhatWasMissed) {
  const std::string room = create_room(sara, {"omid"});
  Client& saras = join(sara);
  for (int i = 1; i <= 5; ++i) saras.ask("chat_message", {{"room", room}, {"message", "m" + std::to_string(i)}});
  add(room, "nima", sara);
  Client& omids = join(omid, 1);

  const auto by_seq = omids.ask("join_room", {{"room", room}, {"after_seq", 3}});
  EXPECT_EQ(by_seq.at("status"), "ok");
  EXPECT_EQ(by_seq.at("seq"), 5);
  EXPECT_EQ(by_seq.at("rev"), 7);
  EXPECT_EQ(by_seq.at("more"), false);
  EXPECT_EQ(by_seq.at("messages").at(0).at("content"), "m4");
  EXPECT_EQ(by_seq.at("messages").as_array().size(), 2u);
  EXPECT_FALSE(by_seq.as_object().contains("changes"));

  const auto by_rev = omids.ask("join_room", {{"room", room}, {"after_rev", 5}});
  EXPECT_EQ(by_rev.at("messages").as_array().size(), 1u);
  ASSERT_EQ(by_rev.at("changes").as_array().size(), 1u);
  auto change = by_rev.at("changes").at(0).as_object();
  EXPECT_TRUE(parse_iso8601(text_of(change.at("at"))));
  change.erase("at");
  EXPECT_EQ(json::value(change),
            json::parse(R"({"rev":7,"type":"members_added","actor":"sara@example.org","members":["nima@example.org"]})"));

  const auto plain = omids.ask("join_room", {{"room", room}});
  EXPECT_EQ(plain, json::value({{"status", "ok"}, {"room", room}, {"seq", 5}, {"rev", 7}}));
}

TEST_F(RealtimeTest, WhoLeavesARoomHearsNothingUntilTheyJoinAgain) {
  const std::string room = create_room(sara, {"omid"});
  Client& saras = join(sara);
  Client& omids = join(omid, 1);
  EXPECT_EQ(omids.ask("leave_room", {{"room", room}}), json::value({{"status", "ok"}, {"room", room}}));
  saras.ask("chat_message", {{"room", room}, {"message", "unheard"}});
  EXPECT_THAT(omids.events("broadcast_message"), IsEmpty());
  omids.ask("join_room", {{"room", room}});
  saras.ask("chat_message", {{"room", room}, {"message", "heard"}});
  EXPECT_EQ(omids.event("broadcast_message").at("content"), "heard");
}

TEST_F(RealtimeTest, ResumeTakesSeqAndRev) {
  const std::string first = create_room(sara), second = create_room(sara, {"omid"}), foreign = create_room(nima);
  Client& saras = join(sara);
  for (const auto& room : {first, second}) saras.ask("chat_message", {{"room", room}, {"message", "m"}});
  const auto reply = saras.ask("resume", {{"rooms", {{first, 0}, {second, {{"rev", 0}}}, {foreign, 0}, {"nowhere", 3}}}});
  EXPECT_EQ(reply.at("status"), "ok");
  const auto& rooms = reply.at("rooms").as_object();
  ASSERT_EQ(rooms.size(), 2u);
  EXPECT_EQ(rooms.at(first).at("messages").as_array().size(), 1u);
  EXPECT_EQ(rooms.at(first).at("changes").as_array().size(), 0u);
  EXPECT_EQ(rooms.at(second).at("changes").at(0).at("type"), "room_created");
  EXPECT_EQ(rooms.at(second).at("rev"), 2);
  EXPECT_EQ(rooms.at(second).at("more"), false);
}

TEST_F(RealtimeTest, WhoIsAddedHearsTheRoomAtOnceOnEveryDevice) {
  Client& saras = join(sara);
  Client& phone = join(omid, 0);
  Client& laptop = join(omid, 1);
  const std::string room = create_room(sara);
  EXPECT_EQ(saras.event("room_added").at("id"), json::string(room));
  add(room, "omid", sara);
  for (Client* device : {&phone, &laptop}) {
    const auto added = device->event("room_added");
    EXPECT_EQ(text_of(added.at("id")), room);
    EXPECT_EQ(added.at("members"), json::parse(R"(["omid@example.org","sara@example.org"])"));
    EXPECT_EQ(added.at("rev"), 2);
  }
  const auto updated = saras.event("room_updated");
  EXPECT_EQ(text_of(updated.at("id")), room);
  EXPECT_EQ(updated.at("rev"), 2);
  EXPECT_EQ(updated.at("change").at("type"), "members_added");
  EXPECT_EQ(updated.at("change").at("members"), json::array{"omid@example.org"});
  saras.ask("chat_message", {{"room", room}, {"message", "welcome"}});
  for (Client* device : {&phone, &laptop}) {
    EXPECT_EQ(device->event("broadcast_message").at("content"), "welcome");
    EXPECT_THAT(device->events("room_updated"), IsEmpty()) << "the room as it is says it all";
  }
}

TEST_F(RealtimeTest, WhoIsRemovedHearsNoMoreAtOnceOnEveryDevice) {
  const std::string room = create_room(sara, {"omid"});
  Client& saras = join(sara);
  Client& phone = join(omid, 0);
  Client& laptop = join(omid, 1);
  remove(room, "omid", sara);
  saras.ask("chat_message", {{"room", room}, {"message", "among us"}});
  for (Client* device : {&phone, &laptop}) {
    EXPECT_EQ(device->event("room_removed"), json::value({{"id", room}, {"rev", 2}}));
    EXPECT_THAT(device->events("broadcast_message"), IsEmpty());
    EXPECT_THAT(device->events("room_updated"), IsEmpty());
    EXPECT_EQ(device->ask("chat_message", {{"room", room}, {"message", "me too"}}), kNoSuchRoom);
  }
  const auto change = saras.event("room_updated").at("change");
  EXPECT_EQ(change.at("type"), "member_removed");
  EXPECT_EQ(change.at("members"), json::array{"omid@example.org"});
}

TEST_F(RealtimeTest, APrivateChatIsHeardAtOnceByBoth) {
  Client& saras = join(sara);
  Client& omids = join(omid, 1);
  const std::string chat = text_of(post("/chat/private_chats/", R"({"email":"omid@example.org"})", sara).body().at("id"));
  EXPECT_EQ(text_of(saras.event("room_added").at("id")), chat);
  EXPECT_EQ(omids.event("room_added").at("kind"), "direct");
  saras.ask("chat_message", {{"room", chat}, {"message", "psst"}});
  EXPECT_EQ(omids.event("broadcast_message").at("content"), "psst");
}

TEST_F(RealtimeTest, MembershipThatChangesWhileASocketConnectsIsNotMissed) {
  // Many sockets come in while the rooms of their user change; all must end up with the rooms there are.
  std::vector<std::string> rooms;
  for (int i = 0; i < 10; ++i) rooms.push_back(create_room(sara));
  std::vector<Client*> devices;
  for (int i = 0; i < 10; ++i) {
    auto& device = *clients_.emplace_back(std::make_unique<Client>(io_, shards_[i % 2]));
    device.send(R"(0{"token":")" + omid + "\"}");
    add(rooms[static_cast<std::size_t>(i)], "omid", sara);
    if (i > 0) remove(rooms[static_cast<std::size_t>(i - 1)], "omid", sara);
    devices.push_back(&device);
  }
  Client& saras = join(sara);
  for (const auto& room : rooms) saras.ask("chat_message", {{"room", room}, {"message", room}});
  for (Client* device : devices) EXPECT_THAT(contents(device->events("broadcast_message")), ElementsAre(rooms.back()));
}

TEST_F(RealtimeTest, OnlineUsersAreThoseWhoShareARoom) {
  const std::string room = create_room(sara, {"omid"});
  Client& saras = join(sara);
  join(omid, 1);
  join(nima);
  const auto reply = saras.ask("get_online_users", json::object{});
  const json::array expected{"omid@example.org", "sara@example.org"};
  EXPECT_EQ(reply.at("users"), expected);
  EXPECT_EQ(saras.event("online_users"), expected);
  saras.send(R"(2["get_online_users"])");
  EXPECT_EQ(saras.event("online_users"), expected) << "without an argument";
  EXPECT_EQ(saras.ask("get_online_users", {{"room", room}}).at("users"), expected);
}

TEST_F(RealtimeTest, TypingReachesTheOthersAlone) {
  const std::string room = create_room(sara, {"omid"});
  Client& phone = join(sara, 0);
  Client& laptop = join(sara, 1);
  Client& omids = join(omid, 1);
  EXPECT_EQ(phone.ask("typing", {{"room", room}, {"typing", true}}), json::parse(R"({"status":"ok"})"));
  EXPECT_EQ(omids.event("typing"), json::value({{"room", room}, {"email", "sara@example.org"}, {"typing", true}}));
  EXPECT_THAT(phone.events("typing"), IsEmpty());
  EXPECT_THAT(laptop.events("typing"), IsEmpty());
}

TEST_F(RealtimeTest, PresenceIsToldToThoseWhoShareARoom) {
  create_room(sara, {"omid"});
  Client& saras = join(sara);
  Client& nimas = join(nima);
  Client& omids = join(omid, 1);
  EXPECT_EQ(saras.event("presence"), json::parse(R"({"email":"omid@example.org","is_online":true,"last_seen":null})"));
  omids.leave();
  const auto gone = saras.event("presence");
  EXPECT_EQ(gone.at("is_online"), false);
  EXPECT_TRUE(parse_iso8601(text_of(gone.at("last_seen"))));
  EXPECT_THAT(nimas.events("presence"), IsEmpty());
}

TEST_F(RealtimeTest, ATokenThatEndsIsAnnouncedAndMayBeRenewed) {
  Client& saras = join(expiring(sara, wall_now() + 1500ms));
  EXPECT_TRUE(saras.event("token_expired").is_null());
  EXPECT_EQ(saras.ask("authenticate", {{"token", omid}}).at("code"), "unauthorized") << "another user's";
  EXPECT_EQ(saras.ask("authenticate", {{"token", "nonsense"}}).at("code"), "unauthorized");
  EXPECT_EQ(saras.ask("authenticate", {{"token", sara}}), json::parse(R"({"status":"ok"})"));
}

TEST_F(RealtimeTest, ABlockHidesMeAtOnceAndItsEndShowsMe) {
  create_room(sara, {"omid"});
  Client& saras = join(sara);
  join(omid, 1);
  saras.event("presence");
  const std::string path = "/auth/users/me/blocks/sara@example.org";
  EXPECT_EQ(call(http::Method::put, path, "", {.token = omid}).status, 204);
  EXPECT_EQ(saras.event("presence"), json::parse(R"({"email":"omid@example.org","is_online":false,"last_seen":null})"));
  EXPECT_EQ(call(http::Method::put, path, "", {.token = omid}).status, 204);
  EXPECT_EQ(call(http::Method::put, "/auth/users/me/blocks/nima@example.org", "", {.token = omid}).status, 204);
  EXPECT_EQ(call(http::Method::del, path, "", {.token = omid}).status, 204);
  EXPECT_EQ(saras.event("presence"), json::parse(R"({"email":"omid@example.org","is_online":true,"last_seen":null})"));
  EXPECT_THAT(saras.events("presence"), IsEmpty());
}

TEST_F(RealtimeTest, WhoIsBlockedSeesNothingOfMyPresence) {
  const std::string room = create_room(sara, {"omid"});
  post("/chat/private_chats/", R"({"email":"omid@example.org"})", sara);
  Client& saras = join(sara);
  EXPECT_EQ(call(http::Method::put, "/auth/users/me/blocks/sara@example.org", "", {.token = omid}).status, 204);
  Client& omids = join(omid, 1);
  omids.leave();
  join(omid, 1);
  EXPECT_EQ(saras.ask("get_online_users", json::object{}).at("users"), json::array{"sara@example.org"});
  EXPECT_EQ(saras.ask("get_online_users", {{"room", room}}).at("users"), json::array{"sara@example.org"});
  for (const Reply& reply :
       {get("/chat/private_chats/", sara), post("/chat/private_chats/", R"({"email":"omid@example.org"})", sara)}) {
    const json::value body = reply.body();
    const json::value& chat = body.is_array() ? body.at(0) : body;
    EXPECT_EQ(chat.at("other_user_email"), "omid@example.org");
    EXPECT_EQ(chat.at("is_online"), false) << reply.text;
    EXPECT_EQ(chat.at("last_seen"), nullptr) << reply.text;
  }
  EXPECT_EQ(get("/chat/private_chats/", omid).body().at(0).at("is_online"), true) << "not the other way";
  EXPECT_THAT(saras.events("presence"), IsEmpty());
}

}  // namespace
}  // namespace payam::chat::api
