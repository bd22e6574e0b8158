#include "chat/service/presence.hpp"

#include <gmock/gmock.h>

#include <condition_variable>

#include "chat/service/testing/store_fixture.hpp"

namespace payam::chat {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

struct Announced {
  PresenceChange change;
  std::vector<UserId> audience;
};

class PresenceTest : public testing::StoreFixture {
 protected:
  static constexpr Timestamp kNow{1'790'000'000'000ms};

  ~PresenceTest() override {
    on_shard([this]() -> Task<> {
      presence_.reset();
      co_return;
    });
  }

  std::unique_ptr<Presence> make(int largest_room = 1'000) {
    return std::make_unique<Presence>(
        shards_[0], *store_, tasks_,
        [this](const PresenceChange& change, const std::vector<UserId>& audience) {
          const std::lock_guard lock(mutex_);
          announced_.push_back({change, audience});
          changed_.notify_all();
        },
        PresenceOptions{.grace = 20ms, .collect = 8ms, .largest_room = largest_room, .clock = [] { return kNow; }});
  }

  // Waits for the announcement that `user` is `online`, and gives all there were until then.
  std::vector<Announced> wait_for(const UserId& user, bool online) {
    std::unique_lock lock(mutex_);
    const auto there = [&] {
      return std::ranges::any_of(announced_,
                                 [&](const Announced& a) { return a.change.user == user && a.change.is_online == online; });
    };
    EXPECT_TRUE(changed_.wait_for(lock, 10s, there));
    return announced_;
  }

  std::optional<Timestamp> last_seen(const UserId& user) {
    std::optional<Timestamp> at;
    on_shard([&]() -> Task<> { at = (co_await store_->find_user(user)).value().last_seen; });
    return at;
  }

  const UserId sara_ = make_user("sara"), omid_ = make_user("omid"), nima_ = make_user("nima");
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Announced> announced_;
  std::unique_ptr<Presence> presence_ = make();
};

TEST_F(PresenceTest, TellsThoseOnlineWhoShareARoom) {
  make_room(sara_, {"omid"});
  presence_->connected(omid_, "omid@example.org");
  presence_->connected(nima_, "nima@example.org");
  wait_for(omid_, true), wait_for(nima_, true);
  presence_->connected(sara_, "sara@example.org");
  const auto announced = wait_for(sara_, true).back();
  EXPECT_EQ(announced.change, (PresenceChange{sara_, "sara@example.org", true, std::nullopt}));
  EXPECT_THAT(announced.audience, ElementsAre(omid_));
}

TEST_F(PresenceTest, CountsConnections) {
  presence_->connected(sara_, "sara@example.org");
  presence_->connected(sara_, "sara@example.org");
  presence_->disconnected(sara_);
  EXPECT_TRUE(presence_->is_online(sara_));
  presence_->disconnected(sara_);
  wait_for(sara_, false);
  EXPECT_FALSE(presence_->is_online(sara_));
  EXPECT_EQ(announced_.size(), 2u) << "up once, down once";
}

TEST_F(PresenceTest, StoresWhenSomeoneWasLastSeen) {
  EXPECT_EQ(last_seen(sara_), std::nullopt);
  presence_->connected(sara_, "sara@example.org");
  presence_->disconnected(sara_);
  EXPECT_EQ(wait_for(sara_, false).back().change, (PresenceChange{sara_, "sara@example.org", false, kNow}));
  EXPECT_EQ(last_seen(sara_), kNow);
}

TEST_F(PresenceTest, AReloadIsNoNews) {
  presence_->connected(sara_, "sara@example.org");
  presence_->connected(omid_, "omid@example.org");
  wait_for(sara_, true);
  presence_->disconnected(sara_);
  EXPECT_TRUE(presence_->is_online(sara_)) << "in the grace period";
  presence_->connected(sara_, "sara@example.org");
  // Omid goes after her: when he is announced, her moment has passed.
  presence_->disconnected(omid_);
  for (const auto& [change, audience] : wait_for(omid_, false)) EXPECT_FALSE(change.user == sara_ && !change.is_online);
  EXPECT_TRUE(presence_->is_online(sara_));
  EXPECT_EQ(last_seen(sara_), std::nullopt);
}

TEST_F(PresenceTest, ComesBackAfterHavingGone) {
  presence_->connected(sara_, "sara@example.org");
  presence_->disconnected(sara_);
  wait_for(sara_, false);
  {
    const std::lock_guard lock(mutex_);
    announced_.clear();
  }
  presence_->connected(sara_, "sara@example.org");
  wait_for(sara_, true);
  EXPECT_TRUE(presence_->is_online(sara_));
}

TEST_F(PresenceTest, IsSilentInVeryLargeRooms) {
  make_room(sara_, {"omid", "nima"});
  on_shard([this]() -> Task<> {
    presence_ = make(2);
    co_return;
  });
  presence_->connected(omid_, "omid@example.org");
  wait_for(omid_, true);
  presence_->connected(sara_, "sara@example.org");
  EXPECT_THAT(wait_for(sara_, true).back().audience, IsEmpty());
}

TEST_F(PresenceTest, ListsThoseOnline) {
  presence_->connected(sara_, "sara@example.org");
  presence_->connected(omid_, "omid@example.org");
  const std::vector<UserId> asked{omid_, nima_, sara_};
  EXPECT_THAT(presence_->online_among(asked), ElementsAre("omid@example.org", "sara@example.org"));
}

TEST_F(PresenceTest, AtTheEndEveryoneWasSeenNow) {
  std::vector<UserId> users;
  for (int i = 0; i < 100; ++i) {
    users.push_back(make_user("user" + std::to_string(i)));
    presence_->connected(users.back(), "e");
  }
  presence_->close();
  ASSERT_TRUE(tasks_.wait(10s));
  for (const UserId& user : users) EXPECT_EQ(last_seen(user), kNow);
}

}  // namespace
}  // namespace payam::chat
