#include "socketio/room_index.hpp"

#include <gmock/gmock.h>

#include <map>
#include <random>
#include <set>

namespace payam::sio {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

struct Socket : RoomIndex::Member {};

class RoomIndexTest : public ::testing::Test {
 protected:
  RoomIndexTest() {
    index.add(a, "A");
    index.add(b, "B");
    index.add(c, "C");
  }
  ~RoomIndexTest() override {
    for (Socket* socket : {&a, &b, &c}) index.remove(*socket);
    EXPECT_EQ(index.room_count(), 0u);
  }

  std::multiset<std::string> chosen(std::vector<std::string> rooms, std::vector<std::string> except = {}) {
    std::multiset<std::string> out;
    index.select({std::move(rooms), std::move(except)},
                 [&](RoomIndex::Member& member) { out.insert(RoomIndex::id_of(member)); });
    return out;
  }

  RoomIndex index;
  Socket a, b, c;
};

TEST_F(RoomIndexTest, WithoutRoomsEveryoneIsMeant) { EXPECT_THAT(chosen({}), UnorderedElementsAre("A", "B", "C")); }

TEST_F(RoomIndexTest, ASocketInTwoTargetRoomsGetsOneCopy) {
  index.join(a, "red");
  index.join(a, "blue");
  index.join(b, "blue");
  EXPECT_THAT(chosen({"red", "blue"}), UnorderedElementsAre("A", "B"));
  EXPECT_THAT(chosen({"red", "red"}), UnorderedElementsAre("A"));
}

TEST_F(RoomIndexTest, ExceptTakesAwayFromRoomsAndFromAll) {
  index.join(a, "red");
  index.join(b, "red");
  index.join(b, "muted");
  EXPECT_THAT(chosen({"red"}, {"muted"}), UnorderedElementsAre("A"));
  EXPECT_THAT(chosen({}, {"muted"}), UnorderedElementsAre("A", "C"));
  EXPECT_THAT(chosen({}, {"muted", "A", "C"}), IsEmpty());
}

TEST_F(RoomIndexTest, EveryoneIsInTheRoomOfTheirOwnId) {
  EXPECT_THAT(chosen({"B"}), UnorderedElementsAre("B"));
  EXPECT_THAT(index.rooms_of(b), ElementsAre("B"));
  EXPECT_TRUE(index.in_room(b, "B"));
  EXPECT_TRUE(index.leave(b, "B"));
  EXPECT_FALSE(index.leave(b, "B"));
  EXPECT_THAT(chosen({"B"}), IsEmpty());
  EXPECT_TRUE(index.join(b, "B"));
  EXPECT_THAT(chosen({"B"}), UnorderedElementsAre("B"));
}

TEST_F(RoomIndexTest, OthersMayJoinTheRoomOfAnId) {
  index.join(a, "B");
  EXPECT_THAT(chosen({"B"}), UnorderedElementsAre("A", "B"));
  index.remove(b);
  EXPECT_THAT(chosen({"B"}), UnorderedElementsAre("A"));
}

TEST_F(RoomIndexTest, UnknownRoomsAreEmpty) {
  EXPECT_THAT(chosen({"nowhere"}), IsEmpty());
  EXPECT_FALSE(index.leave(a, "nowhere"));
}

TEST_F(RoomIndexTest, JoiningTwiceIsJoiningOnce) {
  EXPECT_TRUE(index.join(a, "red"));
  EXPECT_FALSE(index.join(a, "red"));
  EXPECT_TRUE(index.leave(a, "red"));
  EXPECT_THAT(chosen({"red"}), IsEmpty());
  EXPECT_EQ(index.room_count(), 0u);
}

TEST_F(RoomIndexTest, NobodyJoinsAfterBeingRemoved) {
  index.remove(a);
  EXPECT_FALSE(index.join(a, "red"));
  EXPECT_EQ(index.room_count(), 0u);
  EXPECT_THAT(index.rooms_of(a), IsEmpty());
  index.remove(a);  // no effect
}

TEST_F(RoomIndexTest, AReplacementTakesIdAndRooms) {
  index.join(a, "red");
  index.join(b, "red");
  index.leave(a, "A");
  Socket successor;
  index.replace(a, successor);
  EXPECT_THAT(chosen({"red"}), UnorderedElementsAre("A", "B"));
  EXPECT_EQ(index.find("A"), &successor);
  EXPECT_THAT(index.rooms_of(successor), ElementsAre("red"));
  EXPECT_FALSE(RoomIndex::contains(a));
  index.remove(successor);
  EXPECT_THAT(chosen({"red"}), UnorderedElementsAre("B"));
}

// A few thousand random steps against the plainest model there is.
TEST(RoomIndex, AgreesWithSetsOfNames) {
  constexpr int kSockets = 12;
  RoomIndex index;
  std::vector<std::unique_ptr<Socket>> sockets(kSockets);
  std::map<int, std::set<std::string>> model;
  std::mt19937 random(7);
  const auto pick = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  const auto room_name = [&] { return "room" + std::to_string(pick(6)); };
  for (int step = 0; step < 5'000; ++step) {
    const int who = pick(kSockets);
    const auto at = static_cast<std::size_t>(who);
    if (sockets[at] == nullptr) {
      sockets[at] = std::make_unique<Socket>();
      index.add(*sockets[at], std::to_string(who));
      model[who] = {std::to_string(who)};
      continue;
    }
    const std::string room = room_name();
    switch (pick(5)) {
      case 0: EXPECT_EQ(index.leave(*sockets[at], room), model[who].erase(room) == 1); break;
      case 1:
        index.remove(*sockets[at]);
        sockets[at].reset();
        model.erase(who);
        break;
      default: EXPECT_EQ(index.join(*sockets[at], room), model[who].insert(room).second);
    }
    const detail::Target target{pick(3) == 0 ? std::vector<std::string>{} : std::vector{room_name(), room_name()},
                                pick(2) == 0 ? std::vector<std::string>{} : std::vector{room_name()}};
    const auto any = [](const std::set<std::string>& rooms, const std::vector<std::string>& of) {
      return std::ranges::any_of(of, [&](const std::string& name) { return rooms.contains(name); });
    };
    std::multiset<std::string> expected, found;
    for (const auto& [id, rooms] : model) {
      if ((target.rooms.empty() || any(rooms, target.rooms)) && !any(rooms, target.except)) expected.insert(std::to_string(id));
    }
    index.select(target, [&](RoomIndex::Member& member) { found.insert(RoomIndex::id_of(member)); });
    ASSERT_EQ(found, expected) << "step " << step;
  }
  for (auto& socket : sockets) {
    if (socket != nullptr) index.remove(*socket);
  }
  EXPECT_EQ(index.room_count(), 0u);
}

}  // namespace
}  // namespace payam::sio
