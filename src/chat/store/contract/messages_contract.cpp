// Sending, the order of a room, retries, and pages of its history.
#include <numeric>
#include <set>
#include <thread>

#include "chat/rules.hpp"
#include "chat/store/contract/store_contract.hpp"

namespace payam::chat {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using From = HistoryQuery::From;

TEST_P(StoreContract, SendsAMessage) {
  add_user("ali");
  add_user("sara");
  create_room("r", "ali", {"sara"});
  SendMessage change = message("r", "sara", "سلام 👋");
  const Commit sent = commit(change).value();

  Message expected;
  expected.id = change.id;
  expected.room = RoomId("r");
  expected.seq = Seq{1};
  expected.rev = Rev{2};
  expected.sender = "sara@example.com";
  expected.sender_id = user_id("sara");
  expected.content = "سلام 👋";
  expected.timestamp = change.at;
  EXPECT_EQ(sent.entry, (Entry{RoomId("r"), Rev{2}, change.at, user_id("sara"), "sara@example.com", MessageAdded{expected}}));
  EXPECT_FALSE(sent.repeated);
  EXPECT_EQ(sent.after, std::nullopt);
  EXPECT_THAT(wait(store().history(RoomId("r"), user_id("ali"), {}))->messages, ElementsAre(expected));
}

TEST_P(StoreContract, KeepsEveryFieldOfAMessage) {
  add_user("ali");
  add_user("sara");
  create_room("r", "ali", {"sara"});
  const Commit first = send("r", "sara", "first");
  SendMessage change = message("r", "ali", "@Sara see @nobody and @ali, @sara");
  change.client_id = "کلید-1";
  change.reply_to = message_of(first).id;
  const Message sent = message_of(commit(change).value());
  EXPECT_EQ(sent.client_id, "کلید-1");
  EXPECT_EQ(sent.reply_to, message_of(first).id);
  EXPECT_THAT(sent.mentions, ElementsAre("sara@example.com", "ali@example.com"));
  EXPECT_EQ(sent.edited_at, std::nullopt);
  EXPECT_FALSE(sent.deleted);
  EXPECT_FALSE(sent.pinned);
  restart_if_kept();
  EXPECT_THAT(wait(store().history(RoomId("r"), user_id("ali"), {}))->messages, ElementsAre(message_of(first), sent));
}

TEST_P(StoreContract, CountsItsWorkForTheMetrics) {
  add_user("ali");
  create_room("r", "ali");
  const auto count = [](const auto& histogram) {
    const auto counts = histogram.counts();
    return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
  };
  const StoreMeters& meters = store().meters();
  const double changes = meters.batch_changes.sum();
  const auto batches = count(meters.batch_changes), reads = count(meters.read_seconds);
  for (int i = 0; i < 5; ++i) send("r", "ali", "text");
  (void)wait(store().find_user(user_id("ali")));
  EXPECT_EQ(meters.batch_changes.sum(), changes + 5);
  EXPECT_EQ(count(meters.batch_changes), batches + 5) << "each had to wait for the one before";
  EXPECT_EQ(count(meters.batch_seconds), count(meters.batch_changes));
  EXPECT_EQ(meters.batches_failed, 0u);
  if (GetParam().name != "Memory") EXPECT_GT(count(meters.read_seconds), reads);  // there the writer reads

  EXPECT_THAT(found("ali", "text"), SizeIs(5));
  const SteadyTime until = steady_now() + std::chrono::seconds(30);
  while (meters.search_lag(steady_now()).count() > 0 && steady_now() < until) std::this_thread::sleep_for(Millis(20));
  EXPECT_EQ(meters.search_lag(steady_now()).count(), 0) << "nothing is in arrears";
}

TEST_P(StoreContract, MentionsOnlyMembers) {
  add_user("ali");
  add_user("sara");
  create_room("r", "ali");
  EXPECT_THAT(message_of(send("r", "ali", "@sara")).mentions, IsEmpty());
}

TEST_P(StoreContract, CountsSeqAndRevOfEachRoomWithoutGaps) {
  add_user("ali");
  create_room("r", "ali");
  create_room("other", "ali");
  for (int i = 1; i <= 5; ++i) {
    const Commit sent = send("r", "ali", "text");
    EXPECT_EQ(message_of(sent).seq.value, i);
    EXPECT_EQ(sent.entry.rev.value, i + 1);
    EXPECT_EQ(message_of(sent).rev, sent.entry.rev);
  }
  EXPECT_EQ(message_of(send("other", "ali", "text")).seq, Seq{1});
}

TEST_P(StoreContract, CountsOnAfterARestart) {
  add_user("ali");
  create_room("r", "ali");
  send("r", "ali", "before");
  restart_if_kept();
  const Commit sent = send("r", "ali", "after");
  EXPECT_EQ(message_of(sent).seq, Seq{2});
  EXPECT_EQ(sent.entry.rev, Rev{3});
  EXPECT_THAT(contents(wait(store().history(RoomId("r"), user_id("ali"), {}))->messages), ElementsAre("before", "after"));
}

TEST_P(StoreContract, RefusesAMessageOfWhoIsNoMember) {
  add_user("ali");
  add_user("eve");
  create_room("r", "ali");
  const Result<Commit> refused = commit(message("r", "eve", "let me in"));
  EXPECT_EQ(refused, (Result<Commit>(fail(Errc::not_member, std::string(rules::kRoomNotFound)))));
  EXPECT_EQ(commit(message("no-room", "ali", "x")), (Result<Commit>(fail(Errc::not_found, std::string(rules::kRoomNotFound)))));
  EXPECT_EQ(commit(message("r", "nobody", "x")), (Result<Commit>(fail(Errc::not_found, std::string(rules::kRoomNotFound)))));
  EXPECT_EQ(message_of(send("r", "ali", "mine")).seq, Seq{1});
}

TEST_P(StoreContract, RefusesAReplyToWhatIsNotInTheRoom) {
  add_user("ali");
  create_room("r", "ali");
  create_room("other", "ali");
  SendMessage reply = message("r", "ali", "re");
  reply.reply_to = message_of(send("other", "ali", "elsewhere")).id;
  EXPECT_EQ(commit(reply),
            (Result<Commit>(fail(Errc::bad_request, "reply_to: no message " + reply.reply_to->str() + " in this room"))));
  reply.reply_to = MessageId("none");
  EXPECT_EQ(commit(reply), (Result<Commit>(fail(Errc::bad_request, "reply_to: no message none in this room"))));
}

TEST_P(StoreContract, ARetryWithItsClientIdGivesTheFirstMessage) {
  add_user("ali");
  add_user("sara");
  create_room("r", "ali", {"sara"});
  SendMessage change = message("r", "ali", "once");
  change.client_id = "c1";
  Commit first = commit(change).value();
  send("r", "sara", "in between");
  restart_if_kept();
  SendMessage retry = message("r", "ali", "twice");
  retry.client_id = "c1";
  first.repeated = true;
  EXPECT_EQ(commit(retry), first);
  EXPECT_EQ(message_of(send("r", "sara", "next")).seq, Seq{3});
}

TEST_P(StoreContract, AClientIdIsItsSendersAndItsRoomsOwn) {
  add_user("ali");
  add_user("sara");
  create_room("r", "ali", {"sara"});
  create_room("other", "ali", {"sara"});
  int fresh = 0;
  for (const char* room : {"r", "other"}) {
    for (const char* sender : {"ali", "sara"}) {
      SendMessage change = message(room, sender, "text");
      change.client_id = "same";
      fresh += commit(change)->repeated ? 0 : 1;
    }
  }
  EXPECT_EQ(fresh, 4);
}

TEST_P(StoreContract, MessagesWithoutClientIdAreNeverTakenForRetries) {
  add_user("ali");
  create_room("r", "ali");
  EXPECT_FALSE(commit(message("r", "ali", "same"))->repeated);
  EXPECT_FALSE(commit(message("r", "ali", "same"))->repeated);
}

TEST_P(StoreContract, TheSameChangeAgainIsTheSameMessage) {
  add_user("ali");
  create_room("r", "ali");
  const SendMessage change = message("r", "ali", "text");
  Commit first = commit(change).value();
  first.repeated = true;
  EXPECT_EQ(commit(change), first);
}

TEST_P(StoreContract, RefusesAnIdThatIsAnothers) {
  add_user("ali");
  add_user("sara");
  create_room("r", "ali", {"sara"});
  create_room("other", "ali");
  const SendMessage change = message("r", "ali", "text");
  ASSERT_TRUE(commit(change));
  SendMessage elsewhere = change;
  elsewhere.room = RoomId("other");
  SendMessage another = change;
  another.sender = user_id("sara");
  EXPECT_EQ(commit(elsewhere), (Result<Commit>(fail(Errc::conflict, "The id is taken"))));
  EXPECT_EQ(commit(another), (Result<Commit>(fail(Errc::conflict, "The id is taken"))));
}

TEST_P(StoreContract, ARetryAtTheSameTimeIsOneMessage) {
  add_user("ali");
  create_room("r", "ali");
  std::vector<std::future<Result<Commit>>> answers;
  for (int i = 0; i < 60; ++i) {
    SendMessage change = message("r", "ali", "text " + std::to_string(i % 3));
    change.client_id = "c" + std::to_string(i % 3);
    answers.push_back(spawn(store().commit(change), i % kShards));
  }
  std::set<std::string> ids;
  int fresh = 0;
  for (auto& answer : answers) {
    const Commit done = answer.get().value();
    ids.insert(message_of(done).id.str());
    fresh += done.repeated ? 0 : 1;
  }
  EXPECT_EQ(ids.size(), 3u);
  EXPECT_EQ(fresh, 3);
  EXPECT_EQ(wait(store().history(RoomId("r"), user_id("ali"), {}))->messages.size(), 3u);
}

TEST_P(StoreContract, TakesLongAndOddContent) {
  add_user("ali");
  create_room("r", "ali");
  std::string longest;
  for (int i = 0; i < 20'000; ++i) longest += "🙂";
  const std::vector<std::string> odd = {longest,   "", "'; DROP TABLE messages; --", "a\tb\r\nc", "\u202eright to left",
                                        "𐍈%_*\"\\"};
  for (const std::string& content : odd) send("r", "ali", content);
  EXPECT_EQ(contents(wait(store().history(RoomId("r"), user_id("ali"), {}))->messages), odd);
}

TEST_P(StoreContract, GivesAnyPageOfTheHistory) {
  add_user("ali");
  create_room("r", "ali");
  for (int i = 1; i <= 10; ++i) send("r", "ali", std::to_string(i));
  struct Case {
    From from;
    std::int64_t seq;
    int limit;
    std::string expected;
  };
  const Case cases[] = {
      {From::newest, 0, 3, "older 8 9 10"},
      {From::newest, 0, 10, "1 2 3 4 5 6 7 8 9 10"},
      {From::newest, 0, 500, "1 2 3 4 5 6 7 8 9 10"},
      {From::before, 8, 3, "older 5 6 7 newer"},
      {From::before, 4, 3, "1 2 3 newer"},
      {From::before, 2, 3, "1 newer"},
      {From::before, 1, 3, "newer"},
      {From::before, 0, 3, "newer"},
      {From::before, 11, 2, "older 9 10"},
      {From::before, 999, 2, "older 9 10"},
      {From::before, INT64_MAX, 2, "older 9 10"},
      {From::after, 0, 3, "1 2 3 newer"},
      {From::after, 3, 3, "older 4 5 6 newer"},
      {From::after, 7, 3, "older 8 9 10"},
      {From::after, 8, 3, "older 9 10"},
      {From::after, 10, 3, "older"},
      {From::after, INT64_MAX, 3, "older"},
      {From::around, 5, 3, "older 4 5 6 newer"},
      {From::around, 5, 4, "older 3 4 5 6 newer"},
      {From::around, 5, 1, "older 5 newer"},
      {From::around, 1, 3, "1 2 3 newer"},
      {From::around, 10, 3, "older 8 9 10"},
      {From::around, 999, 3, "older 8 9 10"},
      {From::around, 0, 3, "1 2 3 newer"},
  };
  for (const Case& c : cases) {
    const auto page = wait(store().history(RoomId("r"), user_id("ali"), {c.from, Seq{c.seq}, c.limit})).value();
    std::string text = page.has_older ? "older" : "";
    for (const Message& one : page.messages) text += (text.empty() ? "" : " ") + one.content;
    if (page.has_newer) text += text.empty() ? "newer" : " newer";
    EXPECT_EQ(text, c.expected) << &c - cases;
  }
}

TEST_P(StoreContract, APageOfLongMessagesEndsAtItsBytes) {
  add_user("ali");
  create_room("r", "ali");
  // Each weighs 400 bytes, 602 of content, as it is written in JSON, and 18 of the sender.
  for (int i = 1; i <= 10; ++i) send("r", "ali", std::string(100, '\x01'));
  struct Case {
    From from;
    std::int64_t seq;
    int limit;
    std::size_t bytes;
    std::string expected;
  };
  const Case cases[] = {
      {From::newest, 0, 500, 3'060, "older 8 9 10"},
      {From::newest, 0, 500, 3'059, "older 9 10"},
      {From::newest, 0, 500, 1, "older 10"},
      {From::newest, 0, 2, 3'060, "older 9 10"},
      {From::before, 8, 500, 3'060, "older 5 6 7 newer"},
      {From::before, 4, 500, 3'060, "1 2 3 newer"},
      {From::before, 3, 500, 1, "older 2 newer"},
      {From::after, 3, 500, 3'060, "older 4 5 6 newer"},
      {From::after, 0, 500, 1, "1 newer"},
      {From::after, 7, 500, 3'060, "older 8 9 10"},
      {From::around, 5, 500, 3'060, "older 4 5 6 newer"},
      {From::around, 5, 500, 4'080, "older 4 5 6 7 newer"},
      {From::around, 5, 500, 1, "older 5 newer"},
      {From::around, 1, 500, 3'060, "1 2 3 newer"},
      {From::around, 10, 500, 3'060, "older 8 9 10"},
      {From::around, 999, 500, 1, "older 10"},
  };
  for (const Case& c : cases) {
    const auto page = wait(store().history(RoomId("r"), user_id("ali"), {c.from, Seq{c.seq}, c.limit, c.bytes})).value();
    std::string text = page.has_older ? "older" : "";
    for (const Message& one : page.messages) text += (text.empty() ? "" : " ") + std::to_string(one.seq.value);
    if (page.has_newer) text += text.empty() ? "newer" : " newer";
    EXPECT_EQ(text, c.expected) << &c - cases;
  }
}

// Mentions, reactions and attachments come from tables of their own, read along with the messages in either direction.
TEST_P(StoreContract, APageHoldsTheWholeOfEachMessageWhicheverWayItIsRead) {
  for (const char* name : {"ali", "sara"}) add_user(name);
  create_room("r", "ali", {"sara"});
  for (int i = 0; i < 3; ++i) {
    const std::string id = "f" + std::to_string(i);
    wait(store().create_upload({UploadId(id), user_id("ali"), id + ".png", "image/png", 1, {}, {}, at(0)}));
  }
  std::vector<Message> expected;
  for (int i = 0; i < 5; ++i) {
    SendMessage change = message("r", "ali", i % 2 == 0 ? "@sara and @ali" : "nobody");
    if (i == 1) change.attachments = {UploadId("f0"), UploadId("f1")};
    if (i == 3) change.attachments = {UploadId("f2")};
    const MessageId id = message_of(commit(change).value()).id;
    for (const char* emoji : {"👍", "🎉"}) {
      if (i == 2) ASSERT_TRUE(commit(React{{id, {}}, user_id("sara"), emoji, true, at(5)}));
      if (i != 0) ASSERT_TRUE(commit(React{{id, {}}, user_id("ali"), emoji, true, at(6)}));
    }
    expected.push_back(wait(store().find_message({id, {}}, user_id("ali"))).value());
  }
  EXPECT_THAT(expected[2].mentions, ElementsAre("sara@example.com", "ali@example.com"));
  EXPECT_THAT(expected[1].attachments, SizeIs(2));
  for (const From from : {From::newest, From::after, From::around}) {
    const Seq seq{from == From::around ? 3 : 0};
    EXPECT_EQ(wait(store().history(RoomId("r"), user_id("ali"), {from, seq, 10})).value().messages, expected);
  }
}

TEST_P(StoreContract, ARoomBringsAsManyOfItsLastMessagesAsFit) {
  add_user("ali");
  create_room("r", "ali");
  for (int i = 0; i < 6; ++i) send("r", "ali", std::string(20'000, '\x01'));
  const auto view = wait(store().find_room(RoomId("r"), user_id("ali"), 50)).value();
  ASSERT_THAT(view.messages, SizeIs(4)) << "half a megabyte";
  EXPECT_EQ(view.messages.front().seq, Seq{3});
  EXPECT_EQ(view.messages.back().seq, Seq{6});
}

TEST_P(StoreContract, AListOfRoomsShowsTheBeginningOfALongMessage) {
  for (const char* name : {"ali", "sara"}) add_user(name);
  create_room("r", "ali");
  const auto direct = commit(OpenDirect{RoomId("d"), user_id("ali"), email("sara"), at(1)});
  ASSERT_TRUE(direct);
  std::string beginning;
  for (int i = 0; i < 500; ++i) beginning += "س";
  for (const char* room : {"r", "d"}) send(room, "ali", beginning + "rest");
  for (const RoomKind kind : {RoomKind::group, RoomKind::direct}) {
    const auto rooms = wait(store().rooms_of(user_id("ali"), kind));
    ASSERT_THAT(rooms, SizeIs(1));
    EXPECT_EQ(rooms[0].last_message.value().content, beginning);
  }
  EXPECT_EQ(contents(wait(store().history(RoomId("r"), user_id("ali"), {}))->messages).at(0), beginning + "rest");
}

TEST_P(StoreContract, TheHistoryOfAnEmptyRoomIsEmpty) {
  add_user("ali");
  create_room("r", "ali");
  for (const From from : {From::newest, From::before, From::after, From::around}) {
    const auto page = wait(store().history(RoomId("r"), user_id("ali"), {from, Seq{1}, 10})).value();
    EXPECT_THAT(page.messages, IsEmpty());
    EXPECT_FALSE(page.has_older);
    EXPECT_FALSE(page.has_newer);
  }
}

TEST_P(StoreContract, HidesTheHistoryFromWhoIsNoMember) {
  add_user("ali");
  add_user("eve");
  create_room("r", "ali");
  const auto refused = wait(store().history(RoomId("r"), user_id("eve"), {}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), (Error{Errc::not_found, std::string(rules::kRoomNotFound)}));
  EXPECT_EQ(wait(store().history(RoomId("none"), user_id("ali"), {})).error(), refused.error());
}

}  // namespace
}  // namespace payam::chat
