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
