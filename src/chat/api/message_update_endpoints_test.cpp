#include <gmock/gmock.h>

#include "chat/api/testing/rest_fixture.hpp"

namespace payam::chat::api {
namespace {

using namespace testing;

constexpr const char* kThumb = "%F0%9F%91%8D";

class MessageUpdateEndpoints : public RestFixture {
 protected:
  std::string send(const std::string& content, const std::string& token) {
    const Reply reply =
        post("/chat/chat_rooms/" + room + "/messages", json::serialize(json::object{{"content", content}}), token);
    EXPECT_EQ(reply.status, 201) << reply.text;
    return text_of(reply.body().at("id"));
  }
  std::string at(const std::string& message) { return "/chat/chat_rooms/" + room + "/messages/" + message; }
  Reply edit(const std::string& message, const std::string& content, const std::string& token) {
    return call(http::Method::patch, at(message), json::serialize(json::object{{"content", content}}), {.token = token});
  }
  Reply put(std::string target, const std::string& token) {
    return call(http::Method::put, std::move(target), "", {.token = token});
  }
  json::value last() { return get("/chat/chat_rooms/" + room + "/messages?limit=1", sara).body().at(0); }
  std::int64_t rev() { return get("/chat/chat_rooms/" + room, sara).body().at("rev").as_int64(); }

  const std::string sara = arrive("sara"), omid = arrive("omid"), nima = arrive("nima"), dara = arrive("dara");
  const std::string room = create_room(sara, {"omid", "nima"});
};

TEST_F(MessageUpdateEndpoints, AnAuthorEdits) {
  const std::string id = send("frist", omid);
  pass(std::chrono::seconds(5));
  const Reply reply = edit(id, "first, @nima", omid);
  EXPECT_EQ(reply.status, 200) << reply.text;
  const auto message = reply.body();
  EXPECT_EQ(message.at("content"), "first, @nima");
  EXPECT_EQ(message.at("seq"), 1);
  EXPECT_EQ(message.at("rev"), 3);
  EXPECT_TRUE(message.at("edited_at").is_string());
  EXPECT_EQ(message.at("mentions"), json::array{"nima@example.org"});
  EXPECT_EQ(last(), message);
}

TEST_F(MessageUpdateEndpoints, NobodyElseEdits) {
  const std::string id = send("mine", omid);
  EXPECT_EQ(edit(id, "yours", sara).status, 403) << "not even the owner";
  EXPECT_EQ(edit(id, "yours", nima).status, 403);
  EXPECT_EQ(edit(id, "yours", dara).status, 404);
  EXPECT_EQ(last().at("content"), "mine");
}

TEST_F(MessageUpdateEndpoints, TheSameTextIsNoEdit) {
  const std::string id = send("same", omid);
  EXPECT_EQ(edit(id, "same", omid).status, 200);
  EXPECT_TRUE(last().at("edited_at").is_null());
  EXPECT_EQ(rev(), 2);
}

TEST_F(MessageUpdateEndpoints, ADeletedMessageLeavesATombstone) {
  const std::string id = send("a secret", omid);
  put(at(id) + "/reactions/" + kThumb, nima);
  put(at(id) + "/pin", sara);
  const Reply reply = del(at(id), omid);
  EXPECT_EQ(reply.status, 200) << reply.text;
  const auto message = reply.body();
  EXPECT_EQ(message.at("deleted"), true);
  EXPECT_EQ(message.at("content"), "");
  EXPECT_EQ(message.at("reactions"), json::array());
  EXPECT_EQ(message.at("pinned"), false);
  EXPECT_EQ(message.at("sender"), "omid@example.org");
  EXPECT_EQ(last(), message);
  EXPECT_EQ(del(at(id), omid).status, 200) << "a retry";
  EXPECT_EQ(edit(id, "back", omid).status, 409);
  EXPECT_EQ(put(at(id) + "/reactions/" + kThumb, nima).status, 409);
  EXPECT_EQ(put(at(id) + "/pin", sara).status, 409);
  EXPECT_EQ(rev(), 5);
}

TEST_F(MessageUpdateEndpoints, OwnersAndAdminsDeleteOthersMessages) {
  const std::string first = send("one", omid), second = send("two", omid);
  EXPECT_EQ(del(at(first), nima).status, 403);
  EXPECT_EQ(del(at(first), sara).status, 200);
  call(http::Method::patch, "/chat/chat_rooms/" + room + "/members/nima@example.org", R"({"role":"admin"})", {.token = sara});
  EXPECT_EQ(del(at(second), nima).status, 200);
}

TEST_F(MessageUpdateEndpoints, OneOfEachReactionAUser) {
  const std::string id = send("nice", omid);
  EXPECT_EQ(put(at(id) + "/reactions/" + kThumb, sara).status, 200);
  EXPECT_EQ(put(at(id) + "/reactions/" + kThumb, sara).body().at("rev"), 3) << "it was there";
  put(at(id) + "/reactions/" + kThumb, nima);
  const auto both = put(at(id) + "/reactions/%E2%9D%A4", nima).body();  // a heart without its selector
  EXPECT_EQ(both.at("reactions"), json::parse(R"([{"emoji":"👍","users":["sara@example.org","nima@example.org"]},
                                                  {"emoji":"❤️","users":["nima@example.org"]}])"));
  const Reply taken = del(at(id) + "/reactions/" + kThumb, sara);
  EXPECT_EQ(taken.status, 200);
  EXPECT_EQ(taken.body().at("reactions").at(0).at("users"), json::array{"nima@example.org"});
  EXPECT_EQ(del(at(id) + "/reactions/" + kThumb, sara).status, 200) << "it was not there";
  EXPECT_EQ(rev(), 6);
}

TEST_F(MessageUpdateEndpoints, AReactionIsExactlyOneEmoji) {
  const std::string id = send("nice", omid);
  for (const char* emoji : {"x", "1", "%20", "%F0%9F%91%8D%F0%9F%91%8D", "%00", "%F0%9F", "..%2f", "%3Cb%3E", "%F0%9F%87%AE"}) {
    const Reply reply = put(at(id) + "/reactions/" + emoji, sara);
    EXPECT_EQ(reply.status, 422) << emoji;
    EXPECT_EQ(reply.body().at("detail").at(0).at("loc"), json::parse(R"(["path","emoji"])")) << reply.text;
  }
  EXPECT_EQ(rev(), 2);
}

TEST_F(MessageUpdateEndpoints, FiftyDifferentReactionsAreEnough) {
  const std::string id = send("nice", omid);
  // U+1F400 to U+1F431: fifty animals.
  const auto animal = [](int number) {
    std::string text = "%F0%9F%90%";
    constexpr std::string_view kHex = "0123456789ABCDEF";
    const int last = 0x80 + number;
    return text + kHex[static_cast<std::size_t>(last >> 4)] + kHex[static_cast<std::size_t>(last & 15)];
  };
  for (int number = 0; number < 50; ++number) EXPECT_EQ(put(at(id) + "/reactions/" + animal(number), sara).status, 200);
  EXPECT_EQ(put(at(id) + "/reactions/" + animal(50), sara).status, 409);
  EXPECT_EQ(put(at(id) + "/reactions/" + animal(7), omid).status, 200) << "one that is there";
  EXPECT_EQ(del(at(id) + "/reactions/" + animal(0), sara).status, 200);
  EXPECT_EQ(put(at(id) + "/reactions/" + animal(50), nima).status, 200);
}

TEST_F(MessageUpdateEndpoints, PinsAreListedInOrder) {
  const std::string first = send("one", omid), second = send("two", omid), third = send("three", omid);
  EXPECT_EQ(put(at(third) + "/pin", sara).body().at("pinned"), true);
  EXPECT_EQ(put(at(first) + "/pin", sara).status, 200);
  EXPECT_EQ(put(at(second) + "/pin", omid).status, 403) << "a member";
  const auto pins = get("/chat/chat_rooms/" + room + "/pins", omid).body().as_array();
  ASSERT_EQ(pins.size(), 2u);
  EXPECT_EQ(pins[0].at("content"), "one");
  EXPECT_EQ(pins[1].at("content"), "three");
  EXPECT_EQ(del(at(first) + "/pin", sara).body().at("pinned"), false);
  EXPECT_EQ(get("/chat/chat_rooms/" + room + "/pins", omid).body().as_array().size(), 1u);
}

TEST_F(MessageUpdateEndpoints, ManyLongPinsComeInPages) {
  for (int i = 0; i < 10; ++i) EXPECT_EQ(put(at(send(std::string(20'000, '\x01'), omid)) + "/pin", sara).status, 200);
  const std::string pins = "/chat/chat_rooms/" + room + "/pins";
  const Reply first = get(pins, omid);
  EXPECT_EQ(first.body().as_array().size(), 8u);
  EXPECT_EQ(first.headers.at("Link"), "<" + pins + "?after=8>; rel=\"next\"");
  const Reply last = get(pins + "?after=8", omid);
  EXPECT_EQ(last.body().as_array().size(), 2u);
  EXPECT_FALSE(last.headers.contains("Link"));
  EXPECT_EQ(get(pins + "?after=x", omid).status, 422);
}

TEST_F(MessageUpdateEndpoints, BothPinInAPrivateChat) {
  const std::string chat = text_of(post("/chat/private_chats/", R"({"email":"omid@example.org"})", sara).body().at("id"));
  const auto message = post("/chat/chat_rooms/" + chat + "/messages", R"({"content":"x"})", sara).body();
  const std::string pin = "/chat/chat_rooms/" + chat + "/messages/" + text_of(message.at("id")) + "/pin";
  EXPECT_EQ(put(pin, omid).status, 200);
  EXPECT_EQ(del(pin, sara).status, 200);
}

TEST_F(MessageUpdateEndpoints, AMessageIsFoundInItsRoomOnly) {
  const std::string id = send("here", sara), other = create_room(sara);
  const std::string elsewhere = "/chat/chat_rooms/" + other + "/messages/" + id;
  const auto body = R"({"content":"x"})";
  EXPECT_EQ(call(http::Method::patch, elsewhere, body, {.token = sara}).detail(), "Message not found");
  EXPECT_EQ(del(elsewhere, sara).status, 404);
  EXPECT_EQ(put(elsewhere + "/pin", sara).status, 404);
  EXPECT_EQ(put(elsewhere + "/reactions/" + kThumb, sara).status, 404);
  EXPECT_EQ(edit("nothing", "x", sara).detail(), "Message not found");
  EXPECT_EQ(rev(), 2);
}

TEST_F(MessageUpdateEndpoints, AnEditHasTheLimitsOfAMessage) {
  const std::string id = send("fine", sara);
  const std::string bodies[] = {"{}",
                                R"({"content":null})",
                                R"({"content":7})",
                                R"({"content":""})",
                                R"({"content":"\ud800"})",
                                R"({"content":"a\u0000b"})",
                                R"({"content":")" + std::string(20'001, 'x') + "\"}"};
  for (const auto& body : bodies) {
    EXPECT_EQ(call(http::Method::patch, at(id), body, {.token = sara}).status, 422) << body.substr(0, 40);
  }
  EXPECT_EQ(last().at("content"), "fine");
}

TEST_F(MessageUpdateEndpoints, WhatAMessageSaysIsKeptAsItIs) {
  const std::string text = " \u202Eright to left\u202C \u200B\t\r\nيك ۱۲۳ cafe\u0301 ";
  const std::string id = send(text, sara);
  EXPECT_EQ(text_of(last().at("content")), text);
  EXPECT_EQ(text_of(edit(id, text + "!", sara).body().at("content")), text + "!");
}

}  // namespace
}  // namespace payam::chat::api
