// What happens to messages after they were sent: edits, deletions, reactions, pins, read markers.
#include "chat/rules.hpp"
#include "chat/store/contract/store_contract.hpp"

namespace payam::chat {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const Message& updated(const Commit& commit) { return std::get<MessageUpdated>(commit.entry.body).message; }

Upload picture(const std::string& id, const UserId& uploader) {
  return {UploadId(id), uploader, "a.png", "image/png", 7, {}, {}, {}};
}

// Reads what the store says of the only message of room "r".
#define ONLY_MESSAGE() wait(store().history(RoomId("r"), user_id("ali"), {}))->messages.at(0)

TEST_P(StoreContract, AnAuthorEditsAMessage) {
  for (const char* name : {"ali", "sara"}) add_user(name);
  create_room("r", "ali", {"sara"});
  SendMessage change = message("r", "sara", "hi @ali");
  change.client_id = "c";
  const Message sent = message_of(commit(change).value());
  const Commit edited = commit(EditMessage{{sent.id, std::nullopt}, user_id("sara"), "hello @sara", at(9)}).value();

  Message expected = sent;
  expected.rev = Rev{3};
  expected.content = "hello @sara";
  expected.mentions = {"sara@example.com"};
  expected.edited_at = at(9);
  EXPECT_EQ(edited.entry, (Entry{RoomId("r"), Rev{3}, at(9), user_id("sara"), "sara@example.com", MessageUpdated{expected}}));
  EXPECT_FALSE(edited.repeated);
  restart_if_kept();
  EXPECT_EQ(ONLY_MESSAGE(), expected);
  EXPECT_EQ(wait(store().find_message({sent.id, RoomId("r")}, user_id("ali"))), expected);
  EXPECT_EQ(message_of(send("r", "ali", "next")).rev, Rev{4});
}

TEST_P(StoreContract, AnEditThatChangesNothingIsNoEntry) {
  add_user("ali");
  create_room("r", "ali");
  const Message sent = message_of(send("r", "ali", "text"));
  const Commit nothing = commit(EditMessage{{sent.id, {}}, user_id("ali"), "text", at(9)}).value();
  EXPECT_TRUE(nothing.repeated);
  EXPECT_EQ(updated(nothing), sent);
  EXPECT_EQ(nothing.entry.rev, Rev{2});
  EXPECT_EQ(message_of(send("r", "ali", "x")).rev, Rev{3});
}

TEST_P(StoreContract, RefusesEdits) {
  for (const char* name : {"ali", "sara", "eve"}) add_user(name);
  create_room("r", "ali", {"sara"});
  create_room("other", "sara");
  const MessageId id = message_of(send("r", "sara", "text")).id;
  const auto edit = [&](MessageRef ref, const char* actor, const char* content = "new") {
    const auto result = commit(EditMessage{std::move(ref), user_id(actor), content, at(9)});
    return result ? Error{} : result.error();
  };
  const Error no_message{Errc::not_found, std::string(rules::kMessageNotFound)};
  EXPECT_EQ(edit({id, {}}, "ali").code, Errc::forbidden);
  EXPECT_EQ(edit({id, {}}, "eve"), no_message);
  EXPECT_EQ(edit({id, {}}, "nobody"), no_message);
  EXPECT_EQ(edit({MessageId("none"), {}}, "sara"), no_message);
  EXPECT_EQ(edit({id, RoomId("other")}, "sara"), no_message);
  EXPECT_EQ(edit({id, RoomId("r")}, "eve"), (Error{Errc::not_member, std::string(rules::kRoomNotFound)}));
  EXPECT_EQ(edit({id, RoomId("none")}, "sara"), (Error{Errc::not_found, std::string(rules::kRoomNotFound)}));
  EXPECT_EQ(edit({id, {}}, "sara", "").code, Errc::invalid);
  EXPECT_EQ(message_of(send("r", "ali", "x")).rev, Rev{3});
}

TEST_P(StoreContract, WhoHasLeftEditsNothingAnyMore) {
  for (const char* name : {"ali", "sara"}) add_user(name);
  create_room("r", "ali", {"sara"});
  const MessageId id = message_of(send("r", "sara", "text")).id;
  ASSERT_TRUE(commit(RemoveMember{RoomId("r"), user_id("sara"), "sara@example.com", at(5)}));
  EXPECT_EQ(commit(EditMessage{{id, {}}, user_id("sara"), "new", at(9)}).error().code, Errc::not_found);
  EXPECT_EQ(commit(DeleteMessage{{id, {}}, user_id("sara"), at(9)}).error().code, Errc::not_found);
}

TEST_P(StoreContract, AnEditMovesTheLinksToUploads) {
  for (const char* name : {"ali", "sara"}) add_user(name);
  create_room("r", "ali", {"sara"});
  for (const char* id : {"u1", "u2", "u3"}) wait(store().create_upload(picture(id, user_id("ali"))));
  SendMessage change = message("r", "ali", "/media/u2/a.png /media/u1/a.png");
  change.attachments = {UploadId("u1")};
  const Message sent = message_of(commit(change).value());
  const auto sara_sees = [&](const char* id) { return wait(store().find_upload(UploadId(id), user_id("sara"))).has_value(); };
  EXPECT_TRUE(sara_sees("u1") && sara_sees("u2") && !sara_sees("u3"));
  const Commit edited = commit(EditMessage{{sent.id, {}}, user_id("ali"), "/media/u3/a.png", at(9)}).value();
  EXPECT_EQ(updated(edited).attachments, sent.attachments);
  EXPECT_TRUE(sara_sees("u1") && !sara_sees("u2") && sara_sees("u3"));
  EXPECT_TRUE(commit(EditMessage{{sent.id, {}}, user_id("ali"), "", at(9)})) << "its attachment is enough";
}

TEST_P(StoreContract, ADeletedMessageLeavesATombstone) {
  for (const char* name : {"ali", "sara"}) add_user(name);
  create_room("r", "ali", {"sara"});
  wait(store().create_upload(picture("u1", user_id("sara"))));
  SendMessage change = message("r", "sara", "@ali /media/u1/a.png");
  change.client_id = "c";
  change.attachments = {UploadId("u1")};
  const Message sent = message_of(commit(change).value());
  ASSERT_TRUE(commit(React{{sent.id, {}}, user_id("ali"), "👍", true, at(3)}));
  ASSERT_TRUE(commit(PinMessage{{sent.id, {}}, user_id("ali"), true, at(3)}));
  const Commit deleted = commit(DeleteMessage{{sent.id, {}}, user_id("sara"), at(9)}).value();

  Message expected = sent;
  expected.rev = Rev{5};
  expected.content = "";
  expected.deleted = true;
  expected.mentions.clear();
  expected.attachments.clear();
  EXPECT_EQ(deleted.entry, (Entry{RoomId("r"), Rev{5}, at(9), user_id("sara"), "sara@example.com", MessageUpdated{expected}}));
  restart_if_kept();
  EXPECT_EQ(ONLY_MESSAGE(), expected);
  EXPECT_FALSE(wait(store().find_upload(UploadId("u1"), user_id("ali"))));
  EXPECT_THAT(wait(store().pinned_messages(RoomId("r"), user_id("ali"), {}))->messages, IsEmpty());

  EXPECT_TRUE(commit(DeleteMessage{{sent.id, {}}, user_id("ali"), at(9)})->repeated);
  EXPECT_EQ(commit(EditMessage{{sent.id, {}}, user_id("sara"), "x", at(9)}).error().code, Errc::conflict);
  EXPECT_EQ(commit(React{{sent.id, {}}, user_id("ali"), "👍", true, at(9)}).error().code, Errc::conflict);
  EXPECT_EQ(commit(PinMessage{{sent.id, {}}, user_id("ali"), true, at(9)}).error().code, Errc::conflict);
  EXPECT_EQ(updated(commit(DeleteMessage{{sent.id, {}}, user_id("ali"), at(9)}).value()), expected);
  change.id = MessageId("another");
  EXPECT_EQ(message_of(commit(change).value()), expected) << "a late retry does not bring it back";
}

TEST_P(StoreContract, OwnersAndAdminsDeleteWhatOthersWrote) {
  for (const char* name : {"ali", "sara", "bob"}) add_user(name);
  create_room("r", "ali", {"sara", "bob"});
  const MessageId id = message_of(send("r", "sara", "text")).id;
  EXPECT_EQ(commit(DeleteMessage{{id, {}}, user_id("bob"), at(9)}).error().code, Errc::forbidden);
  EXPECT_TRUE(updated(commit(DeleteMessage{{id, {}}, user_id("ali"), at(9)}).value()).deleted);
}

TEST_P(StoreContract, EveryoneReactsOncePerEmoji) {
  for (const char* name : {"ali", "sara", "bob"}) add_user(name);
  create_room("r", "ali", {"sara", "bob"});
  const MessageId id = message_of(send("r", "sara", "text")).id;
  const auto react = [&](const char* user, const char* emoji, bool on = true) {
    return commit(React{{id, {}}, user_id(user), emoji, on, at(9)}).value();
  };
  EXPECT_EQ(react("sara", "🎉").entry.rev, Rev{3});
  react("bob", "👍");
  EXPECT_TRUE(react("bob", "👍").repeated);
  EXPECT_TRUE(react("ali", "🎉", false).repeated);
  const Commit last = react("ali", "🎉");
  EXPECT_EQ(last.entry.rev, Rev{5});
  const std::vector<Reaction> both = {{"🎉", {"sara@example.com", "ali@example.com"}}, {"👍", {"bob@example.com"}}};
  EXPECT_EQ(updated(last).reactions, both);
  restart_if_kept();
  EXPECT_EQ(ONLY_MESSAGE().reactions, both);
  react("sara", "🎉", false);
  react("bob", "👍", false);
  EXPECT_EQ(ONLY_MESSAGE().reactions, (std::vector<Reaction>{{"🎉", {"ali@example.com"}}}));
  EXPECT_EQ(ONLY_MESSAGE().rev, Rev{7});
}

TEST_P(StoreContract, OwnersAndAdminsPinMessages) {
  for (const char* name : {"ali", "sara"}) add_user(name);
  create_room("r", "ali", {"sara"});
  const MessageId first = message_of(send("r", "sara", "first")).id;
  send("r", "sara", "second");
  const MessageId third = message_of(send("r", "sara", "third")).id;
  const auto pin = [&](const char* user, const MessageId& id, bool on = true) {
    return commit(PinMessage{{id, RoomId("r")}, user_id(user), on, at(9)});
  };
  EXPECT_EQ(pin("sara", first).error().code, Errc::forbidden);
  EXPECT_TRUE(updated(pin("ali", third).value()).pinned);
  EXPECT_FALSE(pin("ali", first)->repeated);
  EXPECT_TRUE(pin("ali", first)->repeated);
  EXPECT_THAT(contents(wait(store().pinned_messages(RoomId("r"), user_id("sara"), {}))->messages),
              ElementsAre("first", "third"));
  EXPECT_FALSE(updated(pin("ali", first, false).value()).pinned);
  EXPECT_THAT(contents(wait(store().pinned_messages(RoomId("r"), user_id("sara"), {}))->messages), ElementsAre("third"));
  add_user("eve");
  EXPECT_EQ(wait(store().pinned_messages(RoomId("r"), user_id("eve"), {})).error().code, Errc::not_found);
}

TEST_P(StoreContract, FindsAMessageForMembersOnly) {
  for (const char* name : {"ali", "eve"}) add_user(name);
  create_room("r", "ali");
  create_room("other", "ali");
  const Message sent = message_of(send("r", "ali", "text"));
  EXPECT_EQ(wait(store().find_message({sent.id, {}}, user_id("ali"))), sent);
  EXPECT_EQ(wait(store().find_message({sent.id, {}}, user_id("eve"))).error().message, rules::kMessageNotFound);
  EXPECT_EQ(wait(store().find_message({sent.id, RoomId("other")}, user_id("ali"))).error().message, rules::kMessageNotFound);
  EXPECT_EQ(wait(store().find_message({sent.id, RoomId("r")}, user_id("eve"))).error().message, rules::kRoomNotFound);
  EXPECT_EQ(wait(store().find_message({MessageId("none"), {}}, user_id("ali"))).error().code, Errc::not_found);
}

TEST_P(StoreContract, AReadMarkerMovesForwardOnly) {
  for (const char* name : {"ali", "sara", "eve"}) add_user(name);
  create_room("r", "ali", {"sara"});
  for (int i = 0; i < 5; ++i) send("r", "ali", "x");
  const auto mark = [&](const char* user, std::int64_t seq) {
    const ReadMarker marker = wait(store().mark_read(RoomId("r"), user_id(user), Seq{seq})).value();
    return std::pair(marker.seq.value, marker.moved);
  };
  const auto unread = [&](const char* name) {
    return wait(store().rooms_of(user_id(name), RoomKind::group)).at(0).unread_count;
  };
  EXPECT_EQ(mark("sara", 2), std::pair(std::int64_t{2}, true));
  EXPECT_EQ(unread("sara"), 3);
  EXPECT_EQ(mark("sara", 2), std::pair(std::int64_t{2}, false));
  EXPECT_EQ(mark("sara", 1), std::pair(std::int64_t{2}, false));
  EXPECT_EQ(mark("sara", -1), std::pair(std::int64_t{2}, false));
  EXPECT_EQ(mark("sara", 99), std::pair(std::int64_t{5}, true));
  EXPECT_EQ(mark("ali", 3), std::pair(std::int64_t{5}, false));
  restart_if_kept();
  EXPECT_EQ(unread("sara"), 0);
  EXPECT_EQ(wait(store().find_room(RoomId("r"), user_id("ali"), 0))->members.at(1).read_seq, Seq{5});
  EXPECT_EQ(wait(store().mark_read(RoomId("r"), user_id("eve"), Seq{1})).error().code, Errc::not_member);
  EXPECT_EQ(wait(store().mark_read(RoomId("none"), user_id("ali"), Seq{1})).error().code, Errc::not_found);
  EXPECT_EQ(message_of(send("r", "ali", "x")).rev, Rev{7}) << "reading is no entry";
}

TEST_P(StoreContract, ChangesOfMessagesComeBackOnce) {
  for (const char* name : {"ali", "sara"}) add_user(name);
  create_room("r", "ali", {"sara"});                                                  // rev 1
  const Message m1 = message_of(send("r", "ali", "m1"));                              // 2
  const Message m2 = message_of(send("r", "ali", "m2"));                              // 3
  ASSERT_TRUE(commit(EditMessage{{m1.id, {}}, user_id("ali"), "m1 edited", at(4)}));  // 4
  const Message m3 = message_of(send("r", "ali", "m3"));                              // 5
  ASSERT_TRUE(commit(React{{m1.id, {}}, user_id("sara"), "👍", true, at(6)}));        // 6
  ASSERT_TRUE(commit(EditMessage{{m3.id, {}}, user_id("ali"), "m3 edited", at(7)}));  // 7
  ASSERT_TRUE(commit(DeleteMessage{{m2.id, {}}, user_id("ali"), at(8)}));             // 8
  const auto now = wait(store().history(RoomId("r"), user_id("ali"), {}))->messages;
  const auto after = [&](std::int64_t rev, int entries = 500) {
    return wait(store().changes_after(RoomId("r"), user_id("ali"), Rev{rev}, {entries, 1 << 20})).value();
  };
  const auto revs = [](const CatchUp& page) {
    std::vector<std::int64_t> result;
    for (const Entry& entry : page.changes) result.push_back(entry.rev.value);
    return result;
  };
  CatchUp page = after(1);
  EXPECT_EQ(page.messages, now);
  EXPECT_THAT(page.changes, IsEmpty()) << "all are new, in their present state";
  page = after(3);
  EXPECT_EQ(page.messages, std::vector{now[2]});
  EXPECT_THAT(revs(page), ElementsAre(6, 8));
  EXPECT_EQ(page.changes[0], (Entry{RoomId("r"), Rev{6}, at(6), user_id("sara"), "sara@example.com", MessageUpdated{now[0]}}));
  EXPECT_EQ(page.changes[1].body, EntryBody{MessageUpdated{now[1]}});
  EXPECT_THAT(revs(after(6)), ElementsAre(7, 8));
  page = after(3, 1);
  EXPECT_THAT(revs(page), ElementsAre(4));
  EXPECT_EQ(page.changes[0].body, EntryBody{MessageUpdated{now[0]}}) << "in its present state";
  EXPECT_EQ(page.rev, Rev{4});
  EXPECT_TRUE(page.more);
  EXPECT_EQ(after(8).rev, Rev{8});
  EXPECT_EQ(wait(store().messages_after(RoomId("r"), user_id("ali"), Seq{1}, {})).value().messages,
            (std::vector{now[1], now[2]}));
}

TEST_P(StoreContract, PinnedMessagesComeInPages) {
  add_user("ali");
  create_room("r", "ali");
  for (int i = 1; i <= 6; ++i) {
    const MessageId id = message_of(send("r", "ali", "m" + std::to_string(i) + std::string(1'000, 'x'))).id;
    ASSERT_TRUE(commit(PinMessage{{id, {}}, user_id("ali"), true, at(9)}));
    if (i == 3) ASSERT_TRUE(commit(PinMessage{{id, {}}, user_id("ali"), false, at(9)}));
  }
  struct Case {
    PinQuery query;
    std::vector<std::int64_t> expected;
    bool more;
  };
  // Each weighs 1,422 bytes.
  const Case cases[] = {
      {{}, {1, 2, 4, 5, 6}, false},
      {{.after = {}, .limit = 2}, {1, 2}, true},
      {{.after = Seq{2}, .limit = 3}, {4, 5, 6}, false},
      {{.after = Seq{2}, .limit = 500, .bytes = 2'844}, {4, 5}, true},
      {{.after = Seq{2}, .limit = 500, .bytes = 2'843}, {4}, true},
      {{.after = Seq{5}, .limit = 500, .bytes = 1}, {6}, false},
      {{.after = Seq{6}}, {}, false},
      {{.after = Seq{INT64_MAX}}, {}, false},
  };
  for (const Case& c : cases) {
    const PinPage page = wait(store().pinned_messages(RoomId("r"), user_id("ali"), c.query)).value();
    std::vector<std::int64_t> seqs;
    for (const Message& one : page.messages) seqs.push_back(one.seq.value);
    EXPECT_EQ(seqs, c.expected) << &c - cases;
    EXPECT_EQ(page.more, c.more) << &c - cases;
  }
}

}  // namespace
}  // namespace payam::chat
