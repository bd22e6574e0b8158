#include "chat/rules.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace payam::chat::rules {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr MaybeRole kNobody = std::nullopt;
constexpr MaybeRole kMember = Role::member;
constexpr MaybeRole kAdmin = Role::admin;
constexpr MaybeRole kOwner = Role::owner;

// nullopt if allowed.
std::optional<Errc> code_of(const Result<>& result) { return result ? std::nullopt : std::optional(result.error().code); }

TEST(Rules, WhatAddsSomethingWaitsForSpace) {
  EXPECT_TRUE(adds(SendMessage{}));
  EXPECT_TRUE(adds(CreateRoom{}));
  EXPECT_TRUE(adds(OpenDirect{}));
  EXPECT_TRUE(adds(AddMembers{}));
  EXPECT_TRUE(adds(JoinByInvite{}));
  EXPECT_TRUE(adds(UpdateRoom{}));
  EXPECT_TRUE(adds(EditMessage{}));
  EXPECT_TRUE(adds(React{{}, {}, "\U0001F44D", true, {}}));
  EXPECT_TRUE(adds(PinMessage{{}, {}, true, {}}));
  EXPECT_FALSE(adds(RemoveMember{}));
  EXPECT_FALSE(adds(ChangeRole{}));
  EXPECT_FALSE(adds(DeleteRoom{}));
  EXPECT_FALSE(adds(DeleteMessage{}));
  EXPECT_FALSE(adds(React{{}, {}, "\U0001F44D", false, {}}));
  EXPECT_FALSE(adds(PinMessage{{}, {}, false, {}}));
}

TEST(Rules, EveryMemberSendsAndNobodyElse) {
  EXPECT_EQ(code_of(may_send(kNobody)), Errc::not_member);
  EXPECT_EQ(may_send(kNobody).error().message, "Chat room not found or access denied");
  for (const MaybeRole role : {kMember, kAdmin, kOwner}) EXPECT_EQ(code_of(may_send(role)), std::nullopt);
}

TEST(Rules, OwnersAndAdminsAddMembersToGroups) {
  struct Case {
    RoomKind kind;
    MaybeRole actor;
    std::optional<Errc> expected;
  };
  const Case cases[] = {
      {RoomKind::group, kNobody, Errc::not_member},  {RoomKind::group, kMember, Errc::forbidden},
      {RoomKind::group, kAdmin, std::nullopt},       {RoomKind::group, kOwner, std::nullopt},
      {RoomKind::direct, kNobody, Errc::not_member}, {RoomKind::direct, kMember, Errc::conflict},
  };
  for (const Case& c : cases) EXPECT_EQ(code_of(may_add_members(c.kind, c.actor)), c.expected) << &c - cases;
}

TEST(Rules, WhoRemovesWhom) {
  struct Case {
    RoomKind kind;
    MaybeRole actor;
    MaybeRole removed;
    bool leaving;
    int owners;
    std::optional<Errc> expected;
  };
  const auto group = RoomKind::group;
  const Case cases[] = {
      {group, kNobody, kMember, false, 1, Errc::not_member},
      {group, kNobody, kNobody, true, 1, Errc::not_member},
      {group, kMember, kMember, true, 1, std::nullopt},
      {group, kAdmin, kAdmin, true, 1, std::nullopt},
      {group, kMember, kMember, false, 1, Errc::forbidden},
      {group, kMember, kNobody, false, 1, Errc::forbidden},
      {group, kAdmin, kNobody, false, 1, Errc::not_found},
      {group, kAdmin, kMember, false, 1, std::nullopt},
      {group, kAdmin, kAdmin, false, 1, std::nullopt},
      {group, kAdmin, kOwner, false, 2, Errc::forbidden},
      {group, kOwner, kMember, false, 1, std::nullopt},
      {group, kOwner, kAdmin, false, 1, std::nullopt},
      {group, kOwner, kOwner, false, 2, std::nullopt},
      {group, kOwner, kOwner, true, 2, std::nullopt},
      {group, kOwner, kOwner, true, 1, Errc::conflict},
      {RoomKind::direct, kMember, kMember, true, 0, Errc::conflict},
      {RoomKind::direct, kMember, kMember, false, 0, Errc::conflict},
      {RoomKind::direct, kNobody, kMember, false, 0, Errc::not_member},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(code_of(may_remove_member({c.kind, c.actor, c.removed, c.leaving, c.owners})), c.expected) << &c - cases;
  }
}

TEST(Rules, WhoGivesWhichRole) {
  struct Case {
    MaybeRole actor;
    MaybeRole member;
    Role role;
    int owners;
    std::optional<Errc> expected;
  };
  const Case cases[] = {
      {kNobody, kMember, Role::admin, 1, Errc::not_member}, {kMember, kMember, Role::admin, 1, Errc::forbidden},
      {kMember, kMember, Role::member, 1, Errc::forbidden}, {kAdmin, kNobody, Role::admin, 1, Errc::not_found},
      {kAdmin, kMember, Role::admin, 1, std::nullopt},      {kAdmin, kAdmin, Role::member, 1, std::nullopt},
      {kAdmin, kMember, Role::owner, 1, Errc::forbidden},   {kAdmin, kOwner, Role::member, 2, Errc::forbidden},
      {kOwner, kMember, Role::owner, 1, std::nullopt},      {kOwner, kMember, Role::admin, 1, std::nullopt},
      {kOwner, kAdmin, Role::member, 1, std::nullopt},      {kOwner, kOwner, Role::member, 2, std::nullopt},
      {kOwner, kOwner, Role::member, 1, Errc::conflict},    {kOwner, kOwner, Role::owner, 1, std::nullopt},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(code_of(may_change_role({RoomKind::group, c.actor, c.member, c.role, c.owners})), c.expected) << &c - cases;
  }
  EXPECT_EQ(code_of(may_change_role({RoomKind::direct, kMember, kMember, Role::admin, 0})), Errc::conflict);
  EXPECT_EQ(code_of(may_change_role({RoomKind::direct, kNobody, kMember, Role::admin, 0})), Errc::not_member);
}

TEST(Rules, WhoDoesWhatToARoomOrAMessage) {
  struct Case {
    Result<> result;
    std::optional<Errc> expected;
  };
  const auto group = RoomKind::group;
  const auto direct = RoomKind::direct;
  const Case cases[] = {
      {may_update_room(group, kNobody), Errc::not_member}, {may_update_room(group, kMember), Errc::forbidden},
      {may_update_room(group, kAdmin), std::nullopt},      {may_update_room(group, kOwner), std::nullopt},
      {may_update_room(direct, kMember), Errc::conflict},  {may_delete_room(group, kNobody), Errc::not_member},
      {may_delete_room(group, kMember), Errc::forbidden},  {may_delete_room(group, kAdmin), Errc::forbidden},
      {may_delete_room(group, kOwner), std::nullopt},      {may_delete_room(direct, kMember), Errc::conflict},
      {may_edit(kNobody, true, false), Errc::not_member},  {may_edit(kMember, true, false), std::nullopt},
      {may_edit(kMember, true, true), Errc::conflict},     {may_edit(kOwner, false, false), Errc::forbidden},
      {may_delete(kNobody, true), Errc::not_member},       {may_delete(kMember, true), std::nullopt},
      {may_delete(kMember, false), Errc::forbidden},       {may_delete(kAdmin, false), std::nullopt},
      {may_delete(kOwner, false), std::nullopt},           {may_react(kNobody, false), Errc::not_member},
      {may_react(kMember, false), std::nullopt},           {may_react(kMember, true), Errc::conflict},
      {may_pin(group, kNobody, false), Errc::not_member},  {may_pin(group, kMember, false), Errc::forbidden},
      {may_pin(group, kAdmin, false), std::nullopt},       {may_pin(group, kOwner, true), Errc::conflict},
      {may_pin(direct, kMember, false), std::nullopt},
  };
  for (const Case& c : cases) EXPECT_EQ(code_of(c.result), c.expected) << &c - cases;
}

TEST(Rules, AnInviteHoldsUntilItIsOver) {
  const auto at = [](std::int64_t seconds) { return Timestamp(Millis(seconds * 1000)); };
  Invite invite;
  EXPECT_EQ(code_of(may_join(invite, at(100), std::nullopt, Rev{5})), std::nullopt);
  invite.expires_at = at(100);
  EXPECT_EQ(code_of(may_join(invite, at(99), std::nullopt, Rev{5})), std::nullopt);
  EXPECT_EQ(code_of(may_join(invite, at(100), std::nullopt, Rev{5})), Errc::not_found);
  invite.expires_at.reset();
  invite.uses_left = 1;
  EXPECT_EQ(code_of(may_join(invite, at(1), std::nullopt, Rev{5})), std::nullopt);
  invite.uses_left = 0;
  EXPECT_EQ(code_of(may_join(invite, at(1), std::nullopt, Rev{5})), Errc::conflict);
  invite.uses_left.reset();
  EXPECT_EQ(code_of(may_join(invite, at(1), Rev{6}, Rev{5})), Errc::forbidden);
  EXPECT_EQ(code_of(may_join(invite, at(1), Rev{5}, Rev{5})), std::nullopt);
}

TEST(Rules, TheLongestServingAdminOrElseMemberSucceeds) {
  const auto at = [](std::int64_t n) { return Timestamp(Millis(n)); };
  EXPECT_EQ(successor({}), std::nullopt);
  EXPECT_EQ(successor({{Role::member, at(3)}, {Role::member, at(1)}, {Role::member, at(2)}}), 1u);
  EXPECT_EQ(successor({{Role::member, at(1)}, {Role::admin, at(3)}, {Role::admin, at(2)}}), 2u);
}

Timestamp second(std::int64_t n) { return Timestamp(Millis(n * 1000)); }

TEST(Rules, ARefreshTokenIsGoodOnceAndAMomentLonger) {
  Session session;
  session.refresh_hash = "first";
  EXPECT_EQ(judge_refresh(session, "first", second(10)), RefreshUse::current);
  EXPECT_EQ(judge_refresh(session, "made up", second(10)), RefreshUse::reuse);

  rotate(session, {"first", "second", "sealed second"}, second(10));
  EXPECT_EQ(session.refresh_hash, "second");
  EXPECT_EQ(session.last_used_at, second(10));
  EXPECT_EQ(judge_refresh(session, "second", second(1000)), RefreshUse::current);
  EXPECT_EQ(judge_refresh(session, "first", second(9)), RefreshUse::again) << "another server's clock is behind";
  EXPECT_EQ(judge_refresh(session, "first", second(40)), RefreshUse::again);
  EXPECT_EQ(judge_refresh(session, "first", Timestamp(Millis(40'001))), RefreshUse::reuse);
  EXPECT_EQ(judge_refresh(session, "made up", second(11)), RefreshUse::reuse);

  rotate(session, {"second", "third", "sealed third"}, second(40));
  EXPECT_EQ(session.used,
            (std::vector<UsedToken>{{"first", second(10), "sealed second"}, {"second", second(40), "sealed third"}}));
  EXPECT_EQ(judge_refresh(session, "first", second(40)), RefreshUse::again);
  rotate(session, {"third", "fourth", "sealed fourth"}, second(41));
  EXPECT_EQ(session.used,
            (std::vector<UsedToken>{{"second", second(40), "sealed third"}, {"third", second(41), "sealed fourth"}}));
}

TEST(Rules, ASessionRemembersEightUsedRefreshTokens) {
  Session session;
  session.refresh_hash = "0";
  for (int i = 0; i < 9; ++i) rotate(session, {std::to_string(i), std::to_string(i + 1), "sealed"}, second(i));
  EXPECT_EQ(session.used.size(), 8u);
  EXPECT_EQ(judge_refresh(session, "9", second(9)), RefreshUse::current);
  EXPECT_EQ(judge_refresh(session, "8", second(9)), RefreshUse::again);
  EXPECT_EQ(judge_refresh(session, "1", second(9)), RefreshUse::again);
  EXPECT_EQ(judge_refresh(session, "0", second(9)), RefreshUse::reuse);
}

TEST(Rules, AnOlderUsedTokenIsNeverKeptWithoutThoseItLeadsTo) {
  Session session;
  session.refresh_hash = "a";
  rotate(session, {"a", "b", ""}, second(50));  // by a server whose clock is ahead
  rotate(session, {"b", "c", ""}, second(10));
  rotate(session, {"c", "d", ""}, second(45));  // `b` is old, and stays as `a` is not
  EXPECT_EQ(session.used.size(), 3u);
}

TEST(Rules, ABcryptHashSaysItsCost) {
  const std::string rest = "abcdefghijklmnopqrstuu" + std::string(31, '.');
  EXPECT_EQ(bcrypt_cost("$2b$12$" + rest), 12);
  EXPECT_EQ(bcrypt_cost("$2a$05$" + rest), 5);
  EXPECT_EQ(bcrypt_cost("$2y$31$" + rest), 31);
  for (const std::string& other : {std::string(), std::string("$2b$12$"), "$2x$12$" + rest, "$2b$1x$" + rest, "$2b$12." + rest,
                                   "$2b$12$" + rest + ".", std::string("$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA")}) {
    EXPECT_EQ(bcrypt_cost(other), std::nullopt) << other;
  }
}

TEST(Rules, ComparesUsernamesWithoutCaseInEveryScript) {
  EXPECT_EQ(username_key("Ali_Rezaei.7"), "ali_rezaei.7");
  EXPECT_EQ(username_key("ÖMER"), username_key("ömer"));
  EXPECT_EQ(username_key("STRASSE"), username_key("straße"));
  EXPECT_EQ(username_key("ＡＢＣ"), "abc");
  EXPECT_EQ(username_key("cafe\u0301"), username_key("café"));
  EXPECT_EQ(username_key("علی"), "علی");
  EXPECT_NE(username_key("ali"), username_key("veli"));
  EXPECT_EQ(username_key(""), "");
}

// The keys of `members` mentioned, in order, each time.
std::vector<std::string> mentions(std::string_view content, const std::set<std::string>& members) {
  std::vector<std::string> found;
  find_mentions(content, [&](const std::string& key) {
    if (!members.contains(key)) return false;
    found.push_back(key);
    return true;
  });
  return found;
}

TEST(Rules, FindsMentionsOfMembers) {
  const std::set<std::string> members = {"ali", "ali.reza", "sara", "o'neil", "علی", "under_score"};
  struct Case {
    std::string_view content;
    std::vector<std::string> expected;
  };
  const Case cases[] = {
      {"@ali", {"ali"}},
      {"hello @Ali and @SARA", {"ali", "sara"}},
      {"@ali, @sara! (@ali)", {"ali", "sara", "ali"}},
      {"@ali.reza came", {"ali.reza"}},
      {"@ali.rezaei came", {"ali"}},
      {"that was @ali.", {"ali"}},
      {"@alice", {}},
      {"@ali_", {}},
      {"@under_score", {"under_score"}},
      {"@o'neil's", {"o'neil"}},
      {"write to x@ali or x_@ali", {}},
      {"سلام @علی، خوبی؟", {"علی"}},
      {"@علی\u200cجان", {"علی"}},
      {"@@ali", {"ali"}},
      {"@ali@sara", {"ali"}},
      {"@ ali", {}},
      {"@", {}},
      {"", {}},
      {"ali sara", {}},
      {"@\xff@ali", {"ali"}},
  };
  for (const Case& c : cases) EXPECT_EQ(mentions(c.content, members), c.expected) << c.content;
}

TEST(Rules, LooksUpOnlySoManyNamesForAMessage) {
  std::string content;
  for (int i = 0; i < 5000; ++i) content += "@a.b.c.d ";
  std::size_t asked = 0;
  find_mentions(content, [&](const std::string&) {
    ++asked;
    return false;
  });
  EXPECT_EQ(asked, kMaxMentionTries);
}

TEST(Rules, FollowsSoManyLinksToUploadsAndNoMore) {
  std::string content;
  for (int i = 0; i < 2'000; ++i) content += "/media/" + std::to_string(i) + "/x ";
  const auto links = find_media_links(content);
  ASSERT_EQ(links.size(), 50u);
  EXPECT_EQ(links.front(), UploadId("0"));
  EXPECT_EQ(links.back(), UploadId("49"));
}

TEST(Rules, FindsLinksToUploads) {
  struct Case {
    std::string_view content;
    std::vector<std::string> expected;
  };
  const Case cases[] = {
      {"/media/01HZX/cat.png", {"01HZX"}},
      {"see https://chat.example/media/01HZX/cat.png and /media/01HZY/%DA%AF.jpg!", {"01HZX", "01HZY"}},
      {"/media/a/x /media/a/y", {"a"}},
      {"/media/a/media/b/c", {"a", "b"}},
      {"/media/a-b_c/x", {"a-b_c"}},
      {"/media/01HZX", {}},
      {"/media/01HZX/", {}},
      {"/media/01HZX/ x", {}},
      {"/media//x", {}},
      {"/media/a%20b/x", {}},
      {"/media/", {}},
      {"/media/../x", {}},
      {"", {}},
  };
  for (const Case& c : cases) {
    std::vector<std::string> ids;
    for (const UploadId& id : find_media_links(c.content)) ids.push_back(id.str());
    EXPECT_EQ(ids, c.expected) << c.content;
  }
}

}  // namespace
}  // namespace payam::chat::rules
