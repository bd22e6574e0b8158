#include "chat/service/messages.hpp"

#include <gmock/gmock.h>

#include "chat/service/testing/store_fixture.hpp"

namespace payam::chat {
namespace {

class MessagesTest : public testing::StoreFixture {
 protected:
  Result<Sent> send(const RoomId& room, std::string content, std::optional<std::string> client_id = {}) {
    Result<Sent> result;
    on_shard([&]() -> Task<> {
      Draft draft{.room = room, .content = content, .client_id = client_id, .reply_to = {}, .attachments = {}};
      result = co_await messages_.send(sara_, std::move(draft));
    });
    return result;
  }
  std::map<RoomId, CatchUp> catch_up(const UserId& viewer, std::map<RoomId, Position> from) {
    std::map<RoomId, CatchUp> result;
    on_shard([&]() -> Task<> { result = co_await messages_.catch_up_all(viewer, from); });
    return result;
  }

  Messages messages_{*store_};
  const UserId sara_ = make_user("sara"), omid_ = make_user("omid");
};

TEST_F(MessagesTest, NothingIsNoMessage) {
  const RoomId room = make_room(sara_, {});
  const auto sent = send(room, "");
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, Errc::invalid);
}

TEST_F(MessagesTest, ARetryIsSaidToBeOne) {
  const RoomId room = make_room(sara_, {});
  EXPECT_FALSE(send(room, "once", "c")->repeated);
  EXPECT_TRUE(send(room, "once", "c")->repeated);
}

TEST_F(MessagesTest, SendsInTheOrderOfTheCalls) {
  const RoomId room = make_room(sara_, {});
  constexpr int kCount = 200;
  std::vector<std::int64_t> seqs(kCount);
  auto one = [](Messages& messages, UserId sender, RoomId where, int number, std::int64_t& seq) -> Task<> {
    Draft draft{.room = where, .content = std::to_string(number), .client_id = {}, .reply_to = {}, .attachments = {}};
    seq = (co_await messages.send(sender, std::move(draft)))->message.seq.value;
  };
  on_shard([&]() -> Task<> {
    for (int i = 0; i < kCount; ++i) tasks_.spawn(shards_[0].executor(), "send", one(messages_, sara_, room, i, seqs[i]));
    co_return;
  });
  ASSERT_TRUE(tasks_.wait(std::chrono::seconds(10)));
  for (int i = 0; i < kCount; ++i) EXPECT_EQ(seqs[static_cast<std::size_t>(i)], i + 1);
}

TEST_F(MessagesTest, CatchesUpInManyRoomsAtOnce) {
  const RoomId by_seq = make_room(sara_, {}), by_rev = make_room(sara_, {"omid"}), not_mine = make_room(omid_, {});
  for (int i = 1; i <= 3; ++i) send(by_seq, "s" + std::to_string(i)), send(by_rev, "r" + std::to_string(i));
  const auto missed = catch_up(sara_, {{by_seq, Seq{1}}, {by_rev, Rev{0}}, {not_mine, Seq{0}}, {RoomId("nowhere"), Rev{0}}});
  ASSERT_EQ(missed.size(), 2u);
  EXPECT_EQ(missed.at(by_seq).messages.size(), 2u);
  EXPECT_EQ(missed.at(by_seq).seq, Seq{3});
  EXPECT_EQ(missed.at(by_rev).messages.size(), 3u);
  EXPECT_EQ(missed.at(by_rev).changes.size(), 1u) << "its creation";
  EXPECT_EQ(missed.at(by_rev).rev, Rev{4});
}

TEST_F(MessagesTest, CatchesUpWithinABound) {
  std::map<RoomId, Position> from;
  for (int room = 0; room < 4; ++room) {
    const RoomId id = make_room(sara_, {});
    for (int i = 0; i < 25; ++i) send(id, std::string(20'000, 'x'));
    from.emplace(id, Seq{0});
  }
  // 100 messages of 20,000 bytes: about half of them fit.
  std::size_t bytes = 0;
  std::map<RoomId, std::size_t> received;
  int rounds = 0;
  for (bool more = true; more && rounds < 10; ++rounds) {
    more = false;
    const auto missed = catch_up(sara_, from);
    EXPECT_EQ(missed.size(), 4u);
    std::size_t round_bytes = 0;
    for (const auto& [room, page] : missed) {
      for (const Message& message : page.messages) round_bytes += message.content.size();
      received[room] += page.messages.size();
      from[room] = page.seq;
      more = more || page.more;
    }
    EXPECT_LE(round_bytes, 1'100'000u);
    bytes += round_bytes;
  }
  EXPECT_EQ(bytes, 2'000'000u) << "nothing is lost or doubled on the way";
  for (const auto& [room, count] : received) EXPECT_EQ(count, 25u);
  EXPECT_LE(rounds, 4);
}

}  // namespace
}  // namespace payam::chat
