// Promise 5: what a call costs does not grow with what is stored. Asked of SQLite itself: no statement of ours ever walks a
// table from its beginning, and a message runs the same steps in a long history and a large room as in a short and small one.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "chat/store/sqlite/accounts.hpp"
#include "chat/store/sqlite/appender.hpp"
#include "chat/store/sqlite/schema.hpp"
#include "chat/store/sqlite/search_index.hpp"
#include "chat/store/sqlite/uploads.hpp"
#include "chat/store/sqlite/views.hpp"

namespace payam::chat::sqlite {
namespace {

class Cost : public testing::Test {
 protected:
  Cost() {
    migrate(database_);
    for (int i = 0; i < 50; ++i) {
      const std::string name = "user" + std::to_string(i);
      create_user(database_, {UserId(name), name, name + "@example.com", {}, "hash", Timestamp{}, {}}).value();
    }
    create_upload(database_, {UploadId("f"), UserId("user0"), "a.png", "image/png", 1, {}, {}, Timestamp{}});
    create_session(database_, {SessionId("s"), UserId("user0"), "device", "address", "hash", Timestamp{}, Timestamp{}, {}});
  }

  Commit commit(const Change& change) { return appender_.apply(change).value(); }

  void create_room(const std::string& id, int members) {
    CreateRoom create{RoomId(id), UserId("user0"), "Room", {}, Timestamp{}};
    for (int i = 1; i < members; ++i) create.member_emails.push_back("user" + std::to_string(i) + "@example.com");
    commit(create);
  }
  void send(const std::string& room) {
    const std::string id = "m" + std::to_string(++messages_);
    commit(SendMessage{
        RoomId(room), UserId("user0"), MessageId(id), "@user1 /media/f/a.png", "c" + id, {}, {UploadId("f")}, Timestamp{}});
  }

  // Over all statements: steps through a table without an index, or instructions run.
  std::int64_t sum(int status, bool reset) {
    std::int64_t total = 0;
    for (sqlite3_stmt* one = sqlite3_next_stmt(database_.handle(), nullptr); one != nullptr;
         one = sqlite3_next_stmt(database_.handle(), one)) {
      total += sqlite3_stmt_status(one, status, reset);
    }
    return total;
  }

  Database database_{{.path = ":memory:"}};
  Appender appender_{database_, 1000};
  int messages_ = 0;
};

TEST_F(Cost, NoCallWalksAWholeTable) {
  create_room("r", 40);
  create_room("small", 2);
  const UserId user("user0");
  const RoomId room("r");
  for (int i = 0; i < 30; ++i) send("r");
  commit(OpenDirect{RoomId("d"), user, "user7@example.com", Timestamp{}});
  commit(AddMembers{RoomId("small"), user, {"user9@example.com"}, Timestamp{}});
  commit(RemoveMember{RoomId("small"), user, "user9@example.com", Timestamp{}});
  appender_.cache().flush();
  set_last_seen(database_, user, Timestamp{});

  EXPECT_TRUE(find_user(database_, user));
  EXPECT_TRUE(find_user_by_email(database_, "user0@example.com"));
  EXPECT_TRUE(find_user_by_username(database_, "USER0"));
  EXPECT_TRUE(find_session(database_, SessionId("s")));
  EXPECT_TRUE(find_upload(database_, UploadId("f"), UserId("user3")));
  EXPECT_TRUE(find_room(database_, room, user, 50));
  EXPECT_EQ(rooms_of(database_, user, RoomKind::group).size(), 2u);
  EXPECT_EQ(rooms_of(database_, user, RoomKind::direct).size(), 1u);
  EXPECT_EQ(room_ids_of(database_, user).size(), 3u);
  EXPECT_TRUE(is_member(database_, room, user));
  EXPECT_TRUE(history(database_, room, user, {}));
  EXPECT_TRUE(messages_after(database_, room, user, Seq{3}, {}));
  EXPECT_TRUE(changes_after(database_, room, user, Rev{3}, {}));
  EXPECT_EQ(contacts_of(database_, user, 3).size(), 2u);
  EXPECT_EQ(sessions_of(database_, user).size(), 1u);
  EXPECT_EQ(rotate_session(database_, SessionId("s"), {"hash", "next", "sealed"}, Timestamp{})->use, RefreshUse::current);
  EXPECT_TRUE(end_idle_sessions(database_, Timestamp{}, 10).empty());
  EXPECT_TRUE(renew_password_hash(database_, user, "hash", "another"));

  for (sqlite3_stmt* one = sqlite3_next_stmt(database_.handle(), nullptr); one != nullptr;
       one = sqlite3_next_stmt(database_.handle(), one)) {
    EXPECT_EQ(sqlite3_stmt_status(one, SQLITE_STMTSTATUS_FULLSCAN_STEP, 0), 0) << sqlite3_sql(one);
    EXPECT_EQ(sqlite3_stmt_status(one, SQLITE_STMTSTATUS_AUTOINDEX, 0), 0) << sqlite3_sql(one);
  }
}

TEST_F(Cost, AMessageCostsTheSameInALongHistoryAndALargeRoom) {
  create_room("small", 2);
  create_room("large", 50);
  const auto steps_of_a_send = [&](const char* room) {
    sum(SQLITE_STMTSTATUS_VM_STEP, true);
    send(room);
    appender_.cache().flush();
    return sum(SQLITE_STMTSTATUS_VM_STEP, true);
  };
  send("small");
  appender_.cache().flush();
  const auto first = steps_of_a_send("small");
  for (int i = 0; i < 2000; ++i) send("large");
  appender_.cache().flush();
  EXPECT_EQ(steps_of_a_send("large"), first);
}

TEST_F(Cost, APageOfLongMessagesIsReadNoFurtherThanItGoes) {
  const auto steps_of_a_page = [&](const char* room, HistoryQuery::From from) {
    sum(SQLITE_STMTSTATUS_VM_STEP, true);
    EXPECT_EQ(history(database_, RoomId(room), UserId("user0"), {from, {}, 500})->messages.size(), 8u);
    return sum(SQLITE_STMTSTATUS_VM_STEP, true);
  };
  for (const auto& [room, messages] : {std::pair("short", 12), {"long", 40}}) {
    create_room(room, 2);
    for (int i = 0; i < messages; ++i) {
      const std::string id = "m" + std::to_string(++messages_);
      commit(SendMessage{RoomId(room), UserId("user0"), MessageId(id), std::string(20'000, '\x01'), {}, {}, {}, Timestamp{}});
    }
  }
  appender_.cache().flush();
  for (const auto from : {HistoryQuery::From::newest, HistoryQuery::From::after}) {
    EXPECT_EQ(steps_of_a_page("long", from), steps_of_a_page("short", from));
  }
}

// The index's one thread takes in what it can in a moment, then looks who else waits.
TEST_F(Cost, TheIndexTakesInLongMessagesAFewAtATime) {
  database_.execute("ATTACH ':memory:' AS search");
  prepare_search_index(database_, "search");
  const auto steps_for = [this](const std::string& room, const std::string& content) {
    create_room(room, 1);
    for (int i = 0; i < 12; ++i) {
      const std::string id = room + std::to_string(i);
      commit(SendMessage{RoomId(room), UserId("user0"), MessageId(id), content, {}, {}, {}, Timestamp{}});
    }
    appender_.cache().flush();
    int steps = 1;
    while (follow_room(database_, RoomId(room))) ++steps;
    return steps;
  };
  EXPECT_EQ(steps_for("short", "a few words"), 1);
  // Thirteen entries: of 13 and 6 there is too much, 3 are few enough; of the other 10 and 5 too much, 2 go; then 4, and 4.
  EXPECT_EQ(steps_for("long", std::string(80'000, 'x')), 4);
  commit(EditMessage{{MessageId("long0"), RoomId("long")}, UserId("user0"), "found again", Timestamp{}});
  appender_.cache().flush();
  EXPECT_FALSE(follow_room(database_, RoomId("long")));
  EXPECT_EQ(search(database_, UserId("user0"), {"again", {}, {}}, SearchEffort{}, {})->hits.size(), 1u);
}

}  // namespace
}  // namespace payam::chat::sqlite
