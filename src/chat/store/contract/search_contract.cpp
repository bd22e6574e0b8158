// Finding messages by their words. What counts as the same word is search/'s own test; here: who finds what, in which order,
// and that the index is never behind for who searches.
#include "chat/rules.hpp"
#include "chat/store/contract/store_contract.hpp"

namespace payam::chat {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST_P(StoreContract, FindsAMessageFromItsAcknowledgementOn) {
  add_user("ali");
  create_room("r", "ali");
  for (int i = 0; i < 30; ++i) {
    const std::string word = "word" + std::to_string(i);
    const Message sent = message_of(send("r", "ali", "some " + word));
    EXPECT_EQ(hits_for("ali", {.text = word, .room = {}, .before = {}}), (std::vector<SearchHit>{{sent, {{5, word.size()}}}}));
  }
}

TEST_P(StoreContract, AllWordsMustBeThereTheLastAsABeginning) {
  add_user("ali");
  create_room("r", "ali");
  for (const char* text : {"red apple", "green apple", "Red Apples!", "apple"}) send("r", "ali", text);
  EXPECT_THAT(found("ali", "APPLE red"), ElementsAre("red apple"));
  EXPECT_THAT(found("ali", "red app"), ElementsAre("Red Apples!", "red apple"));
  EXPECT_THAT(found("ali", "appl red"), IsEmpty());
  EXPECT_THAT(found("ali", " ?! "), IsEmpty());
  EXPECT_THAT(found("ali", ""), IsEmpty());
}

TEST_P(StoreContract, SpellingsAreOne) {
  add_user("ali");
  create_room("r", "ali");
  const std::string content = "می‌خواهم ۱۲ کتاب ISTANBUL Straße 東京タワー 👍🏽";
  const Message sent = message_of(send("r", "ali", content));
  for (const char* text : {"ميخواهم", "می خواهم", "12", "كتاب", "ıstanbul", "STRASSE", "京タ", "👍", "タワー 京 كتا"}) {
    EXPECT_THAT(found("ali", text), ElementsAre(content)) << text;
  }
  EXPECT_EQ(hits_for("ali", {.text = "ميخواهم", .room = {}, .before = {}}), (std::vector<SearchHit>{{sent, {{0, 8}}}}));
  send("r", "ali", "東京 京都");
  EXPECT_THAT(found("ali", "東京都"), IsEmpty()) << "its parts are not side by side";
}

TEST_P(StoreContract, NobodyFindsWhatIsNotTheirs) {
  for (const char* name : {"ali", "sara", "eve"}) add_user(name);
  create_room("r", "ali", {"sara"});
  create_room("other", "sara");
  send("r", "ali", "secret one");
  send("other", "sara", "secret two");
  EXPECT_THAT(found("ali", "secret"), ElementsAre("secret one"));
  EXPECT_THAT(found("sara", "secret"), ElementsAre("secret two", "secret one"));
  EXPECT_THAT(found_in("r", "sara", "secret"), ElementsAre("secret one"));
  EXPECT_THAT(found("eve", "secret"), IsEmpty());
  EXPECT_THAT(found("nobody", "secret"), IsEmpty());
  const Error not_found{Errc::not_found, std::string(rules::kRoomNotFound)};
  EXPECT_EQ(search_for("eve", {.text = "secret", .room = RoomId("r"), .before = {}}).error(), not_found);
  EXPECT_EQ(search_for("eve", {.text = "secret", .room = RoomId("none"), .before = {}}).error(), not_found);
  ASSERT_TRUE(commit(RemoveMember{RoomId("r"), user_id("ali"), email("sara"), at(5)}));
  EXPECT_THAT(found("sara", "secret"), ElementsAre("secret two"));
}

TEST_P(StoreContract, AnEditAndADeletionAreFollowed) {
  for (const char* name : {"ali", "sara"}) add_user(name);
  create_room("r", "ali", {"sara"});
  const MessageId id = message_of(send("r", "sara", "first draft")).id;
  EXPECT_THAT(found("ali", "draft"), ElementsAre("first draft"));
  ASSERT_TRUE(commit(EditMessage{{id, {}}, user_id("sara"), "final text", at(9)}));
  EXPECT_THAT(found("ali", "draft"), IsEmpty());
  EXPECT_THAT(found("ali", "final"), ElementsAre("final text"));
  ASSERT_TRUE(commit(React{{id, {}}, user_id("ali"), "👍", true, at(9)}));
  EXPECT_EQ(hits_for("ali", {.text = "final", .room = {}, .before = {}}).at(0).message.reactions.size(), 1u);
  EXPECT_THAT(found("ali", "👍"), IsEmpty()) << "a reaction is no word";
  ASSERT_TRUE(commit(DeleteMessage{{id, {}}, user_id("sara"), at(9)}));
  EXPECT_THAT(found("ali", "final"), IsEmpty());
  restart_if_kept();
  EXPECT_THAT(found("ali", "draft"), IsEmpty());
}

TEST_P(StoreContract, ADeletedRoomIsFoundNoMoreAndALaterOneIsItsOwn) {
  add_user("ali");
  create_room("r", "ali");
  send("r", "ali", "old words");
  EXPECT_THAT(found("ali", "words"), ElementsAre("old words"));
  ASSERT_TRUE(commit(DeleteRoom{RoomId("r"), user_id("ali"), at(9)}));
  EXPECT_THAT(found("ali", "words"), IsEmpty());
  create_room("s", "ali");
  send("s", "ali", "new words");
  EXPECT_THAT(found("ali", "words"), ElementsAre("new words"));
}

TEST_P(StoreContract, PagesGoFromTheNewestToTheOldestAcrossRooms) {
  add_user("ali");
  create_room("r", "ali");
  create_room("s", "ali");
  std::vector<MessageId> ids;
  for (int i = 0; i < 7; ++i) ids.push_back(message_of(send(i % 2 == 0 ? "r" : "s", "ali", "note " + std::to_string(i))).id);
  const auto page = [&](std::optional<MessageId> before) {
    return contents(hits_for("ali", {.text = "note", .room = {}, .before = std::move(before), .limit = 3}));
  };
  EXPECT_THAT(page({}), ElementsAre("note 6", "note 5", "note 4"));
  EXPECT_THAT(page(ids[4]), ElementsAre("note 3", "note 2", "note 1"));
  ASSERT_TRUE(commit(DeleteMessage{{ids[4], {}}, user_id("ali"), at(9)}));
  EXPECT_THAT(page(ids[4]), ElementsAre("note 3", "note 2", "note 1")) << "also before what is deleted";
  EXPECT_THAT(page(ids[1]), ElementsAre("note 0"));
  EXPECT_THAT(page(ids[0]), IsEmpty());
  EXPECT_EQ(search_for("ali", {.text = "note", .room = {}, .before = MessageId("none")}).error(),
            (Error{Errc::not_found, std::string(rules::kMessageNotFound)}));
}

TEST_P(StoreContract, WhoGoesOnFromPageToPageSeesEachMessageOnce) {
  add_user("ali");
  std::vector<std::string> expected;
  for (const char* room : {"r", "s", "t"}) create_room(room, "ali");
  for (int i = 0; i < 24; ++i) {
    const std::string text = "note " + std::to_string(i) + std::string(2'000, '\x01');
    send(i % 3 == 0 ? "r" : i % 3 == 1 ? "s" : "t", "ali", text);
    expected.insert(expected.begin(), text);
  }
  struct Case {
    int limit;
    std::size_t bytes;
    int pages;
  };
  const Case cases[] = {
      {100, 100'000, 3},  // eight of 12.5 kB on each
      {5, 100'000, 5},
      {100, 1, 24},
      {24, 100 << 20, 1},
  };
  for (const Case& c : cases) {
    std::vector<std::string> found;
    int pages = 0;
    SearchQuery query{.text = "note", .room = {}, .before = {}, .limit = c.limit, .bytes = c.bytes};
    for (bool more = true; more; ++pages) {
      const SearchPage page = search_for("ali", query).value();
      for (const SearchHit& hit : page.hits) found.push_back(hit.message.content);
      more = page.next.has_value();
      query.before = page.next;
    }
    EXPECT_EQ(found == expected, true) << &c - cases;
    EXPECT_EQ(pages, c.pages) << &c - cases;
  }
}

TEST_P(StoreContract, ASearchInManyRoomsOfManyWordsFindsWhatIsInAny) {
  add_user("ali");
  std::string query;
  for (int i = 0; i < 40; ++i) query += "ب" + std::to_string(i) + " ";
  for (int i = 0; i < 30; ++i) {
    const std::string room = "r" + std::to_string(i);
    create_room(room, "ali");
    send(room, "ali", i % 10 == 0 ? query + std::to_string(i) : query.substr(query.size() / 2));
  }
  std::vector<std::string> expected;
  for (const char* number : {"20", "10", "0"}) expected.push_back(query + number);
  EXPECT_EQ(found("ali", query), expected);
}

TEST_P(StoreContract, WhatWasWrittenBeforeARestartIsFoundAfterIt) {
  add_user("ali");
  create_room("r", "ali");
  for (int i = 0; i < 700; ++i) send("r", "ali", "line " + std::to_string(i));
  restart_if_kept();
  send("r", "ali", "line last");
  EXPECT_THAT(found("ali", "line 699"), ElementsAre("line 699"));
  EXPECT_THAT(found("ali", "line 0"), ElementsAre("line 0"));
  EXPECT_THAT(found("ali", "line las"), ElementsAre("line last"));
}

TEST_P(StoreContract, AWordOfAnErasedAuthorStays) {
  for (const char* name : {"ali", "sara"}) add_user(name);
  create_room("r", "ali", {"sara"});
  send("r", "sara", "my words");
  ASSERT_TRUE(wait(store().erase_user(user_id("sara"), at(9))));
  const auto hits = hits_for("ali", {.text = "words", .room = {}, .before = {}});
  ASSERT_EQ(hits.size(), 1u);
  EXPECT_EQ(hits[0].message.sender, std::nullopt);
}

}  // namespace
}  // namespace payam::chat
