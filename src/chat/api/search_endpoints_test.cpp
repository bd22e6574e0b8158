#include <gmock/gmock.h>

#include "chat/api/testing/rest_fixture.hpp"

namespace payam::chat::api {
namespace {

using namespace testing;

class SearchEndpoints : public RestFixture {
 protected:
  void send(const std::string& content, const std::string& token) {
    const json::object body{{"content", content}};
    ASSERT_EQ(post("/chat/chat_rooms/" + room + "/messages", json::serialize(body), token).status, 201);
  }

  const std::string sara = arrive("sara"), omid = arrive("omid"), eve = arrive("eve");
  const std::string room = create_room(sara, {"omid"});
};

TEST_F(SearchEndpoints, AFoundMessageIsTheMessageWithItsHighlights) {
  send("سلام به همه", omid);
  send("می‌خواهم ۱۲ کتاب", sara);
  const Reply reply = get("/chat/search?q=12%20%D9%83%D8%AA%D8%A7", omid);  // 12 كتا
  ASSERT_EQ(reply.status, 200) << reply.text;
  const auto hits = reply.body();
  ASSERT_EQ(hits.as_array().size(), 1u);
  json::object hit = hits.at(0).as_object();
  EXPECT_EQ(hit.at("highlights"), json::parse("[[9,2],[12,4]]"));
  hit.erase("highlights");
  EXPECT_EQ(hit, get("/chat/chat_rooms/" + room + "/messages?after=1", omid).body().at(0).as_object());
}

TEST_F(SearchEndpoints, PagesAndRooms) {
  const std::string other = create_room(sara);
  for (const char* text : {"note 1", "note 2", "note 3"}) send(text, sara);
  const auto first = get("/chat/search?q=note&limit=2", sara).body();
  ASSERT_EQ(first.as_array().size(), 2u);
  EXPECT_EQ(first.at(0).at("content"), "note 3");
  const auto next = get("/chat/search?q=note&before=" + std::string(first.at(1).at("id").as_string()), sara).body();
  ASSERT_EQ(next.as_array().size(), 1u);
  EXPECT_EQ(next.at(0).at("content"), "note 1");
  EXPECT_EQ(get("/chat/search?q=note&room_id=" + other, sara).text, "[]");
  EXPECT_EQ(get("/chat/search?q=note&room_id=" + room, sara).body().as_array().size(), 3u);
}

TEST_F(SearchEndpoints, NobodySearchesElsewhere) {
  send("secret", sara);
  EXPECT_EQ(get("/chat/search?q=secret", eve).text, "[]");
  EXPECT_EQ(get("/chat/search?q=secret&room_id=" + room, eve).text, R"({"detail":"Chat room not found or access denied"})");
  EXPECT_EQ(get("/chat/search?q=secret&before=none", sara).status, 404);
  EXPECT_EQ(get("/chat/search?q=secret").status, 401);
}

TEST_F(SearchEndpoints, ParametersHaveTheirLimits) {
  for (const std::string& query :
       {std::string(), std::string("?q="), std::string("?q=x&limit=0"), std::string("?q=x&limit=101"), std::string("?q=a%00b"),
        std::string("?q=%ff"), "?q=" + std::string(201, 'x')}) {
    EXPECT_EQ(get("/chat/search" + query, sara).status, 422) << query;
  }
  // What an index's own language would take for something.
  for (const char* query : {"%22", "*", "AND", "x%20OR%20y", "%22x%22%20*", "NEAR(a,b)", "terms:x", "%F0%9F%91%8D", "x'"}) {
    EXPECT_EQ(get(std::string("/chat/search?q=") + query, sara).status, 200) << query;
  }
}

}  // namespace
}  // namespace payam::chat::api
