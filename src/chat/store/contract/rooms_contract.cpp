// Rooms, their members, direct rooms, and what each user sees of them.
#include "chat/rules.hpp"
#include "chat/store/contract/store_contract.hpp"

namespace payam::chat {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

const Error kNotFound{Errc::not_found, std::string(rules::kRoomNotFound)};

TEST_P(StoreContract, CreatesARoomWithItsCreatorAsOwner) {
  for (const char* name : {"zoe", "ali", "sara"}) add_user(name);
  const CreateRoom create{RoomId("r"),
                          user_id("zoe"),
                          "Office ☕",
                          {"sara@example.com", "ali@example.com", "sara@example.com", "zoe@example.com"},
                          at(9)};
  const Commit created = commit(create).value();

  const Room room{RoomId("r"), RoomKind::group, "Office ☕", "", at(9), Seq{0}, Rev{1}};
  const std::vector<Member> members = {{user_id("ali"), "ali@example.com", "ali", Role::member, Seq{0}},
                                       {user_id("sara"), "sara@example.com", "sara", Role::member, Seq{0}},
                                       {user_id("zoe"), "zoe@example.com", "zoe", Role::owner, Seq{0}}};
  const RoomCreated body{RoomKind::group,
                         "Office ☕",
                         {{user_id("zoe"), "zoe@example.com", Role::owner},
                          {user_id("sara"), "sara@example.com", Role::member},
                          {user_id("ali"), "ali@example.com", Role::member}}};
  EXPECT_EQ(created,
            (Commit{{RoomId("r"), Rev{1}, at(9), user_id("zoe"), "zoe@example.com", body}, false, RoomState{room, members}}));
  restart_if_kept();
  const RoomView view = wait(store().find_room(RoomId("r"), user_id("ali"), 50)).value();
  EXPECT_EQ(view.room, room);
  EXPECT_EQ(view.members, members);
  EXPECT_THAT(view.messages, IsEmpty());
}

TEST_P(StoreContract, CreatesNothingIfAMemberIsUnknown) {
  add_user("ali");
  add_user("sara");
  const CreateRoom create{RoomId("r"), user_id("ali"), "Room", {"sara@example.com", "tpyo@example.com"}, at(1)};
  EXPECT_EQ(commit(create), (Result<Commit>(fail(Errc::bad_request, "User not found: tpyo@example.com"))));
  EXPECT_THAT(wait(store().room_ids_of(user_id("ali"))), IsEmpty());
  EXPECT_THAT(wait(store().room_ids_of(user_id("sara"))), IsEmpty());
  EXPECT_EQ(create_room("r", "ali").entry.rev, Rev{1});
}

TEST_P(StoreContract, CreatingTheSameRoomAgainGivesTheFirst) {
  add_user("ali");
  add_user("eve");
  Commit first = create_room("r", "ali");
  send("r", "ali", "text");
  const Commit again = create_room("r", "ali");
  EXPECT_TRUE(again.repeated);
  EXPECT_EQ(again.entry, first.entry);
  EXPECT_EQ(again.after->room.last_seq, Seq{1});
  EXPECT_EQ(again.after->members.at(0).read_seq, Seq{1});
  EXPECT_EQ(commit(CreateRoom{RoomId("r"), user_id("eve"), "Room", {}, at(1)}),
            (Result<Commit>(fail(Errc::conflict, "The id is taken"))));
  EXPECT_EQ(commit(CreateRoom{RoomId("s"), user_id("nobody"), "Room", {}, at(1)}),
            (Result<Commit>(fail(Errc::bad_request, "User not found"))));
}

TEST_P(StoreContract, ShowsARoomToItsMembersOnly) {
  add_user("ali");
  add_user("eve");
  create_room("r", "ali");
  EXPECT_EQ(wait(store().find_room(RoomId("r"), user_id("eve"), 50)).error(), kNotFound);
  EXPECT_EQ(wait(store().find_room(RoomId("none"), user_id("ali"), 50)).error(), kNotFound);
  EXPECT_TRUE(wait(store().is_member(RoomId("r"), user_id("ali"))));
  EXPECT_FALSE(wait(store().is_member(RoomId("r"), user_id("eve"))));
  EXPECT_FALSE(wait(store().is_member(RoomId("none"), user_id("ali"))));
  EXPECT_FALSE(wait(store().is_member(RoomId("r"), user_id("nobody"))));
}

TEST_P(StoreContract, ShowsTheNewestMessagesOfARoom) {
  add_user("ali");
  create_room("r", "ali");
  for (int i = 1; i <= 5; ++i) send("r", "ali", std::to_string(i));
  const RoomView view = wait(store().find_room(RoomId("r"), user_id("ali"), 3)).value();
  EXPECT_THAT(contents(view.messages), ElementsAre("3", "4", "5"));
  EXPECT_EQ(view.room.last_seq, Seq{5});
  EXPECT_EQ(view.room.rev, Rev{6});
  EXPECT_EQ(contents(wait(store().find_room(RoomId("r"), user_id("ali"), 50))->messages).size(), 5u);
  EXPECT_THAT(wait(store().find_room(RoomId("r"), user_id("ali"), 0))->messages, IsEmpty());
}

TEST_P(StoreContract, AddsMembersWhoSeeTheWholeHistoryAsRead) {
  for (const char* name : {"ali", "sara", "bob"}) add_user(name);
  create_room("r", "ali");
  send("r", "ali", "before");
  const AddMembers add{
      RoomId("r"), user_id("ali"), {"sara@example.com", "ali@example.com", "bob@example.com", "sara@example.com"}, at(50)};
  const Commit added = commit(add).value();

  const MembersAdded body{
      {{user_id("sara"), "sara@example.com", Role::member}, {user_id("bob"), "bob@example.com", Role::member}}};
  EXPECT_EQ(added.entry, (Entry{RoomId("r"), Rev{3}, at(50), user_id("ali"), "ali@example.com", body}));
  EXPECT_EQ(added.after->room.rev, Rev{3});
  EXPECT_EQ(added.after->room.last_seq, Seq{1});
  EXPECT_THAT(added.after->members, ElementsAre(Member{user_id("ali"), "ali@example.com", "ali", Role::owner, Seq{1}},
                                                Member{user_id("bob"), "bob@example.com", "bob", Role::member, Seq{1}},
                                                Member{user_id("sara"), "sara@example.com", "sara", Role::member, Seq{1}}));
  EXPECT_THAT(contents(wait(store().history(RoomId("r"), user_id("sara"), {}))->messages), ElementsAre("before"));
  EXPECT_EQ(wait(store().rooms_of(user_id("sara"), RoomKind::group)).at(0).unread_count, 0);
  EXPECT_EQ(message_of(send("r", "bob", "hello")).rev, Rev{4});
}

TEST_P(StoreContract, AddingThoseWhoAreMembersChangesNothing) {
  add_user("ali");
  add_user("sara");
  create_room("r", "ali", {"sara"});
  const Commit nothing = commit(AddMembers{RoomId("r"), user_id("ali"), {"sara@example.com"}, at(50)}).value();
  EXPECT_TRUE(nothing.repeated);
  EXPECT_EQ(nothing.entry.rev, Rev{1});
  EXPECT_EQ(nothing.entry.body, EntryBody{MembersAdded{}});
  EXPECT_THAT(emails(nothing.after->members), ElementsAre("ali@example.com", "sara@example.com"));
  EXPECT_EQ(message_of(send("r", "ali", "x")).rev, Rev{2});
}

TEST_P(StoreContract, RefusesToAddMembers) {
  for (const char* name : {"ali", "sara", "bob", "eve"}) add_user(name);
  create_room("r", "ali", {"sara"});
  const auto add = [&](const char* room, const char* actor, std::vector<std::string> who) {
    const auto result = commit(AddMembers{RoomId(room), user_id(actor), std::move(who), at(50)});
    return result ? Error{} : result.error();
  };
  EXPECT_EQ(add("r", "sara", {"bob@example.com"}).code, Errc::forbidden);
  EXPECT_EQ(add("r", "eve", {"bob@example.com"}), (Error{Errc::not_member, std::string(rules::kRoomNotFound)}));
  EXPECT_EQ(add("none", "ali", {"bob@example.com"}), kNotFound);
  EXPECT_EQ(add("r", "ali", {"bob@example.com", "tpyo@example.com"}),
            (Error{Errc::bad_request, "User not found: tpyo@example.com"}));
  EXPECT_FALSE(wait(store().is_member(RoomId("r"), user_id("bob"))));
}

TEST_P(StoreContract, RemovesAMember) {
  for (const char* name : {"ali", "sara", "bob"}) add_user(name);
  create_room("r", "ali", {"sara", "bob"});
  send("r", "sara", "bye");
  const Commit removed = commit(RemoveMember{RoomId("r"), user_id("ali"), "sara@example.com", at(50)}).value();
  EXPECT_EQ(removed.entry, (Entry{RoomId("r"), Rev{3}, at(50), user_id("ali"), "ali@example.com",
                                  MemberRemoved{{user_id("sara"), "sara@example.com", Role::member}}}));
  EXPECT_THAT(emails(removed.after->members), ElementsAre("ali@example.com", "bob@example.com"));
  EXPECT_EQ(removed.after->room.rev, Rev{3});

  EXPECT_FALSE(wait(store().is_member(RoomId("r"), user_id("sara"))));
  EXPECT_THAT(wait(store().room_ids_of(user_id("sara"))), IsEmpty());
  EXPECT_THAT(wait(store().rooms_of(user_id("sara"), RoomKind::group)), IsEmpty());
  EXPECT_EQ(wait(store().history(RoomId("r"), user_id("sara"), {})).error(), kNotFound);
  EXPECT_EQ(wait(store().messages_after(RoomId("r"), user_id("sara"), Seq{0}, {})).error(), kNotFound);
  EXPECT_EQ(wait(store().changes_after(RoomId("r"), user_id("sara"), Rev{0}, {})).error(), kNotFound);
  EXPECT_EQ(commit(message("r", "sara", "still here")).error().code, Errc::not_member);
  EXPECT_THAT(contents(wait(store().history(RoomId("r"), user_id("ali"), {}))->messages), ElementsAre("bye"));
}

TEST_P(StoreContract, WhoWasRemovedMayBeAddedAgain) {
  add_user("ali");
  add_user("sara");
  create_room("r", "ali", {"sara"});
  ASSERT_TRUE(commit(RemoveMember{RoomId("r"), user_id("sara"), "sara@example.com", at(50)}));
  send("r", "ali", "alone");
  ASSERT_TRUE(commit(AddMembers{RoomId("r"), user_id("ali"), {"sara@example.com"}, at(51)}));
  EXPECT_EQ(message_of(send("r", "sara", "back")).rev, Rev{5});
  EXPECT_THAT(contents(wait(store().history(RoomId("r"), user_id("sara"), {}))->messages), ElementsAre("alone", "back"));
}

TEST_P(StoreContract, RefusesToRemove) {
  for (const char* name : {"ali", "sara", "bob", "eve"}) add_user(name);
  create_room("r", "ali", {"sara", "bob"});
  const auto remove = [&](const char* room, const char* actor, const char* who) {
    const auto result = commit(RemoveMember{RoomId(room), user_id(actor), email(who), at(50)});
    return result ? Error{} : result.error();
  };
  EXPECT_EQ(remove("r", "sara", "bob").code, Errc::forbidden);
  EXPECT_EQ(remove("r", "ali", "eve").code, Errc::not_found);
  EXPECT_EQ(remove("r", "ali", "nobody").code, Errc::not_found);
  EXPECT_EQ(remove("r", "ali", "ali").code, Errc::conflict);
  EXPECT_EQ(remove("r", "eve", "sara").code, Errc::not_member);
  EXPECT_EQ(remove("r", "eve", "eve").code, Errc::not_member);
  EXPECT_EQ(remove("none", "ali", "sara"), kNotFound);
  EXPECT_EQ(message_of(send("r", "bob", "x")).rev, Rev{2});
}

TEST_P(StoreContract, OpensOneDirectRoomForAPair) {
  add_user("sara");
  add_user("ali");
  const Commit opened = commit(OpenDirect{RoomId("d1"), user_id("ali"), "sara@example.com", at(5)}).value();
  const RoomCreated body{
      RoomKind::direct,
      "",
      {{user_id("ali"), "ali@example.com", Role::member}, {user_id("sara"), "sara@example.com", Role::member}}};
  EXPECT_EQ(opened.entry, (Entry{RoomId("d1"), Rev{1}, at(5), user_id("ali"), "ali@example.com", body}));
  EXPECT_EQ(opened.after->room, (Room{RoomId("d1"), RoomKind::direct, "", "", at(5), Seq{0}, Rev{1}}));
  EXPECT_FALSE(opened.repeated);
  send("d1", "sara", "hi");

  restart_if_kept();
  const Commit again = commit(OpenDirect{RoomId("d2"), user_id("sara"), "ali@example.com", at(6)}).value();
  EXPECT_TRUE(again.repeated);
  EXPECT_EQ(again.entry, opened.entry);
  EXPECT_EQ(again.after->room.last_seq, Seq{1});
  EXPECT_THAT(emails(again.after->members), ElementsAre("ali@example.com", "sara@example.com"));
  EXPECT_THAT(wait(store().room_ids_of(user_id("sara"))), ElementsAre(RoomId("d1")));
}

TEST_P(StoreContract, RefusesADirectRoomWithNobodyOrOneself) {
  add_user("ali");
  EXPECT_EQ(commit(OpenDirect{RoomId("d"), user_id("ali"), "tpyo@example.com", at(5)}),
            (Result<Commit>(fail(Errc::bad_request, "User not found: tpyo@example.com"))));
  EXPECT_EQ(commit(OpenDirect{RoomId("d"), user_id("ali"), "ali@example.com", at(5)}),
            (Result<Commit>(fail(Errc::bad_request, "A private chat needs someone else"))));
  EXPECT_EQ(commit(OpenDirect{RoomId("d"), user_id("nobody"), "ali@example.com", at(5)}),
            (Result<Commit>(fail(Errc::bad_request, "User not found"))));
}

TEST_P(StoreContract, ADirectRoomKeepsItsTwo) {
  for (const char* name : {"ali", "sara", "bob"}) add_user(name);
  ASSERT_TRUE(commit(OpenDirect{RoomId("d"), user_id("ali"), "sara@example.com", at(5)}));
  EXPECT_EQ(commit(AddMembers{RoomId("d"), user_id("ali"), {"bob@example.com"}, at(6)}).error().code, Errc::conflict);
  EXPECT_EQ(commit(RemoveMember{RoomId("d"), user_id("ali"), "sara@example.com", at(6)}).error().code, Errc::conflict);
  EXPECT_EQ(commit(RemoveMember{RoomId("d"), user_id("ali"), "ali@example.com", at(6)}).error().code, Errc::conflict);
}

TEST_P(StoreContract, ListsRoomsByLatestActivity) {
  for (const char* name : {"ali", "sara", "bob"}) add_user(name);
  create_room("r1", "ali", {"sara"});
  create_room("r2", "ali", {"sara"});
  create_room("r3", "sara");
  ASSERT_TRUE(commit(OpenDirect{RoomId("d1"), user_id("ali"), "sara@example.com", at(5)}));
  ASSERT_TRUE(commit(OpenDirect{RoomId("d2"), user_id("bob"), "ali@example.com", at(6)}));
  const Commit last = send("r1", "sara", "in the first");
  send("d1", "ali", "in the direct");

  const auto rooms = wait(store().rooms_of(user_id("ali"), RoomKind::group));
  ASSERT_EQ(rooms.size(), 2u);
  EXPECT_EQ(rooms[0].room, (Room{RoomId("r1"), RoomKind::group, "Room r1", "", at(1), Seq{1}, Rev{2}}));
  EXPECT_EQ(rooms[0].last_message, message_of(last));
  EXPECT_EQ(rooms[0].unread_count, 1);
  EXPECT_EQ(rooms[0].other, std::nullopt);
  EXPECT_EQ(rooms[1].room.id, RoomId("r2"));
  EXPECT_EQ(rooms[1].last_message, std::nullopt);

  const auto direct = wait(store().rooms_of(user_id("ali"), RoomKind::direct));
  ASSERT_EQ(direct.size(), 2u);
  EXPECT_EQ(direct[0].room.id, RoomId("d1"));
  EXPECT_EQ(direct[0].other->email, "sara@example.com");
  EXPECT_EQ(direct[0].unread_count, 0);
  EXPECT_EQ(direct[1].room.id, RoomId("d2"));
  EXPECT_EQ(direct[1].other->email, "bob@example.com");
  EXPECT_THAT(wait(store().room_ids_of(user_id("ali"))),
              UnorderedElementsAre(RoomId("r1"), RoomId("r2"), RoomId("d1"), RoomId("d2")));
  EXPECT_THAT(wait(store().room_ids_of(user_id("nobody"))), IsEmpty());
}

TEST_P(StoreContract, CountsWhatOthersSentSinceMyLastMessageAsUnread) {
  add_user("ali");
  add_user("sara");
  create_room("r", "ali", {"sara"});
  const auto unread = [&](const char* name) {
    return wait(store().rooms_of(user_id(name), RoomKind::group)).at(0).unread_count;
  };
  for (int i = 0; i < 3; ++i) send("r", "ali", "x");
  EXPECT_EQ(unread("ali"), 0);
  EXPECT_EQ(unread("sara"), 3);
  send("r", "sara", "answer");
  EXPECT_EQ(unread("ali"), 1);
  EXPECT_EQ(unread("sara"), 0);
  restart_if_kept();
  EXPECT_EQ(unread("ali"), 1);
  EXPECT_EQ(unread("sara"), 0);
}

TEST_P(StoreContract, KnowsWhoSharesRooms) {
  for (const char* name : {"ali", "sara", "bob", "zoe", "eve"}) add_user(name);
  create_room("small", "ali", {"sara"});
  create_room("also-small", "ali", {"sara"});
  create_room("large", "ali", {"sara", "bob", "zoe"});
  create_room("others", "zoe", {"eve"});
  EXPECT_THAT(wait(store().contacts_of(user_id("ali"), 4)),
              UnorderedElementsAre(user_id("sara"), user_id("bob"), user_id("zoe")));
  EXPECT_THAT(wait(store().contacts_of(user_id("ali"), 3)), ElementsAre(user_id("sara")));
  EXPECT_THAT(wait(store().contacts_of(user_id("eve"), 100)), ElementsAre(user_id("zoe")));
  EXPECT_THAT(wait(store().contacts_of(user_id("nobody"), 100)), IsEmpty());
}

}  // namespace
}  // namespace payam::chat
