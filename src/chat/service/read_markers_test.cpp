#include "chat/service/read_markers.hpp"

#include <gmock/gmock.h>

#include <condition_variable>

#include "chat/service/messages.hpp"
#include "chat/service/testing/store_fixture.hpp"

namespace payam::chat {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

class ReadMarkersTest : public testing::StoreFixture {
 protected:
  static constexpr Millis kInterval{200};

  ~ReadMarkersTest() override {
    on_shard([this]() -> Task<> {
      markers_.close();
      co_return;
    });
    EXPECT_TRUE(tasks_.wait(10s));
    shards_.stop();
    shards_.join();
  }

  void send(const RoomId& room, int count) {
    Messages messages(*store_);
    on_shard([&]() -> Task<> {
      for (int i = 0; i < count; ++i) {
        Draft draft{.room = room, .content = "x", .client_id = {}, .reply_to = {}, .attachments = {}};
        EXPECT_TRUE(co_await messages.send(sara_, std::move(draft)));
      }
    });
  }
  Result<Seq> mark(const UserId& user, const std::string& name, const RoomId& room, Seq seq) {
    Result<Seq> reached;
    on_shard([&]() -> Task<> { reached = co_await markers_.mark(user, name + "@example.org", room, seq); });
    return reached;
  }
  // All news until one like this has come.
  std::vector<ReadNews> wait_for(const ReadNews& wanted) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(told_.wait_for(lock, 10s, [&] { return std::ranges::find(news_, wanted) != news_.end(); }));
    return news_;
  }

  const UserId sara_ = make_user("sara"), omid_ = make_user("omid"), nima_ = make_user("nima");
  std::mutex mutex_;
  std::condition_variable told_;
  std::vector<ReadNews> news_;
  std::vector<SteadyTime> times_;
  ReadMarkers markers_{shards_[0],
                       *store_,
                       tasks_,
                       [this](const ReadNews& news) {
                         const std::lock_guard lock(mutex_);
                         news_.push_back(news);
                         times_.push_back(steady_now());
                         told_.notify_all();
                       },
                       {.collect = 8ms, .interval = kInterval, .largest_room = 3}};
};

TEST_F(ReadMarkersTest, MoveForwardOnlyAndNotPastTheEnd) {
  const RoomId room = make_room(sara_, {"omid"});
  send(room, 5);
  EXPECT_EQ(mark(omid_, "omid", room, Seq{3}), Seq{3});
  EXPECT_EQ(mark(omid_, "omid", room, Seq{2}), Seq{3});
  EXPECT_EQ(mark(omid_, "omid", room, Seq{99}), Seq{5});
}

TEST_F(ReadMarkersTest, AreToldTogetherAndTheLastOneOnly) {
  const RoomId room = make_room(sara_, {"omid", "nima"});
  send(room, 50);
  mark(omid_, "omid", room, Seq{1});
  wait_for({room, "omid@example.org", Seq{1}});
  for (int seq = 2; seq <= 50; ++seq) mark(omid_, "omid", room, Seq{seq});
  mark(nima_, "nima", room, Seq{7});
  wait_for({room, "nima@example.org", Seq{7}});
  const auto news = wait_for({room, "omid@example.org", Seq{50}});
  // A slow machine may take longer for the fifty than the interval is.
  std::vector<SteadyTime> of_omid;
  for (std::size_t i = 0; i < news.size(); ++i) {
    if (news[i].email == "omid@example.org") of_omid.push_back(times_[i]);
  }
  for (std::size_t i = 1; i < of_omid.size(); ++i) EXPECT_GE(of_omid[i] - of_omid[i - 1], kInterval - 1ms);
  EXPECT_LT(of_omid.size(), 50u);
}

TEST_F(ReadMarkersTest, WhatDidNotMoveIsNoNews) {
  const RoomId room = make_room(sara_, {"omid"});
  send(room, 2);
  mark(omid_, "omid", room, Seq{2});
  wait_for({room, "omid@example.org", Seq{2}});
  mark(omid_, "omid", room, Seq{1});
  mark(sara_, "sara", room, Seq{2});  // her own messages moved hers
  const RoomId other = make_room(omid_, {"sara"});
  on_shard([&]() -> Task<> {
    Messages messages(*store_);
    Draft draft{.room = other, .content = "x", .client_id = {}, .reply_to = {}, .attachments = {}};
    EXPECT_TRUE(co_await messages.send(omid_, std::move(draft)));
  });
  mark(sara_, "sara", other, Seq{1});
  EXPECT_THAT(wait_for({other, "sara@example.org", Seq{1}}),
              ElementsAre(ReadNews{room, "omid@example.org", Seq{2}}, ReadNews{other, "sara@example.org", Seq{1}}));
}

TEST_F(ReadMarkersTest, LargeRoomsAreNotTold) {
  make_user("dara");
  const RoomId large = make_room(sara_, {"omid", "nima", "dara"}), small = make_room(sara_, {"omid", "nima"});
  send(large, 1), send(small, 1);
  EXPECT_EQ(mark(omid_, "omid", large, Seq{1}), Seq{1});
  mark(omid_, "omid", small, Seq{1});
  EXPECT_THAT(wait_for({small, "omid@example.org", Seq{1}}), ElementsAre(ReadNews{small, "omid@example.org", Seq{1}}));
}

TEST_F(ReadMarkersTest, AreAMembersOnly) {
  const RoomId room = make_room(sara_, {});
  send(room, 1);
  const auto refused = mark(omid_, "omid", room, Seq{1});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "Chat room not found or access denied");
}

}  // namespace
}  // namespace payam::chat
