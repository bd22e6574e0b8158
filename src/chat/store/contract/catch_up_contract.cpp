// What a client that comes back has missed, by seq and by rev.
#include <map>
#include <random>

#include "chat/rules.hpp"
#include "chat/store/contract/store_contract.hpp"

namespace payam::chat {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::int64_t> revs(const std::vector<Entry>& entries) {
  std::vector<std::int64_t> result;
  for (const Entry& entry : entries) result.push_back(entry.rev.value);
  return result;
}

TEST_P(StoreContract, GivesTheMessagesAfterASeq) {
  add_user("ali");
  create_room("r", "ali");
  const auto after = [&](std::int64_t seq, CatchUpLimit limit) {
    return wait(store().messages_after(RoomId("r"), user_id("ali"), Seq{seq}, limit)).value();
  };
  const CatchUp nothing = after(0, {});
  EXPECT_THAT(nothing.messages, IsEmpty());
  EXPECT_EQ(nothing.seq, Seq{0});
  EXPECT_EQ(nothing.rev, Rev{1});
  EXPECT_FALSE(nothing.more);

  std::vector<Message> sent;
  for (int i = 1; i <= 5; ++i) sent.push_back(message_of(send("r", "ali", std::to_string(i))));
  const CatchUp all = after(0, {});
  EXPECT_EQ(all.messages, sent);
  EXPECT_EQ(all.seq, Seq{5});
  EXPECT_EQ(all.rev, Rev{6});
  EXPECT_FALSE(all.more);
  EXPECT_THAT(all.changes, IsEmpty());
  EXPECT_THAT(contents(after(3, {}).messages), ElementsAre("4", "5"));
  EXPECT_THAT(contents(after(-7, {}).messages), ElementsAre("1", "2", "3", "4", "5"));
  for (const std::int64_t seq : {std::int64_t{5}, std::int64_t{6}, INT64_MAX}) {
    const CatchUp none = after(seq, {});
    EXPECT_THAT(none.messages, IsEmpty());
    EXPECT_EQ(none.seq, Seq{5});
    EXPECT_EQ(none.rev, Rev{6});
    EXPECT_FALSE(none.more);
  }
}

TEST_P(StoreContract, CutsTheMessagesAfterASeqAtItsLimits) {
  for (const char* name : {"ali", "sara"}) add_user(name);
  create_room("r", "ali");
  const std::vector<std::string> texts = {"aaaa", "bbbb", "cccc", "dddd"};
  for (const std::string& text : texts) send("r", "ali", text);
  ASSERT_TRUE(commit(AddMembers{RoomId("r"), user_id("ali"), {"sara@example.com"}, at(1)}));
  // Each weighs 400 bytes, and its content and its sender's e-mail in quotes, and a comma: 424.
  struct Case {
    std::int64_t after;
    CatchUpLimit limit;
    std::vector<std::string> expected;
    Seq seq;
    Rev rev;
    bool more;
  };
  const Case cases[] = {
      {0, {3, 10'000}, {"aaaa", "bbbb", "cccc"}, Seq{3}, Rev{4}, true},
      {0, {4, 10'000}, {"aaaa", "bbbb", "cccc", "dddd"}, Seq{4}, Rev{6}, false},
      {1, {3, 10'000}, {"bbbb", "cccc", "dddd"}, Seq{4}, Rev{6}, false},
      {1, {2, 10'000}, {"bbbb", "cccc"}, Seq{3}, Rev{4}, true},
      {0, {500, 1}, {"aaaa"}, Seq{1}, Rev{2}, true},
      {0, {500, 1'271}, {"aaaa", "bbbb"}, Seq{2}, Rev{3}, true},
      {0, {500, 1'272}, {"aaaa", "bbbb", "cccc"}, Seq{3}, Rev{4}, true},
      {2, {500, 848}, {"cccc", "dddd"}, Seq{4}, Rev{6}, false},
      {3, {500, 1}, {"dddd"}, Seq{4}, Rev{6}, false},
  };
  for (const Case& c : cases) {
    const CatchUp page = wait(store().messages_after(RoomId("r"), user_id("ali"), Seq{c.after}, c.limit)).value();
    EXPECT_EQ(contents(page.messages), c.expected) << &c - cases;
    EXPECT_EQ(page.seq, c.seq) << &c - cases;
    EXPECT_EQ(page.rev, c.rev) << &c - cases;
    EXPECT_EQ(page.more, c.more) << &c - cases;
  }
}

// Revs of the room used below: 1 created, 2 "m1", 3 sara added, 4 "m2", 5 "m3", 6 sara removed, 7 "m4".
TEST_P(StoreContract, GivesEveryChangeAfterARev) {
  add_user("ali");
  add_user("sara");
  const Entry created = create_room("r", "ali").entry;
  const Message m1 = message_of(send("r", "ali", "m1"));
  const Entry added = commit(AddMembers{RoomId("r"), user_id("ali"), {"sara@example.com"}, at(3)})->entry;
  const Message m2 = message_of(send("r", "sara", "m2"));
  const Message m3 = message_of(send("r", "ali", "m3"));
  const Entry removed = commit(RemoveMember{RoomId("r"), user_id("ali"), "sara@example.com", at(6)})->entry;
  const Message m4 = message_of(send("r", "ali", "m4"));
  restart_if_kept();
  struct Case {
    std::int64_t after;
    CatchUpLimit limit;
    std::vector<Message> messages;
    std::vector<Entry> changes;
    Seq seq;
    Rev rev;
    bool more;
  };
  const Case cases[] = {
      {0, {}, {m1, m2, m3, m4}, {created, added, removed}, Seq{4}, Rev{7}, false},
      {-5, {}, {m1, m2, m3, m4}, {created, added, removed}, Seq{4}, Rev{7}, false},
      {1, {}, {m1, m2, m3, m4}, {added, removed}, Seq{4}, Rev{7}, false},
      {2, {}, {m2, m3, m4}, {added, removed}, Seq{4}, Rev{7}, false},
      {3, {}, {m2, m3, m4}, {removed}, Seq{4}, Rev{7}, false},
      {4, {}, {m3, m4}, {removed}, Seq{4}, Rev{7}, false},
      {5, {}, {m4}, {removed}, Seq{4}, Rev{7}, false},
      {6, {}, {m4}, {}, Seq{4}, Rev{7}, false},
      {7, {}, {}, {}, Seq{4}, Rev{7}, false},
      {8, {}, {}, {}, Seq{4}, Rev{7}, false},
      {INT64_MAX, {}, {}, {}, Seq{4}, Rev{7}, false},
      {0, {1, 10'000}, {}, {created}, Seq{0}, Rev{1}, true},
      {0, {2, 10'000}, {m1}, {created}, Seq{1}, Rev{2}, true},
      {0, {3, 10'000}, {m1}, {created, added}, Seq{1}, Rev{3}, true},
      {0, {6, 10'000}, {m1, m2, m3}, {created, added, removed}, Seq{3}, Rev{6}, true},
      {0, {7, 10'000}, {m1, m2, m3, m4}, {created, added, removed}, Seq{4}, Rev{7}, false},
      {5, {1, 10'000}, {}, {removed}, Seq{3}, Rev{6}, true},
      {3, {500, 844}, {m2}, {}, Seq{2}, Rev{4}, true},  // m2 weighs 423 bytes, m3 422
      {3, {500, 845}, {m2, m3}, {}, Seq{3}, Rev{5}, true},
      {2, {500, 1}, {}, {added}, Seq{1}, Rev{3}, true},
      {6, {1, 1}, {m4}, {}, Seq{4}, Rev{7}, false},
  };
  for (const Case& c : cases) {
    const CatchUp page = wait(store().changes_after(RoomId("r"), user_id("ali"), Rev{c.after}, c.limit)).value();
    EXPECT_EQ(page.messages, c.messages) << &c - cases;
    EXPECT_EQ(revs(page.changes), revs(c.changes)) << &c - cases;
    EXPECT_EQ(page.changes, c.changes) << &c - cases;
    EXPECT_EQ(page.seq, c.seq) << &c - cases;
    EXPECT_EQ(page.rev, c.rev) << &c - cases;
    EXPECT_EQ(page.more, c.more) << &c - cases;
  }
}

TEST_P(StoreContract, WhatIsCaughtUpWithEndsAtAboutAMegabyte) {
  add_user("ali");
  create_room("r", "ali");
  constexpr int kMessages = 20;
  for (int i = 0; i < kMessages; ++i) send("r", "ali", std::string(20'000, '\x01'));  // 120 kB of JSON each
  std::size_t messages = 0;
  for (Seq seq; seq < Seq{kMessages};) {
    const CatchUp page = wait(store().messages_after(RoomId("r"), user_id("ali"), seq, {})).value();
    ASSERT_FALSE(page.messages.empty());
    EXPECT_LE(page.messages.size(), 8u);
    EXPECT_EQ(page.messages.front().seq, seq.next());
    EXPECT_EQ(page.more, page.seq < Seq{kMessages});
    messages += page.messages.size();
    seq = page.seq;
  }
  EXPECT_EQ(messages, 20u);
  messages = 0;
  for (Rev rev; rev < Rev{kMessages + 1};) {
    const CatchUp page = wait(store().changes_after(RoomId("r"), user_id("ali"), rev, {})).value();
    ASSERT_GT(page.rev, rev);
    EXPECT_LE(page.messages.size(), 8u);
    EXPECT_EQ(page.more, page.rev < Rev{kMessages + 1});
    messages += page.messages.size();
    rev = page.rev;
  }
  EXPECT_EQ(messages, 20u);
}

TEST_P(StoreContract, GivesAMemberAddedLaterEverythingFromTheBeginning) {
  add_user("ali");
  add_user("sara");
  create_room("r", "ali");
  send("r", "ali", "before");
  ASSERT_TRUE(commit(AddMembers{RoomId("r"), user_id("ali"), {"sara@example.com"}, at(3)}));
  const CatchUp all = wait(store().changes_after(RoomId("r"), user_id("sara"), Rev{0}, {})).value();
  EXPECT_THAT(contents(all.messages), ElementsAre("before"));
  EXPECT_THAT(revs(all.changes), ElementsAre(1, 3));
}

TEST_P(StoreContract, CatchingUpIsForMembersOnly) {
  add_user("ali");
  add_user("eve");
  create_room("r", "ali");
  const Error expected{Errc::not_found, std::string(rules::kRoomNotFound)};
  EXPECT_EQ(wait(store().messages_after(RoomId("r"), user_id("eve"), Seq{0}, {})).error(), expected);
  EXPECT_EQ(wait(store().changes_after(RoomId("r"), user_id("eve"), Rev{0}, {})).error(), expected);
  EXPECT_EQ(wait(store().changes_after(RoomId("none"), user_id("ali"), Rev{0}, {})).error(), expected);
}

// What a client knows of a room from its log.
class Replica {
 public:
  void apply(const Entry& entry) {
    if (const auto* added = std::get_if<MessageAdded>(&entry.body)) {
      messages_[added->message.seq] = added->message;
    } else if (const auto* updated = std::get_if<MessageUpdated>(&entry.body)) {
      messages_[updated->message.seq] = updated->message;
    } else {
      others_.push_back(entry);
    }
  }
  void apply(const CatchUp& page) {
    for (const Message& message : page.messages) messages_[message.seq] = message;
    for (const Entry& entry : page.changes) apply(entry);
  }
  bool operator==(const Replica&) const = default;

 private:
  std::map<Seq, Message> messages_;
  std::vector<Entry> others_;
};

class RandomPeople {
 public:
  explicit RandomPeople(unsigned seed) : random_(seed) {}

  int below(int limit) { return std::uniform_int_distribution(0, limit - 1)(random_); }
  static std::string name(int number) { return "user" + std::to_string(number); }
  std::string somebody(int of) { return name(below(of)); }

 private:
  std::mt19937 random_;
};

// Random changes by random people in some rooms, with a restart now and then; the rooms' logs are kept beside the store, and
// whoever comes back at any point and catches up in pages of any size then knows what one knows who was there all the time.
TEST_P(StoreContract, CatchingUpMakesUpForAnyAbsence) {
  constexpr int kUsers = 6;
  constexpr int kRooms = 3;
  RandomPeople random(20261123);
  const UserId owner = user_id(RandomPeople::name(0));
  for (int i = 0; i < kUsers; ++i) add_user(RandomPeople::name(i));
  std::vector<std::vector<Entry>> logs;
  for (int i = 0; i < kRooms; ++i) logs.push_back({create_room("r" + std::to_string(i), RandomPeople::name(0)).entry});
  std::vector<Entry> all_entries;
  for (const auto& log : logs) all_entries.push_back(log[0]);
  std::vector<MessageId> sent;

  for (int step = 0; step < 900; ++step) {
    const int number = random.below(kRooms);
    const RoomId room("r" + std::to_string(number));
    const UserId actor = user_id(random.somebody(kUsers));
    const std::string other = email(random.somebody(kUsers));
    const MessageRef message_ref{
        sent.empty() ? MessageId("none")
                     : sent[sent.size() - 1 -
                            static_cast<std::size_t>(random.below(static_cast<int>(std::min<std::size_t>(sent.size(), 20))))],
        std::nullopt};
    const Timestamp now = at(step);
    Change change;
    switch (random.below(12)) {
      case 0:
      case 1: change = AddMembers{room, owner, {other}, now}; break;
      case 2: change = RemoveMember{room, actor, other, now}; break;
      case 3: change = ChangeRole{room, owner, other, random.below(2) == 0 ? Role::admin : Role::member, now}; break;
      case 4: change = UpdateRoom{room, actor, "Room " + std::to_string(random.below(3)), {}, now}; break;
      case 5: change = EditMessage{message_ref, actor, "edit " + std::to_string(step), now}; break;
      case 6: change = React{message_ref, actor, random.below(2) == 0 ? "👍" : "🎉", random.below(3) > 0, now}; break;
      case 7: change = PinMessage{message_ref, actor, random.below(2) == 0, now}; break;
      case 8:
        if (random.below(3) == 0) {
          change = DeleteMessage{message_ref, actor, now};
          break;
        }
        [[fallthrough]];
      default: {
        SendMessage send = message(room.str(), "", std::string(static_cast<std::size_t>(random.below(30)), 'x'));
        send.sender = actor;
        if (random.below(2) == 0) send.client_id = std::to_string(random.below(40));
        change = send;
      }
    }
    const auto result = commit(change);
    if (result && !result->repeated) {
      const auto of = static_cast<std::size_t>(result->entry.room.str()[1] - '0');
      logs[of].push_back(result->entry);
      all_entries.push_back(result->entry);
      if (const auto* added = std::get_if<MessageAdded>(&result->entry.body)) sent.push_back(added->message.id);
    }
    if (step % 300 == 299) restart_if_kept();
  }

  for (std::size_t number = 0; number < kRooms; ++number) {
    const auto& log = logs[number];
    ASSERT_GT(log.size(), 80u);
    Replica always_there;
    for (std::size_t i = 0; i < log.size(); ++i) {
      ASSERT_EQ(log[i].rev.value, static_cast<std::int64_t>(i) + 1);
      always_there.apply(log[i]);
    }
    Replica leaving;
    for (std::size_t left = 0; left <= log.size(); ++left) {
      if (left > 0) leaving.apply(log[left - 1]);
      if (random.below(5) != 0) continue;
      Replica coming_back = leaving;
      Rev rev{static_cast<std::int64_t>(left)};
      CatchUp page;
      do {
        const CatchUpLimit limit{1 + random.below(40), static_cast<std::size_t>(1 + random.below(4'000))};
        page = wait(store().changes_after(RoomId("r" + std::to_string(number)), owner, rev, limit)).value();
        ASSERT_LE(page.messages.size() + page.changes.size(), static_cast<std::size_t>(limit.entries));
        ASSERT_TRUE(page.rev > rev || !page.more);
        coming_back.apply(page);
        rev = page.rev;
      } while (page.more);
      ASSERT_EQ(coming_back, always_there) << "who left at rev " << left;
      ASSERT_EQ(rev.value, static_cast<std::int64_t>(log.size()));
    }
  }
  const auto told = published();
  ASSERT_EQ(told.size(), all_entries.size());
  for (std::size_t i = 0; i < told.size(); ++i) ASSERT_EQ(told[i].entry, all_entries[i]);
}

}  // namespace
}  // namespace payam::chat
