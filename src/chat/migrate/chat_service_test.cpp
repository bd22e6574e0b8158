#include "chat/migrate/chat_service.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "chat/store/mongo/test_server.hpp"
#include "chat/store/sqlite/sqlite_archive.hpp"

namespace payam::chat::migrate {
namespace {

using namespace transfer;
using mongo::Array;
using mongo::doc;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// passlib.hash.bcrypt.hash("sara's password", rounds=4)
constexpr std::string_view kHash = "$2b$04$abcdefghijklmnopqrstuuY8zCVnBmeVzP2kvqDmnGMyC5tRjqRC6";
const mongo::ObjectId kRoomId{{0x66, 0x38, 0x81, 0xd9, 1, 2, 3, 4, 5, 6, 7, 8}};  // made 2024-05-06T07:08:09Z

mongo::Document user(int number, std::string_view name, std::string_view email) {
  mongo::ObjectId id{{0x66, 0x38, 0x81, 0xd9}};
  id.bytes[11] = static_cast<std::uint8_t>(number);
  return doc("_id", id, "username", name, "email", email, "hashed_password", kHash);
}
mongo::Document message(std::string_view sender, std::string_view content, std::string_view at) {
  return doc("sender", sender, "content", content, "timestamp", at);
}

class ChatServiceImport : public testing::Test {
 protected:
  ChatServiceImport() {
    std::string pattern = (std::filesystem::temp_directory_path() / "payam-import-XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
    target_ = open_sqlite_archive(directory_ / "payam.db");
    put("users", user(1, "sara", "Sara@example.org"));
    put("users", user(2, "omid", "omid@example.org"));
  }
  ~ChatServiceImport() override {
    target_.reset();
    std::filesystem::remove_all(directory_);
  }

  void put(std::string_view collection, const mongo::Document& document) { ASSERT_TRUE(source_.insert(collection, document)); }

  ImportReport run() {
    auto report = import_chat_service(source_, *target_);
    records_.clear();
    target_->read([this](Record record) { records_.push_back(std::move(record)); });
    return report;
  }
  template <class T>
  std::vector<T> all() const {
    std::vector<T> found;
    for (const Record& record : records_) {
      if (const auto* one = std::get_if<T>(&record)) found.push_back(*one);
    }
    return found;
  }
  std::string email(const UserId& id) const {
    for (const UserRecord& one : all<UserRecord>()) {
      if (one.id == id) return one.email.value_or("(nobody)");
    }
    return "(unknown)";
  }

  std::filesystem::path directory_;
  mongo::Client client_{
      {.url = mongo::TestServer::shared().url(), .database = mongo::TestServer::new_database(), .threads = 1}};
  mongo::Connection source_ = client_.connect();
  std::unique_ptr<Archive> target_;
  std::vector<Record> records_;
};

TEST_F(ChatServiceImport, UsersKeepTheirHashesAndRoomsTheirMessagesInOrderWithTheirTimes) {
  put("chat_rooms",
      doc("_id", kRoomId, "name", "دوستان", "members", Array().push("sara@example.org").push("OMID@example.org"), "messages",
          Array()
              .push(message("sara@example.org", "سلام @omid", "2024-05-06T08:00:00.250000"))
              .push(doc("sender", "omid@example.org", "content", "Hi", "timestamp", Timestamp(Millis(1714982401000))))));
  const ImportReport report = run();
  EXPECT_THAT(report.skipped, IsEmpty());
  EXPECT_THAT(report.notes, IsEmpty());
  EXPECT_EQ(report.users.taken, 2u);
  EXPECT_EQ(report.rooms.taken, 1u);
  EXPECT_EQ(report.messages.found, 2u);
  EXPECT_EQ(report.messages.taken, 2u);

  const auto users = all<UserRecord>();
  ASSERT_EQ(users.size(), 2u);
  EXPECT_EQ(users[0].email, "sara@example.org");
  EXPECT_EQ(users[0].username, "sara");
  EXPECT_EQ(users[0].password_hash, kHash);
  const auto rooms = all<RoomRecord>();
  ASSERT_EQ(rooms.size(), 1u);
  EXPECT_EQ(rooms[0].room.name, "دوستان");
  EXPECT_EQ(to_iso8601(rooms[0].room.created_at), "2024-05-06T07:08:09.000Z");
  EXPECT_EQ(rooms[0].room.last_seq, Seq{2});
  EXPECT_EQ(rooms[0].room.rev, Rev{3});
  EXPECT_EQ(to_iso8601(rooms[0].active_at), "2024-05-06T08:00:01.000Z");
  const auto members = all<MemberRecord>();
  ASSERT_EQ(members.size(), 2u);
  for (const MemberRecord& member : members) {
    EXPECT_EQ(member.role, email(member.user) == "sara@example.org" ? Role::owner : Role::member) << "the first is the owner";
    EXPECT_EQ(member.read_seq, Seq{2}) << "nothing is unread";
  }
  const auto messages = all<MessageRecord>();
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_EQ(messages[0].content, "سلام @omid");
  EXPECT_EQ(email(messages[0].sender), "sara@example.org");
  EXPECT_EQ(to_iso8601(messages[0].at), "2024-05-06T08:00:00.250Z");
  EXPECT_EQ(messages[0].first_rev, Rev{2});
  ASSERT_EQ(messages[0].mentions.size(), 1u);
  EXPECT_EQ(email(messages[0].mentions[0]), "omid@example.org");
  EXPECT_EQ(to_iso8601(messages[1].at), "2024-05-06T08:00:01.000Z");
  EXPECT_LT(messages[0].id, messages[1].id);
  const auto entries = all<EntryRecord>();
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].kind, EntryRecord::Kind::room_created);
  EXPECT_EQ(entries[0].named.size(), 2u);
}

TEST_F(ChatServiceImport, ASecondRunAddsNothing) {
  put("chat_rooms", doc("_id", kRoomId, "name", "room", "members", Array().push("sara@example.org"), "messages",
                        Array()
                            .push(message("sara@example.org", "one", "2024-05-06T08:00:00"))
                            .push(message("gone@example.org", "two", "2024-05-06T08:00:01"))));
  run();
  Digest first;
  for (const Record& record : records_) first.add(record);
  const ImportReport again = run();
  Digest second;
  for (const Record& record : records_) second.add(record);
  EXPECT_TRUE(first == second);
  EXPECT_EQ(again.users.taken + again.rooms.taken + again.messages.taken, 0u);
  EXPECT_EQ(again.users.there, 2u);
  EXPECT_EQ(again.rooms.there, 1u);
  EXPECT_EQ(again.messages.there, 2u);
  EXPECT_THAT(again.skipped, IsEmpty());
}

TEST_F(ChatServiceImport, GoesOnWhereItWasStopped) {
  run();
  put("users", user(3, "nima", "nima@example.org"));
  put("chat_rooms", doc("_id", "text id", "name", "late", "members", Array().push("nima@example.org")));
  const ImportReport report = run();
  EXPECT_EQ(report.users.there, 2u);
  EXPECT_EQ(report.users.taken, 1u);
  EXPECT_EQ(report.rooms.taken, 1u);
  EXPECT_EQ(all<UserRecord>().size(), 3u);
}

TEST_F(ChatServiceImport, MessagesThatCameAfterTheTakeoverAreTold) {
  const auto room = [](int count) {
    Array messages;
    for (int i = 0; i < count; ++i) messages.push(message("sara@example.org", "text", "2024-05-06T08:00:00"));
    return doc("name", "room", "members", Array().push("sara@example.org"), "messages", messages);
  };
  put("chat_rooms", doc("_id", kRoomId).add_all(room(2)).copy());
  run();
  source_.update("chat_rooms", doc("_id", kRoomId), room(5));
  const ImportReport report = run();
  EXPECT_THAT(report.skipped,
              ElementsAre("room 663881d90102030405060708: 3 messages that came after it was taken over; it goes on here"));
  EXPECT_EQ(all<MessageRecord>().size(), 2u);
}

TEST_F(ChatServiceImport, WhatCannotBeTakenIsSaidWithTheReason) {
  put("users", doc("_id", "no mail", "username", "x"));
  put("users", user(4, "other", "SARA@example.org"));
  put("chat_rooms", doc("_id", "empty", "name", "nobody", "members", Array()));
  put("chat_rooms",
      doc("_id", "r", "name", "some", "members", Array().push("sara@example.org").push("gone@example.org"), "messages",
          Array().push("a text").push(doc("sender", "sara@example.org", "timestamp", "2024-05-06T08:00:00"))));
  put("notifications", doc("_id", 1));
  const ImportReport report = run();
  EXPECT_THAT(report.skipped,
              testing::UnorderedElementsAre("user no mail: no e-mail address", HasSubstr("another user has the same e-mail"),
                                            "room empty: nobody is in it", "room r: member gone@example.org is no user",
                                            "room r, message 1: not a document", "room r, message 2: no content that is a text",
                                            "collection notifications: 1 documents, not known"));
  EXPECT_THAT(report.text(), HasSubstr("skipped: room empty: nobody is in it\n"));
}

TEST_F(ChatServiceImport, WhatIsTakenOtherwiseIsNoted) {
  put("users", user(5, "SARA", "second@example.org"));
  put("users", doc("_id", "weak", "email", "weak@example.org", "hashed_password", "md5:1234"));
  put("users", user(6, "off", "off@example.org").add("disabled", true).copy());
  put("chat_rooms", doc("_id", "r", "members", Array().push("sara@example.org"), "messages",
                        Array()
                            .push(message("gone@example.org", "kept", "2024-05-06T08:00:00"))
                            .push(doc("sender", "sara@example.org", "content", "no time"))));
  const ImportReport report = run();
  EXPECT_THAT(report.notes,
              testing::UnorderedElementsAre(HasSubstr("is called SARA2 here, as the name was taken"),
                                            "user weak: no bcrypt hash, so nobody can sign in to it",
                                            HasSubstr("disabled, so nobody can sign in to it"), "room r: had no name",
                                            "room r, message 1: its sender gone@example.org is no user, so it has none",
                                            "room r, message 2: had no time, so it has that of the message before"));
  const auto messages = all<MessageRecord>();
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_EQ(email(messages[0].sender), "(nobody)");
  EXPECT_EQ(messages[1].at, messages[0].at);
  for (const UserRecord& one : all<UserRecord>()) {
    if (one.email == "off@example.org") EXPECT_EQ(one.password_hash, "!" + std::string(kHash));
    if (one.email == "weak@example.org") EXPECT_EQ(one.username, "weak");
  }
}

TEST_F(ChatServiceImport, PrivateChatsBecomeOnesOfTwo) {
  put("private_chats", doc("_id", "p1", "participants", Array().push("sara@example.org").push("omid@example.org"), "messages",
                           Array().push(message("omid@example.org", "psst", "2024-05-06T08:00:00"))));
  put("private_chats", doc("_id", "p2", "user1", "omid@example.org", "user2", "sara@example.org"));
  put("private_chats", doc("_id", "p3", "participants", Array().push("sara@example.org")));
  const ImportReport report = run();
  EXPECT_EQ(report.private_chats.found, 3u);
  EXPECT_EQ(report.private_chats.taken, 1u);
  EXPECT_THAT(report.skipped, ElementsAre(HasSubstr("private chat p2: the two have a private chat already"),
                                          "private chat p3: 1 known people are in it, not two"));
  const auto rooms = all<RoomRecord>();
  ASSERT_EQ(rooms.size(), 1u);
  EXPECT_EQ(rooms[0].room.kind, RoomKind::direct);
  EXPECT_TRUE(rooms[0].pair);
  EXPECT_EQ(run().private_chats.there, 1u);
}

}  // namespace
}  // namespace payam::chat::migrate
