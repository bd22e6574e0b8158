#include "chat/service/attempt_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "chat/service/audit.hpp"
#include "chat/service/testing/captured_log.hpp"

namespace payam::chat {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class AttemptLogTest : public ::testing::Test {
 protected:
  static SteadyTime at(int seconds) { return SteadyTime(std::chrono::seconds(100'000 + seconds)); }

  testing::CapturedLog log_;
  AttemptLog attempts_;
};

TEST_F(AttemptLogTest, WritesTheFirstAtOnceAndTheOthersOnceAMinute) {
  for (int i = 0; i < 1000; ++i) attempts_.count(Attempt::sign_in_throttled, "192.0.2.1", at(i / 20));  // 0 to 49 s
  EXPECT_THAT(log_.lines(), ElementsAre("info sign_in_throttled address=192.0.2.1 count=1"));
  attempts_.tend(at(59));
  EXPECT_THAT(log_.lines(), SizeIs(1));
  attempts_.tend(at(60));
  attempts_.tend(at(61));
  EXPECT_THAT(log_.lines(), ElementsAre("info sign_in_throttled address=192.0.2.1 count=1",
                                        "info sign_in_throttled address=192.0.2.1 count=999"));
  attempts_.count(Attempt::sign_in_throttled, "192.0.2.1", at(70));
  EXPECT_THAT(log_.lines(), SizeIs(2)) << "the minute since the last line is not over";
  attempts_.count(Attempt::sign_in_throttled, "192.0.2.1", at(120));
  EXPECT_EQ(log_.lines().back(), "info sign_in_throttled address=192.0.2.1 count=2");
}

TEST_F(AttemptLogTest, KindsAndAddressesHaveLinesOfTheirOwn) {
  attempts_.count(Attempt::sign_in_failed, "192.0.2.1", at(0));
  attempts_.count(Attempt::password_wrong, "192.0.2.1", at(0));
  attempts_.count(Attempt::sign_in_failed, "2001:db8::1", at(0));
  attempts_.count(Attempt::sign_in_failed, "2001:db8::2", at(0));  // the same household
  EXPECT_THAT(log_.lines(),
              ElementsAre("info sign_in_failed address=192.0.2.1 count=1", "info password_wrong address=192.0.2.1 count=1",
                          "info sign_in_failed address=2001:db8::/64 count=1"));
}

TEST_F(AttemptLogTest, RemembersABoundedNumberOfAddressesAndLosesNoCount) {
  for (std::size_t i = 0; i < AttemptLog::kMostLines; ++i) {
    for (int twice = 0; twice < 2; ++twice) attempts_.count(Attempt::sign_in_failed, "host " + std::to_string(i), at(0));
  }
  EXPECT_THAT(log_.lines(), SizeIs(AttemptLog::kMostLines));
  attempts_.count(Attempt::sign_in_failed, "one more", at(1));
  EXPECT_THAT(log_.lines(), SizeIs(2 * AttemptLog::kMostLines + 1));
}

TEST(AttemptLog, WritesWhatIsLeftAtTheEnd) {
  const testing::CapturedLog log;
  {
    AttemptLog attempts;
    attempts.count(Attempt::sign_in_failed, "192.0.2.1", SteadyTime(std::chrono::hours(1)));
    attempts.count(Attempt::sign_in_failed, "192.0.2.1", SteadyTime(std::chrono::hours(1)));
  }
  EXPECT_THAT(log.lines(), SizeIs(2));
}

TEST(Audit, ARoleThatChangedIsALine) {
  const testing::CapturedLog log;
  Commit changed;
  changed.entry.room = RoomId("R");
  changed.entry.actor = UserId("U1");
  changed.entry.body = RoleChanged{{UserId("U2"), "omid@example.org", Role::admin}};
  Commit repeated = changed;
  repeated.repeated = true;
  Commit other;
  other.entry.body = RoomUpdated{"name", "topic"};
  log_role_changes(std::vector{changed, repeated, other});
  EXPECT_THAT(log.lines(), ElementsAre("info role_changed room=R user=U2 role=admin by=U1"));
}

}  // namespace
}  // namespace payam::chat
