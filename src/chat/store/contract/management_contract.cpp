// Roles, names, the end of a room, invites, hidden direct rooms.
#include "chat/rules.hpp"
#include "chat/store/contract/store_contract.hpp"

namespace payam::chat {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const Error kRoomNotFound{Errc::not_found, std::string(rules::kRoomNotFound)};

TEST_P(StoreContract, ChangesARole) {
  for (const char* name : {"ali", "sara"}) add_user(name);
  create_room("r", "ali", {"sara"});
  const Commit changed = commit(ChangeRole{RoomId("r"), user_id("ali"), "sara@example.com", Role::admin, at(5)}).value();
  EXPECT_EQ(changed.entry, (Entry{RoomId("r"), Rev{2}, at(5), user_id("ali"), "ali@example.com",
                                  RoleChanged{{user_id("sara"), "sara@example.com", Role::admin}}}));
  EXPECT_EQ(changed.after->room.rev, Rev{2});
  EXPECT_EQ(changed.after->members.at(1).role, Role::admin);
  EXPECT_TRUE(commit(ChangeRole{RoomId("r"), user_id("ali"), "sara@example.com", Role::admin, at(6)})->repeated);
  restart_if_kept();
  EXPECT_EQ(wait(store().find_room(RoomId("r"), user_id("sara"), 0))->members.at(1).role, Role::admin);
  const CatchUp page = wait(store().changes_after(RoomId("r"), user_id("sara"), Rev{1}, {})).value();
  EXPECT_THAT(page.changes, ElementsAre(changed.entry));
  add_user("bob");
  EXPECT_TRUE(commit(AddMembers{RoomId("r"), user_id("sara"), {"bob@example.com"}, at(7)})) << "an admin adds members";
}

TEST_P(StoreContract, RefusesToChangeRoles) {
  for (const char* name : {"ali", "sara", "eve"}) add_user(name);
  create_room("r", "ali", {"sara"});
  const auto change = [&](const char* room, const char* actor, const char* who, Role role) {
    return commit(ChangeRole{RoomId(room), user_id(actor), email(who), role, at(5)}).error().code;
  };
  EXPECT_EQ(change("r", "sara", "sara", Role::owner), Errc::forbidden);
  EXPECT_EQ(change("r", "ali", "ali", Role::member), Errc::conflict);
  EXPECT_EQ(change("r", "ali", "eve", Role::admin), Errc::not_found);
  EXPECT_EQ(change("r", "eve", "sara", Role::admin), Errc::not_member);
  EXPECT_EQ(change("none", "ali", "sara", Role::admin), Errc::not_found);
}

TEST_P(StoreContract, AnOwnerWhoMadeAnotherMayLeave) {
  for (const char* name : {"ali", "sara"}) add_user(name);
  create_room("r", "ali", {"sara"});
  EXPECT_EQ(commit(RemoveMember{RoomId("r"), user_id("ali"), "ali@example.com", at(5)}).error().code, Errc::conflict);
  ASSERT_TRUE(commit(ChangeRole{RoomId("r"), user_id("ali"), "sara@example.com", Role::owner, at(6)}));
  EXPECT_TRUE(commit(RemoveMember{RoomId("r"), user_id("ali"), "ali@example.com", at(7)}));
}

TEST_P(StoreContract, RenamesARoom) {
  for (const char* name : {"ali", "sara"}) add_user(name);
  create_room("r", "ali", {"sara"});
  const Commit renamed = commit(UpdateRoom{RoomId("r"), user_id("ali"), "New", {}, at(5)}).value();
  EXPECT_EQ(renamed.entry, (Entry{RoomId("r"), Rev{2}, at(5), user_id("ali"), "ali@example.com", RoomUpdated{"New", ""}}));
  EXPECT_EQ(renamed.after->room, (Room{RoomId("r"), RoomKind::group, "New", "", at(1), Seq{0}, Rev{2}}));
  const Commit topic = commit(UpdateRoom{RoomId("r"), user_id("ali"), {}, "About", at(6)}).value();
  EXPECT_EQ(topic.entry.body, (EntryBody{RoomUpdated{"New", "About"}}));
  EXPECT_TRUE(commit(UpdateRoom{RoomId("r"), user_id("ali"), "New", "About", at(7)})->repeated);
  EXPECT_TRUE(commit(UpdateRoom{RoomId("r"), user_id("ali"), {}, {}, at(7)})->repeated);
  EXPECT_EQ(commit(UpdateRoom{RoomId("r"), user_id("sara"), "Mine", {}, at(8)}).error().code, Errc::forbidden);
  restart_if_kept();
  EXPECT_EQ(wait(store().find_room(RoomId("r"), user_id("sara"), 0))->room,
            (Room{RoomId("r"), RoomKind::group, "New", "About", at(1), Seq{0}, Rev{3}}));
  EXPECT_THAT(wait(store().changes_after(RoomId("r"), user_id("sara"), Rev{1}, {}))->changes,
              ElementsAre(renamed.entry, topic.entry));
}

TEST_P(StoreContract, ADeletedRoomIsGoneForEveryone) {
  for (const char* name : {"ali", "sara"}) add_user(name);
  create_room("r", "ali", {"sara"});
  create_room("kept", "ali", {"sara"});
  wait(store().create_upload({UploadId("u"), user_id("ali"), "a.png", "image/png", 7, {}, {}, at(0)}));
  for (int i = 0; i < 20; ++i) send("r", "sara", "@ali text");
  const MessageId id = message_of(send("r", "ali", "/media/u/a.png")).id;
  ASSERT_TRUE(commit(React{{id, {}}, user_id("ali"), "👍", true, at(3)}));
  send("kept", "sara", "stays");
  EXPECT_EQ(commit(DeleteRoom{RoomId("r"), user_id("sara"), at(5)}).error().code, Errc::forbidden);
  const Commit deleted = commit(DeleteRoom{RoomId("r"), user_id("ali"), at(5)}).value();
  EXPECT_EQ(deleted.entry, (Entry{RoomId("r"), Rev{24}, at(5), user_id("ali"), "ali@example.com", RoomDeleted{}}));
  EXPECT_THAT(emails(deleted.after->members), ElementsAre("ali@example.com", "sara@example.com"));

  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(commit(DeleteRoom{RoomId("r"), user_id("ali"), at(5)}).error(), kRoomNotFound);
    EXPECT_EQ(commit(message("r", "ali", "x")).error(), kRoomNotFound);
    EXPECT_EQ(commit(EditMessage{{id, {}}, user_id("ali"), "x", at(5)}).error().code, Errc::not_found);
    EXPECT_EQ(wait(store().find_room(RoomId("r"), user_id("ali"), 0)).error(), kRoomNotFound);
    EXPECT_EQ(wait(store().history(RoomId("r"), user_id("ali"), {})).error(), kRoomNotFound);
    EXPECT_THAT(wait(store().room_ids_of(user_id("sara"))), ElementsAre(RoomId("kept")));
    EXPECT_FALSE(wait(store().find_upload(UploadId("u"), user_id("sara"))));
    restart_if_kept();
  }
  // What comes after is not mistaken for what was.
  create_room("new", "ali");
  EXPECT_EQ(commit(message("new", "sara", "x")).error().code, Errc::not_member);
  EXPECT_EQ(message_of(send("new", "ali", "first")).seq, Seq{1});
  EXPECT_THAT(contents(wait(store().history(RoomId("kept"), user_id("ali"), {}))->messages), ElementsAre("stays"));
}

TEST_P(StoreContract, AHiddenDirectRoomComesBackWithItsNextMessage) {
  for (const char* name : {"ali", "sara", "eve"}) add_user(name);
  create_room("r", "ali");
  ASSERT_TRUE(commit(OpenDirect{RoomId("d"), user_id("ali"), "sara@example.com", at(5)}));
  send("d", "sara", "hi");
  const auto shown = [&](const char* user) { return wait(store().rooms_of(user_id(user), RoomKind::direct)).size() == 1; };
  EXPECT_TRUE(wait(store().hide_direct(RoomId("d"), user_id("ali"))));
  EXPECT_FALSE(shown("ali"));
  EXPECT_TRUE(shown("sara"));
  EXPECT_TRUE(wait(store().is_member(RoomId("d"), user_id("ali"))));
  send("d", "sara", "are you there?");
  EXPECT_TRUE(shown("ali"));
  EXPECT_TRUE(wait(store().hide_direct(RoomId("d"), user_id("ali"))));
  restart_if_kept();
  EXPECT_FALSE(shown("ali"));
  EXPECT_TRUE(commit(OpenDirect{RoomId("d2"), user_id("ali"), "sara@example.com", at(6)})->repeated);
  EXPECT_TRUE(shown("ali")) << "who opens it again sees it again";
  EXPECT_EQ(wait(store().hide_direct(RoomId("d"), user_id("eve"))).error(), kRoomNotFound);
  EXPECT_EQ(wait(store().hide_direct(RoomId("r"), user_id("ali"))).error(), kRoomNotFound);
}

TEST_P(StoreContract, JoinsByInvite) {
  for (const char* name : {"ali", "sara", "bob", "zoe"}) add_user(name);
  create_room("r", "ali", {"zoe"});
  send("r", "ali", "before");
  const Invite invite{"hash", RoomId("r"), user_id("ali"), at(2), at(100), 1};
  ASSERT_TRUE(wait(store().create_invite(invite)));
  EXPECT_EQ(wait(store().find_invite("hash")), invite);
  EXPECT_TRUE(commit(JoinByInvite{"hash", user_id("zoe"), at(3)})->repeated) << "a member uses nothing up";
  const Commit joined = commit(JoinByInvite{"hash", user_id("sara"), at(4)}).value();
  EXPECT_EQ(joined.entry, (Entry{RoomId("r"), Rev{3}, at(4), user_id("sara"), "sara@example.com",
                                 MembersAdded{{{user_id("sara"), "sara@example.com", Role::member}}}}));
  EXPECT_EQ(joined.after->members.size(), 3u);
  restart_if_kept();
  EXPECT_EQ(wait(store().find_invite("hash"))->uses_left, 0);
  EXPECT_EQ(commit(JoinByInvite{"hash", user_id("bob"), at(5)}).error().code, Errc::conflict);
  EXPECT_EQ(commit(JoinByInvite{"other", user_id("bob"), at(5)}).error().code, Errc::not_found);
}

TEST_P(StoreContract, AnInviteIsMadeAndEndedByWhoMayAddMembers) {
  for (const char* name : {"ali", "sara", "eve"}) add_user(name);
  create_room("r", "ali", {"sara"});
  Invite invite{"hash", RoomId("r"), user_id("sara"), at(2), at(10), {}};
  EXPECT_EQ(wait(store().create_invite(invite)).error().code, Errc::forbidden);
  invite.creator = user_id("eve");
  EXPECT_EQ(wait(store().create_invite(invite)).error().code, Errc::not_member);
  invite.creator = user_id("ali");
  ASSERT_TRUE(wait(store().create_invite(invite)));
  EXPECT_EQ(commit(JoinByInvite{"hash", user_id("eve"), at(10)}).error().code, Errc::not_found) << "over";
  EXPECT_EQ(wait(store().delete_invite(RoomId("r"), user_id("sara"), "hash")).error().code, Errc::forbidden);
  EXPECT_TRUE(wait(store().delete_invite(RoomId("r"), user_id("ali"), "hash")));
  EXPECT_EQ(wait(store().delete_invite(RoomId("r"), user_id("ali"), "hash")).error().code, Errc::not_found);
  EXPECT_EQ(wait(store().find_invite("hash")), std::nullopt);
}

TEST_P(StoreContract, WhoWasRemovedDoesNotComeBackByAnOldInvite) {
  for (const char* name : {"ali", "sara", "bob"}) add_user(name);
  create_room("r", "ali", {"sara", "bob"});
  ASSERT_TRUE(wait(store().create_invite({"old", RoomId("r"), user_id("ali"), at(2), {}, {}})));
  ASSERT_TRUE(commit(RemoveMember{RoomId("r"), user_id("ali"), "sara@example.com", at(3)}));
  ASSERT_TRUE(commit(RemoveMember{RoomId("r"), user_id("bob"), "bob@example.com", at(3)}));
  EXPECT_EQ(commit(JoinByInvite{"old", user_id("sara"), at(4)}).error().code, Errc::forbidden);
  EXPECT_TRUE(commit(JoinByInvite{"old", user_id("bob"), at(4)})) << "who left may";
  ASSERT_TRUE(wait(store().create_invite({"new", RoomId("r"), user_id("ali"), at(5), {}, {}})));
  EXPECT_TRUE(commit(JoinByInvite{"new", user_id("sara"), at(6)}));
}

}  // namespace
}  // namespace payam::chat
