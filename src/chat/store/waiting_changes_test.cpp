#include "chat/store/waiting_changes.hpp"

#include <gtest/gtest.h>

namespace payam::chat {
namespace {

constexpr WaitingChanges::Limits kLimits{.changes = 10, .bytes = 100, .persons_changes = 3, .persons_bytes = 60};

Change send(const char* sender, std::size_t bytes) {
  return SendMessage{RoomId("r"), UserId(sender), MessageId("m"), std::string(bytes, 'x'), {}, {}, {}, {}};
}

TEST(WaitingChanges, OnePersonHasAPartOfTheQueue) {
  WaitingChanges waiting(kLimits);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(waiting.add(waiting.item(send("ali", 1))));
  EXPECT_FALSE(waiting.add(waiting.item(send("ali", 1))));
  EXPECT_FALSE(waiting.add(waiting.item(DeleteRoom{RoomId("r"), UserId("ali"), {}}))) << "whatever it is";
  EXPECT_TRUE(waiting.add(waiting.item(send("sara", 1))));
  waiting.remove(waiting.item(send("ali", 1)));
  EXPECT_TRUE(waiting.add(waiting.item(send("ali", 1))));
}

TEST(WaitingChanges, ContentCountsForItsPersonAndInAll) {
  WaitingChanges waiting(kLimits);
  EXPECT_FALSE(waiting.add(waiting.item(send("ali", 61))));
  EXPECT_TRUE(waiting.add(waiting.item(send("ali", 60))));
  EXPECT_FALSE(waiting.add(waiting.item(EditMessage{{MessageId("m"), {}}, UserId("ali"), "x", {}})));
  EXPECT_TRUE(waiting.add(waiting.item(PinMessage{{MessageId("m"), {}}, UserId("ali"), true, {}})));
  EXPECT_FALSE(waiting.add(waiting.item(send("sara", 41)))) << "no more than 100 in all";
  EXPECT_TRUE(waiting.add(waiting.item(send("sara", 40))));
}

TEST(WaitingChanges, NamesOfPeopleAreContentToo) {
  WaitingChanges waiting(kLimits);
  const std::vector<std::string> many(7, "ab@example");  // 70 bytes
  EXPECT_FALSE(waiting.add(waiting.item(CreateRoom{RoomId("r"), UserId("ali"), "Room", many, {}})));
  EXPECT_FALSE(waiting.add(waiting.item(AddMembers{RoomId("r"), UserId("ali"), many, {}})));
}

TEST(WaitingChanges, WorkForNobodyHasOnlyTheBoundOfAll) {
  WaitingChanges waiting(kLimits);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(waiting.add({}));
  EXPECT_FALSE(waiting.add({}));
  EXPECT_FALSE(waiting.add(waiting.item(send("ali", 1))));
  waiting.remove({});
  EXPECT_TRUE(waiting.add(waiting.item(send("ali", 1))));
}

TEST(WaitingChanges, EveryKindOfChangeIsItsActors) {
  const UserId ali("ali");
  const Change changes[] = {send("ali", 1),
                            CreateRoom{RoomId("r"), ali, "Room", {}, {}},
                            OpenDirect{RoomId("r"), ali, "b@example.org", {}},
                            AddMembers{RoomId("r"), ali, {}, {}},
                            RemoveMember{RoomId("r"), ali, "b@example.org", {}},
                            JoinByInvite{"hash", ali, {}},
                            ChangeRole{RoomId("r"), ali, "b@example.org", Role::admin, {}},
                            UpdateRoom{RoomId("r"), ali, {}, {}, {}},
                            DeleteRoom{RoomId("r"), ali, {}},
                            EditMessage{{MessageId("m"), {}}, ali, "x", {}},
                            DeleteMessage{{MessageId("m"), {}}, ali, {}},
                            React{{MessageId("m"), {}}, ali, "x", true, {}},
                            PinMessage{{MessageId("m"), {}}, ali, true, {}}};
  static_assert(std::size(changes) == std::variant_size_v<Change>);
  const WaitingChanges waiting(kLimits);
  for (const Change& change : changes)
    EXPECT_EQ(waiting.item(change).places, waiting.item(changes[0]).places) << change.index();
}

}  // namespace
}  // namespace payam::chat
