// Users and sessions.
#include <set>

#include "chat/store/contract/store_contract.hpp"

namespace payam::chat {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST_P(StoreContract, KeepsAUserAsGiven) {
  const User user{UserId("u1"), "Ali", "ali@example.com", "Ali Rezaei", "$2b$12$secret", at(5), std::nullopt};
  ASSERT_EQ(wait(store().create_user(user)), user);
  EXPECT_EQ(wait(store().find_user(UserId("u1"))), user);
  EXPECT_EQ(wait(store().find_user_by_email("ali@example.com")), user);
  EXPECT_EQ(wait(store().find_user_by_username("ALI")), user);
  EXPECT_EQ(wait(store().find_user(UserId("u2"))), std::nullopt);
  EXPECT_EQ(wait(store().find_user_by_email("other@example.com")), std::nullopt);
  EXPECT_EQ(wait(store().find_user_by_username("other")), std::nullopt);
}

TEST_P(StoreContract, RefusesASecondUserOfTheSameEmailOrName) {
  add_user("ali");
  EXPECT_EQ(wait(store().create_user({UserId("u2"), "veli", "ali@example.com", {}, "h", at(0), {}})),
            (Result<User>(fail(Errc::bad_request, "Email already registered"))));
  EXPECT_EQ(wait(store().create_user({UserId("u2"), "ALI", "veli@example.com", {}, "h", at(0), {}})),
            (Result<User>(fail(Errc::bad_request, "Username already registered"))));
  EXPECT_EQ(wait(store().find_user(UserId("u2"))), std::nullopt);
}

TEST_P(StoreContract, GivesAnIdOnceAlsoAfterAnErasure) {
  add_user("ali");
  const User second{user_id("ali"), "veli", "veli@example.com", {}, "h", at(0), {}};
  EXPECT_EQ(wait(store().create_user(second)).error().code, Errc::conflict);
  ASSERT_TRUE(wait(store().erase_user(user_id("ali"), at(1))));
  EXPECT_EQ(wait(store().create_user(second)).error().code, Errc::conflict);
}

TEST_P(StoreContract, TakesUsernamesOfOtherScriptsWithoutCase) {
  ASSERT_TRUE(wait(store().create_user({UserId("u1"), "Ömer", "omer@example.com", {}, "h", at(0), {}})));
  EXPECT_TRUE(wait(store().find_user_by_username("öMER")));
  EXPECT_FALSE(wait(store().create_user({UserId("u2"), "ÖMER", "other@example.com", {}, "h", at(0), {}})));
}

TEST_P(StoreContract, OfManyWhoTakeOneNameAtOnceOnlyOneGetsIt) {
  std::vector<std::future<Result<User>>> answers;
  for (int i = 0; i < 30; ++i) {
    const std::string number = std::to_string(i);
    User user{UserId("u" + number), "ali", "ali" + number + "@example.com", {}, "h", at(0), {}};
    answers.push_back(spawn(store().create_user(std::move(user)), i % kShards));
  }
  int taken = 0;
  for (auto& answer : answers) taken += answer.get().has_value() ? 1 : 0;
  EXPECT_EQ(taken, 1);
}

TEST_P(StoreContract, RemembersWhenAUserWasLastSeen) {
  add_user("ali");
  wait(store().set_last_seen(user_id("ali"), at(77)));
  EXPECT_EQ(wait(store().find_user(user_id("ali")))->last_seen, at(77));
  wait(store().set_last_seen(UserId("nobody"), at(78)));
}

TEST_P(StoreContract, KeepsASession) {
  add_user("ali");
  const Session session{SessionId("s1"), user_id("ali"), "Firefox", "192.0.2.1", "refresh", at(1), at(2), {}};
  wait(store().create_session(session));
  EXPECT_EQ(wait(store().find_session(SessionId("s1"))), session);
  EXPECT_EQ(wait(store().find_session(SessionId("s2"))), std::nullopt);
}

TEST_P(StoreContract, ChangesAProfile) {
  add_user("ali");
  add_user("sara");
  User expected = *wait(store().find_user(user_id("ali")));
  expected.full_name = "Ali Rezaei";
  EXPECT_EQ(wait(store().update_user(user_id("ali"), {}, "Ali Rezaei")), expected);
  expected.username = "ALI";
  EXPECT_EQ(wait(store().update_user(user_id("ali"), "ALI", {})), expected);
  expected.username = "reza";
  EXPECT_EQ(wait(store().update_user(user_id("ali"), "reza", {})), expected);
  EXPECT_EQ(wait(store().find_user_by_username("Reza")), expected);
  EXPECT_EQ(wait(store().find_user_by_username("ali")), std::nullopt);
  EXPECT_EQ(wait(store().update_user(user_id("ali"), "SARA", {})),
            (Result<User>(fail(Errc::bad_request, "Username already registered"))));
  EXPECT_EQ(wait(store().update_user(UserId("nobody"), {}, {})).error().code, Errc::not_found);
  wait(store().set_password_hash(user_id("ali"), "$2b$12$new"));
  expected.password_hash = "$2b$12$new";
  EXPECT_EQ(wait(store().find_user(user_id("ali"))), expected);
}

TEST_P(StoreContract, FindsUsersByThePrefixOfAName) {
  const auto add = [&](const char* id, const char* name, const char* mail, std::optional<std::string> full_name) {
    ASSERT_TRUE(wait(store().create_user({UserId(id), name, mail, std::move(full_name), "h", at(0), {}})));
  };
  add("1", "sara", "s@example.com", "Şirin Öz");
  add("2", "Sam", "other@example.com", {});
  add("3", "zoe", "sa@example.com", "Zoe 100%");
  add("4", "علی", "ali@example.com", {});
  const auto found = [&](const char* prefix, int limit = 20) {
    std::string ids;
    for (const User& user : wait(store().search_users(prefix, limit))) ids += user.id.str();
    return ids;
  };
  EXPECT_EQ(found("sa"), "213");
  EXPECT_EQ(found("SA"), "213");
  EXPECT_EQ(found("sa", 2), "21");
  EXPECT_EQ(found("şirin"), "1");
  EXPECT_EQ(found("عل"), "4");
  EXPECT_EQ(found("zoe 100%"), "3");
  EXPECT_EQ(found("%"), "");
  EXPECT_EQ(found("ara"), "");
  EXPECT_EQ(found(""), "");
}

TEST_P(StoreContract, ListsAndEndsSessions) {
  add_user("ali");
  add_user("eve");
  const auto session = [&](const char* id, const char* user, int used) {
    return Session{SessionId(id), user_id(user), "device", "address", "hash", at(0), at(used), {}};
  };
  for (const auto& [id, used] : {std::pair("s1", 1), std::pair("s2", 3), std::pair("s3", 2)}) {
    wait(store().create_session(session(id, "ali", used)));
  }
  wait(store().create_session(session("e1", "eve", 9)));
  EXPECT_THAT(wait(store().sessions_of(user_id("ali"))),
              ElementsAre(session("s2", "ali", 3), session("s3", "ali", 2), session("s1", "ali", 1)));
  wait(store().touch_session(SessionId("s1"), at(50)));
  EXPECT_EQ(wait(store().sessions_of(user_id("ali"))).at(0), session("s1", "ali", 50));
  EXPECT_FALSE(wait(store().end_session(SessionId("s1"), user_id("eve"))));
  EXPECT_TRUE(wait(store().end_session(SessionId("s1"), user_id("ali"))));
  EXPECT_FALSE(wait(store().end_session(SessionId("s1"), user_id("ali"))));
  EXPECT_EQ(wait(store().find_session(SessionId("s1"))), std::nullopt);
  EXPECT_THAT(wait(store().end_sessions_of(user_id("ali"), SessionId("s3"))), ElementsAre(SessionId("s2")));
  EXPECT_THAT(wait(store().end_sessions_of(user_id("ali"), {})), ElementsAre(SessionId("s3")));
  EXPECT_THAT(wait(store().sessions_of(user_id("ali"))), IsEmpty());
  EXPECT_EQ(wait(store().sessions_of(user_id("eve"))).size(), 1u);
}

TEST_P(StoreContract, ARefreshTokenTakesItsSuccessorAndIsRemembered) {
  add_user("ali");
  wait(store().create_session({SessionId("s"), user_id("ali"), "device", "address", "first", at(0), at(0), {}}));
  const auto rotate = [&](const std::string& presented, const std::string& next, int seconds) {
    return wait(store().rotate_session(SessionId("s"), {presented, next, "sealed-" + next}, at(seconds * 1000)));
  };
  const auto use = [](const std::optional<Rotated>& rotated) { return rotated ? std::optional(rotated->use) : std::nullopt; };
  const auto one = rotate("first", "second", 10);
  EXPECT_EQ(use(one), RefreshUse::current);
  EXPECT_EQ(one->session, wait(store().find_session(SessionId("s"))));
  EXPECT_EQ(one->session.last_used_at, at(10'000));
  restart_if_kept();

  const auto again = rotate("first", "another", 40);
  EXPECT_EQ(use(again), RefreshUse::again);
  EXPECT_EQ(again->session.refresh_hash, "second") << "nothing has changed";
  EXPECT_EQ(again->session, one->session);
  EXPECT_EQ(use(rotate("second", "third", 40)), RefreshUse::current);
  const auto session = wait(store().find_session(SessionId("s"))).value();
  EXPECT_EQ(session.refresh_hash, "third");
  EXPECT_THAT(session.used,
              ElementsAre(UsedToken{"first", at(10'000), "sealed-second"}, UsedToken{"second", at(40'000), "sealed-third"}));
  EXPECT_EQ(wait(store().sessions_of(user_id("ali"))), std::vector{session});
  EXPECT_EQ(use(rotate("first", "stolen", 41)), RefreshUse::reuse) << "using it again has not prolonged it";
  EXPECT_EQ(use(rotate("third", "fourth", 42)), std::nullopt) << "the session is ended";
}

TEST_P(StoreContract, OfManyWhoPresentOneRefreshTokenOneTakesItAndTheOthersFindItsSuccessor) {
  add_user("ali");
  wait(store().create_session({SessionId("s"), user_id("ali"), "device", "address", "first", at(0), at(0), {}}));
  std::vector<std::future<std::optional<Rotated>>> answers;
  for (int i = 0; i < 6; ++i) {
    const std::string next = "next " + std::to_string(i);
    answers.push_back(spawn(store().rotate_session(SessionId("s"), {"first", next, "sealed"}, at(1)), i % kShards));
  }
  int current = 0;
  std::set<std::string> newest;
  for (auto& answer : answers) {
    const auto rotated = answer.get();
    ASSERT_TRUE(rotated && (rotated->use == RefreshUse::current || rotated->use == RefreshUse::again));
    current += rotated->use == RefreshUse::current ? 1 : 0;
    newest.insert(rotated->session.refresh_hash);
  }
  EXPECT_EQ(current, 1);
  EXPECT_EQ(newest.size(), 1u);
}

TEST_P(StoreContract, IdleSessionsEnd) {
  add_user("ali");
  add_user("sara");
  const auto open = [&](const char* id, const char* user, int used) {
    wait(store().create_session({SessionId(id), user_id(user), "device", "address", "hash", at(0), at(used), {}}));
  };
  open("oldest", "ali", 1);
  open("older", "sara", 2);
  open("old", "ali", 3);
  open("live", "sara", 4);
  open("touched", "ali", 1);
  wait(store().touch_session(SessionId("touched"), at(9)));
  const auto ended = [&](int before, int limit) {
    std::vector<std::string> list;
    for (const Session& one : wait(store().end_idle_sessions(at(before), limit))) {
      list.push_back(one.id.str() + " of " + one.user.str());
    }
    return list;
  };
  EXPECT_THAT(ended(1, 10), IsEmpty());
  EXPECT_THAT(ended(4, 2), ElementsAre("oldest of user-ali", "older of user-sara"));
  EXPECT_THAT(ended(4, 2), ElementsAre("old of user-ali"));
  EXPECT_THAT(ended(4, 2), IsEmpty());
  restart_if_kept();
  EXPECT_EQ(wait(store().find_session(SessionId("old"))), std::nullopt);
  EXPECT_TRUE(wait(store().find_session(SessionId("live"))));
  EXPECT_TRUE(wait(store().find_session(SessionId("touched"))));
}

TEST_P(StoreContract, APasswordIsHashedAnewOnlyInPlaceOfTheHashThatWasChecked) {
  const auto hash = [](const std::string& beginning) { return beginning + "abcdefghijklmnopqrstuu" + std::string(31, '.'); };
  EXPECT_EQ(wait(store().highest_password_cost()), 0);
  add_user("ali");
  add_user("sara");
  add_user("bob");
  EXPECT_EQ(wait(store().highest_password_cost()), 0) << "what is no bcrypt hash has none";
  wait(store().set_password_hash(user_id("ali"), hash("$2a$14$")));
  wait(store().set_password_hash(user_id("sara"), hash("$2b$12$")));
  wait(store().set_password_hash(user_id("bob"), "$2b$15$short"));
  EXPECT_EQ(wait(store().highest_password_cost()), 14);
  EXPECT_FALSE(wait(store().renew_password_hash(user_id("ali"), hash("$2b$14$"), hash("$2b$12$")))) << "changed meanwhile";
  EXPECT_TRUE(wait(store().renew_password_hash(user_id("ali"), hash("$2a$14$"), hash("$2b$12$"))));
  EXPECT_FALSE(wait(store().renew_password_hash(user_id("nobody"), "", hash("$2b$12$"))));
  restart_if_kept();
  EXPECT_EQ(wait(store().find_user(user_id("ali")))->password_hash, hash("$2b$12$"));
  EXPECT_EQ(wait(store().highest_password_cost()), 12);
}

TEST_P(StoreContract, ABlockedPersonIsKeptAway) {
  for (const char* name : {"ali", "eve", "sara"}) add_user(name);
  create_room("shared", "sara", {"ali", "eve"});
  EXPECT_TRUE(wait(store().set_block(user_id("ali"), "eve@example.com", true)));
  EXPECT_TRUE(wait(store().set_block(user_id("ali"), "eve@example.com", true)));
  EXPECT_THAT(wait(store().blocks_of(user_id("ali"))), ElementsAre("eve@example.com"));
  EXPECT_THAT(wait(store().blocks_of(user_id("eve"))), IsEmpty());
  EXPECT_EQ(wait(store().set_block(user_id("ali"), "tpyo@example.com", true)).error().code, Errc::bad_request);
  restart_if_kept();

  EXPECT_EQ(commit(OpenDirect{RoomId("d"), user_id("eve"), "ali@example.com", at(5)}).error().code, Errc::forbidden);
  const auto created = commit(CreateRoom{RoomId("r"), user_id("eve"), "Trap", {"sara@example.com", "ali@example.com"}, at(5)});
  EXPECT_EQ(created.error(), (Error{Errc::forbidden, "ali@example.com does not want to be added by you"}));
  create_room("r2", "eve");
  EXPECT_EQ(commit(AddMembers{RoomId("r2"), user_id("eve"), {"ali@example.com"}, at(5)}).error().code, Errc::forbidden);
  EXPECT_TRUE(commit(OpenDirect{RoomId("d"), user_id("ali"), "eve@example.com", at(5)})) << "the other way it is open";
  EXPECT_TRUE(commit(OpenDirect{RoomId("d"), user_id("eve"), "ali@example.com", at(5)})->repeated);

  const auto contacts = [&](const char* name) { return wait(store().contacts_of(user_id(name), 100)); };
  const auto visible = [&](const char* name) { return wait(store().visible_contacts_of(user_id(name), 100)); };
  EXPECT_THAT(contacts("ali"), ElementsAre(user_id("sara")));
  EXPECT_THAT(contacts("eve"), ElementsAre(user_id("ali"), user_id("sara")));
  EXPECT_THAT(visible("eve"), ElementsAre(user_id("sara")));
  EXPECT_THAT(visible("ali"), ElementsAre(user_id("eve"), user_id("sara")));
  EXPECT_TRUE(wait(store().set_block(user_id("ali"), "eve@example.com", false)));
  EXPECT_THAT(contacts("ali"), ElementsAre(user_id("eve"), user_id("sara")));
}

TEST_P(StoreContract, ErasesAnAccountAndKeepsItsMessages) {
  for (const char* name : {"ali", "sara", "bob", "zoe"}) add_user(name);
  create_room("owned", "ali", {"sara", "bob"});  // ali alone owns it
  ASSERT_TRUE(commit(ChangeRole{RoomId("owned"), user_id("ali"), "bob@example.com", Role::admin, at(2)}));
  create_room("joined", "zoe", {"ali"});
  create_room("alone", "ali");
  create_room("left", "zoe", {"ali"});
  const Message before_leaving = message_of(send("left", "ali", "goodbye"));
  ASSERT_TRUE(commit(RemoveMember{RoomId("left"), user_id("ali"), "ali@example.com", at(4)}));
  ASSERT_TRUE(commit(OpenDirect{RoomId("d"), user_id("ali"), "sara@example.com", at(5)}));
  const Message sent = message_of(send("owned", "ali", "from ali"));
  const Message mention = message_of(send("owned", "sara", "@ali and @bob"));
  ASSERT_TRUE(commit(React{{mention.id, {}}, user_id("ali"), "👍", true, at(6)}));
  send("d", "ali", "only for sara");
  wait(store().create_session({SessionId("s"), user_id("ali"), "device", "address", "hash", at(0), at(0), {}}));
  ASSERT_TRUE(wait(store().set_block(user_id("ali"), "zoe@example.com", true)));
  ASSERT_TRUE(wait(store().set_block(user_id("sara"), "ali@example.com", true)));
  const std::size_t told_before = published().size();

  EXPECT_TRUE(wait(store().erase_user(user_id("ali"), at(9))));
  std::vector<std::string> told;
  const auto all = published();
  for (std::size_t i = told_before; i < all.size(); ++i) {
    const Entry& entry = all[i].entry;
    EXPECT_EQ(entry.actor, user_id("ali"));
    std::string text = entry.room.str() + " " + std::to_string(entry.rev.value);
    if (const auto* erased = std::get_if<AccountErased>(&entry.body)) text += " without " + *erased->member.email;
    if (const auto* role = std::get_if<RoleChanged>(&entry.body)) text += " owner " + *role->member.email;
    if (std::holds_alternative<RoomDeleted>(entry.body)) text += " deleted";
    told.push_back(text);
  }
  EXPECT_THAT(told, testing::UnorderedElementsAre("owned 6 owner bob@example.com", "owned 7 without ali@example.com",
                                                  "joined 2 without ali@example.com", "alone 2 deleted",
                                                  "left 4 without ali@example.com", "d 3 without ali@example.com"));
  restart_if_kept();
  EXPECT_FALSE(wait(store().erase_user(user_id("ali"), at(9))));
  EXPECT_EQ(wait(store().find_user(user_id("ali"))), std::nullopt);
  EXPECT_EQ(wait(store().find_user_by_email("ali@example.com")), std::nullopt);
  EXPECT_EQ(wait(store().find_user_by_username("ali")), std::nullopt);
  EXPECT_EQ(wait(store().find_session(SessionId("s"))), std::nullopt);
  EXPECT_THAT(wait(store().room_ids_of(user_id("ali"))), IsEmpty());
  EXPECT_THAT(wait(store().blocks_of(user_id("sara"))), IsEmpty());
  EXPECT_EQ(commit(message("owned", "ali", "x")).error().code, Errc::not_member);

  const RoomView view = wait(store().find_room(RoomId("owned"), user_id("sara"), 50)).value();
  EXPECT_THAT(emails(view.members), ElementsAre("bob@example.com", "sara@example.com"));
  EXPECT_EQ(view.members.at(0).role, Role::owner);
  ASSERT_EQ(view.messages.size(), 2u);
  EXPECT_EQ(view.messages[0].content, "from ali");
  EXPECT_EQ(view.messages[0].sender, std::nullopt);
  EXPECT_EQ(view.messages[0].sender_id, user_id("ali"));
  EXPECT_THAT(view.messages[1].mentions, ElementsAre("bob@example.com"));
  EXPECT_THAT(view.messages[1].reactions, IsEmpty());
  const auto entries = wait(store().changes_after(RoomId("owned"), user_id("sara"), Rev{6}, {}))->changes;
  EXPECT_THAT(entries, ElementsAre(Entry{RoomId("owned"), Rev{7}, at(9), user_id("ali"), std::nullopt,
                                         AccountErased{{user_id("ali"), std::nullopt, Role::owner}}}));
  const CatchUp left = wait(store().changes_after(RoomId("left"), user_id("zoe"), Rev{3}, {})).value();
  EXPECT_THAT(left.changes, ElementsAre(Entry{RoomId("left"), Rev{4}, at(9), user_id("ali"), std::nullopt,
                                              AccountErased{{user_id("ali"), std::nullopt, Role::member}}}))
      << "a room that was left before holds messages too";
  EXPECT_EQ(wait(store().find_message({before_leaving.id, {}}, user_id("zoe")))->sender, std::nullopt);
  const auto direct = wait(store().rooms_of(user_id("sara"), RoomKind::direct));
  ASSERT_EQ(direct.size(), 1u);
  EXPECT_EQ(direct[0].other, std::nullopt);
  EXPECT_EQ(direct[0].last_message->content, "only for sara");

  User again{UserId("second"), "ali", "ali@example.com", {}, "hash", at(20), {}};
  ASSERT_TRUE(wait(store().create_user(again))) << "the name and the address are free";
  EXPECT_FALSE(commit(OpenDirect{RoomId("d2"), user_id("sara"), "ali@example.com", at(21)})->repeated);
}

TEST_P(StoreContract, AnswersAPing) { wait(store().ping()); }

}  // namespace
}  // namespace payam::chat
