// Sending, the order of a room, and pages of its history.
#include "chat/store/contract/store_contract.hpp"

namespace payam::chat {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using From = HistoryQuery::From;

TEST_P(StoreContract, SendsAMessage) {
  add_user("ali");
  add_user("sara");
  create_room("r", "ali", {"sara"});
  SendMessage change = message("r", "sara", "سلام 👋");
  const Commit commit = this->commit(change).value();

  Message expected;
  expected.id = change.id;
  expected.room = RoomId("r");
  expected.seq = Seq{1};
  expected.rev = Rev{2};
  expected.sender = "sara@example.com";
  expected.sender_id = user_id("sara");
  expected.content = "سلام 👋";
  expected.timestamp = change.at;
  EXPECT_EQ(commit.entry, (Entry{RoomId("r"), Rev{2}, change.at, user_id("sara"), "sara@example.com", MessageAdded{expected}}));
  EXPECT_FALSE(commit.repeated);
  EXPECT_EQ(commit.after, std::nullopt);
  EXPECT_THAT(wait(store().history(RoomId("r"), user_id("ali"), {}))->messages, ElementsAre(expected));
}

TEST_P(StoreContract, CountsSeqAndRevOfEachRoomWithoutGaps) {
  add_user("ali");
  create_room("r", "ali");
  create_room("other", "ali");
  for (int i = 1; i <= 5; ++i) {
    const Commit commit = send("r", "ali", "text");
    EXPECT_EQ(message_of(commit).seq.value, i);
    EXPECT_EQ(commit.entry.rev.value, i + 1);
  }
  EXPECT_EQ(message_of(send("other", "ali", "text")).seq, Seq{1});
}

}  // namespace
}  // namespace payam::chat
