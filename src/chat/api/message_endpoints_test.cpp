#include <gmock/gmock.h>

#include "chat/api/testing/rest_fixture.hpp"

namespace payam::chat::api {
namespace {

using namespace testing;

class MessageEndpoints : public RestFixture {
 protected:
  Reply send(json::object body, const std::string& token) {
    return post("/chat/chat_rooms/" + room + "/messages", json::serialize(body), token);
  }
  Reply history(const std::string& query) { return get("/chat/chat_rooms/" + room + "/messages" + query, sara); }
  static std::vector<std::int64_t> seqs(const Reply& reply) {
    std::vector<std::int64_t> list;
    const auto body = reply.body();
    for (const auto& message : body.as_array()) list.push_back(message.at("seq").to_number<std::int64_t>());
    return list;
  }
  void fill(int count) {
    for (int i = 1; i <= count; ++i) send({{"content", "m" + std::to_string(i)}}, sara);
  }

  const std::string sara = arrive("sara"), omid = arrive("omid");
  const std::string room = create_room(sara, {"omid"});
};

TEST_F(MessageEndpoints, AMessageHasAllItsFields) {
  const Reply reply =
      send({{"content", "سلام @omid 👋"}, {"sender", "omid@example.org"}, {"timestamp", "1999-01-01"}, {"id", "mine"}}, sara);
  EXPECT_EQ(reply.status, 201) << reply.text;
  const auto message = reply.body().as_object();
  std::vector<std::string> names;
  for (const auto& field : message) names.emplace_back(field.key());
  EXPECT_THAT(names,
              ::testing::ElementsAre("id", "room_id", "seq", "rev", "sender", "content", "timestamp", "client_id", "reply_to",
                                     "attachments", "mentions", "edited_at", "deleted", "pinned", "reactions"));
  EXPECT_EQ(message.at("id").as_string().size(), 26u);
  EXPECT_EQ(text_of(message.at("room_id")), room);
  EXPECT_EQ(message.at("seq"), 1);
  EXPECT_EQ(message.at("rev"), 2);
  EXPECT_EQ(message.at("sender"), "sara@example.org") << "not what the client says";
  EXPECT_EQ(message.at("content"), "سلام @omid 👋");
  EXPECT_THAT(std::string(message.at("timestamp").as_string()), ::testing::MatchesRegex("20..-..-..T..:..:..\\....Z"));
  EXPECT_EQ(message.at("mentions"), json::array{"omid@example.org"});
  EXPECT_EQ(message.at("deleted"), false);
  EXPECT_TRUE(message.at("edited_at").is_null());
}

TEST_F(MessageEndpoints, AClientIdSendsOnce) {
  const Reply first = send({{"content", "once"}, {"client_id", "c-1"}}, sara);
  EXPECT_EQ(first.status, 201);
  EXPECT_EQ(first.body().at("client_id"), "c-1");
  const Reply again = send({{"content", "once"}, {"client_id", "c-1"}}, sara);
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.text, first.text);
  EXPECT_EQ(send({{"content", "mine"}, {"client_id", "c-1"}}, omid).status, 201) << "another sender's ids are their own";
  EXPECT_EQ(seqs(history("")), (std::vector<std::int64_t>{1, 2}));
}

TEST_F(MessageEndpoints, ARetryMayAnswerItsOwnQuestionOnly) {
  const std::string first(send({{"content", "question"}}, sara).body().at("id").as_string());
  EXPECT_EQ(text_of(send({{"content", "answer"}, {"reply_to", first}}, omid).body().at("reply_to")), first);
  EXPECT_EQ(send({{"content", "answer"}, {"reply_to", "01J00000000000000000000000"}}, omid).status, 400);
}

struct BadBody {
  const char* body;
  const char* location;  // of the first fault
};

TEST_F(MessageEndpoints, EachFieldHasItsLimits) {
  const std::string too_long = "{\"content\":\"" + std::string(20'001, 'x') + "\"}";
  const BadBody cases[] = {
      {"{}", R"(["body","content"])"},
      {R"({"content":null})", R"(["body","content"])"},
      {R"({"content":7})", R"(["body","content"])"},
      {R"({"content":""})", R"(["body"])"},
      {R"({"content":"\ud800"})", R"(["body","content"])"},
      {R"({"content":"a\u0000b"})", R"(["body","content"])"},
      {too_long.c_str(), R"(["body","content"])"},
      {R"({"content":"x","client_id":""})", R"(["body","client_id"])"},
      {R"({"content":"x","client_id":"12345678901234567890123456789012345678901234567890123456789012345"})",
       R"(["body","client_id"])"},
      {R"({"content":"x","reply_to":1})", R"(["body","reply_to"])"},
      {R"({"content":"x","attachments":"id"})", R"(["body","attachments"])"},
      {R"({"content":"x","attachments":[1]})", R"(["body","attachments",0])"},
      {R"(["content"])", R"(["body"])"},
  };
  for (const auto& bad : cases) {
    const Reply reply = post("/chat/chat_rooms/" + room + "/messages", bad.body, sara);
    EXPECT_EQ(reply.status, 422) << bad.body;
    // A lone surrogate is a fault of the JSON itself.
    if (reply.body().at("detail").at(0).at("type") == "json_invalid") continue;
    EXPECT_EQ(reply.body().at("detail").at(0).at("loc"), json::parse(bad.location)) << reply.text;
  }
  EXPECT_EQ(history("").text, "[]");
}

TEST_F(MessageEndpoints, ContentIsCountedInCharacters) {
  std::string longest;
  for (int i = 0; i < 20'000; ++i) longest += "😀";
  EXPECT_EQ(send({{"content", longest}}, sara).status, 201);
}

TEST_F(MessageEndpoints, HistoryGoesByCursors) {
  fill(7);
  EXPECT_EQ(seqs(history("")), (std::vector<std::int64_t>{1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(seqs(history("?limit=2")), (std::vector<std::int64_t>{6, 7}));
  EXPECT_EQ(seqs(history("?limit=2&before=6")), (std::vector<std::int64_t>{4, 5}));
  EXPECT_EQ(seqs(history("?limit=2&after=2")), (std::vector<std::int64_t>{3, 4}));
  EXPECT_EQ(seqs(history("?limit=3&around=4")), (std::vector<std::int64_t>{3, 4, 5}));
  EXPECT_EQ(history("?after=7").text, "[]");
  EXPECT_EQ(history("?before=1").text, "[]");
}

TEST_F(MessageEndpoints, LinksNameThePagesBeside) {
  fill(7);
  const std::string base = "/chat/chat_rooms/" + room + "/messages?limit=2&";
  EXPECT_EQ(history("?limit=2&before=6").headers.at("Link"),
            "<" + base + "before=4>; rel=\"prev\", <" + base + "after=5>; rel=\"next\"");
  EXPECT_EQ(history("?limit=2").headers.at("Link"), "<" + base + "before=6>; rel=\"prev\"");
  EXPECT_EQ(history("?limit=2&after=0").headers.at("Link"), "<" + base + "after=2>; rel=\"next\"");
  EXPECT_FALSE(history("").headers.contains("Link"));
}

// Each reply is cut at about a megabyte; who follows the links sees each message once, from either end.
TEST_F(MessageEndpoints, WalkingByLinksPassesEachLongMessageOnce) {
  for (int i = 0; i < 20; ++i) ASSERT_EQ(send({{"content", std::string(20'000, '\x01')}}, sara).status, 201);
  for (const auto& [first, relation] : {std::pair("?limit=500", "prev"), {"?limit=500&after=0", "next"}}) {
    std::vector<std::int64_t> seen;
    int pages = 0;
    for (std::string target = "/chat/chat_rooms/" + room + "/messages" + first; !target.empty(); ++pages) {
      const Reply reply = get(target, omid);
      ASSERT_EQ(reply.status, 200);
      EXPECT_LT(reply.text.size(), 1u << 20);
      for (const std::int64_t seq : seqs(reply)) seen.push_back(seq);
      const auto link = reply.headers.find("Link");
      const std::string links = link == reply.headers.end() ? "" : link->second;
      const auto end = links.find(std::string(">; rel=\"") + relation);
      const auto begin = end == std::string::npos ? end : links.rfind('<', end);
      target = end == std::string::npos ? "" : links.substr(begin + 1, end - begin - 1);
    }
    std::ranges::sort(seen);
    std::vector<std::int64_t> expected;
    for (int i = 1; i <= 20; ++i) expected.push_back(i);
    EXPECT_EQ(seen, expected) << relation;
    EXPECT_EQ(pages, 3) << "eight of 120 kB on each";
  }
}

TEST_F(MessageEndpoints, CursorsHaveTheirLimits) {
  for (const char* query :
       {"?limit=0", "?limit=501", "?limit=x", "?before=-1", "?after=x", "?around=1.5", "?before=1&after=2"}) {
    EXPECT_EQ(history(query).status, 422) << query;
  }
  EXPECT_EQ(history("?limit=500").status, 200);
}

TEST_F(MessageEndpoints, ARemovedMemberSendsAndReadsNoMore) {
  EXPECT_EQ(send({{"content", "x"}}, omid).status, 201);
  del("/chat/chat_rooms/" + room + "/members/omid@example.org", sara);
  const Reply reply = send({{"content", "x"}}, omid);
  EXPECT_EQ(reply.status, 404);
  EXPECT_EQ(reply.text, R"({"detail":"Chat room not found or access denied"})");
  EXPECT_EQ(get("/chat/chat_rooms/" + room + "/messages", omid).text, reply.text);
}

}  // namespace
}  // namespace payam::chat::api
