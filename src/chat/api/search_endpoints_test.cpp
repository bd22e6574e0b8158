#include <gmock/gmock.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <thread>

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

TEST_F(SearchEndpoints, TheLinkNamesTheNextPageUntilThereIsNone) {
  for (int i = 1; i <= 5; ++i) send("note & " + std::to_string(i), sara);
  std::vector<std::string> found;
  std::vector<std::size_t> pages;
  std::string target = "/chat/search?q=note%20%26&room_id=" + room + "&limit=2";
  while (!target.empty()) {
    const Reply reply = get(target, sara);
    ASSERT_EQ(reply.status, 200) << target;
    for (const auto& hit : reply.body().as_array()) found.emplace_back(hit.at("content").as_string());
    pages.push_back(reply.body().as_array().size());
    const auto link = reply.headers.find("Link");
    const std::string value = link == reply.headers.end() ? "" : link->second;
    if (!value.empty()) ASSERT_TRUE(value.ends_with(">; rel=\"next\"")) << value;
    target = value.empty() ? "" : value.substr(1, value.find('>') - 1);
  }
  EXPECT_THAT(found, ::testing::ElementsAre("note & 5", "note & 4", "note & 3", "note & 2", "note & 1"));
  EXPECT_THAT(pages, ::testing::ElementsAre(2, 2, 1));
}

TEST_F(SearchEndpoints, AReplyIsAMegabyteAtMost) {
  for (int i = 0; i < 10; ++i) send("x " + std::string(19'998, '\x01'), sara);
  const Reply reply = get("/chat/search?q=x", sara);
  EXPECT_EQ(reply.body().as_array().size(), 8u);
  EXPECT_LT(reply.text.size(), 1u << 20);
  EXPECT_TRUE(reply.headers.contains("Link"));
}

TEST_F(SearchEndpoints, AQueryHasFortyWordsAtMost) {
  std::string words;
  for (int i = 10; i < 50; ++i) words += std::to_string(i) + "%20";
  EXPECT_EQ(get("/chat/search?q=" + words, sara).status, 200);
  EXPECT_EQ(get("/chat/search?q=" + words + "10", sara).status, 422) << "the last as a beginning";
  EXPECT_EQ(get("/chat/search?q=" + words + "x", sara).status, 422);
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

// The store's one thread can be held, so that a search waits for it.
class HeldSearch : public RestFixture {
 protected:
  HeldSearch() {
    store_->observe([this](std::span<const Commit>) {
      if (!hold_.exchange(false)) return;
      held_.set_value();
      release_.get_future().wait();
    });
    sara_ = arrive("sara");
    const std::string room = create_room(sara_);
    for (const char* text : {"note 1", "note 2", "note 3"}) {
      const json::object body{{"content", text}};
      EXPECT_EQ(post("/chat/chat_rooms/" + room + "/messages", json::serialize(body), sara_).status, 201);
    }
  }

  // Until release_; the commit of a room is what holds it.
  std::future<Result<Commit>> hold() {
    std::optional<User> sara;
    on_shard([&]() -> Task<> { sara = co_await store_->find_user_by_email("sara@example.org"); });
    hold_ = true;
    const Change change = CreateRoom{RoomId("another"), sara.value().id, "Another", {}, Timestamp{}};
    auto held = asio::co_spawn(shards_[1].executor(), store_->commit(change), asio::use_future);
    held_.get_future().wait();
    return held;
  }

  std::string sara_;
  std::atomic<bool> hold_ = false;
  std::promise<void> held_, release_;
};

TEST_F(HeldSearch, EndsWhenItsCallerIsGone) {
  ASSERT_EQ(get("/chat/search?q=note", sara_).body().as_array().size(), 3u);
  auto held = hold();
  http::Request request;
  request.method = http::Method::get;
  request.path = "/chat/search";
  request.query = http::Query::parse("q=note");
  request.peer = "192.0.2.1";
  request.headers.add("Authorization", "Bearer " + sara_);
  const auto match = router_.match(request.method, request.path);
  http::Response response;
  std::thread waiting([&] { on_shard([&]() -> Task<> { response = co_await match.route->serve(shards_[0], request); }); });
  bool is_waiting = false;
  for (int i = 0; i < 1'000'000 && !is_waiting; ++i) {
    on_shard([&]() -> Task<> {
      is_waiting = request.on_abort != nullptr;
      if (is_waiting) request.on_abort();
      co_return;
    });
  }
  EXPECT_TRUE(is_waiting);
  EXPECT_EQ(messages_.searches().held(), 1u);
  release_.set_value();
  waiting.join();
  EXPECT_TRUE(held.get());
  EXPECT_TRUE(response.headers.has("Link")) << "it did not go on to the end";
  EXPECT_EQ(messages_.searches().held(), 0u);
}

TEST_F(HeldSearch, OnePersonHasFourUnderWay) {
  auto held = hold();
  std::vector<std::future<Result<SearchPage>>> searches;
  for (int i = 0; i < 6; ++i) {
    auto task = messages_.search({.network = "192.0.2.1", .user = "sara"}, {.text = "note", .room = {}, .before = {}}, {});
    searches.push_back(asio::co_spawn(shards_[0].executor(), std::move(task), asio::use_future));
  }
  for (const std::size_t refused : {4, 5}) {
    EXPECT_EQ(searches[refused].get().error(), (Error{Errc::rate_limited, "Too many searches at once; try again later"}));
  }
  EXPECT_EQ(messages_.searches().refused(Budget::Over::user), 2u);
  release_.set_value();
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(searches[static_cast<std::size_t>(i)].get());
  EXPECT_TRUE(held.get());
}

}  // namespace
}  // namespace payam::chat::api
