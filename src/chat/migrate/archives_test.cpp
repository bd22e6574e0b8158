// Both stores as plain records: what is put into one comes out, the same from either, and as often as it is put.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>

#include "chat/store/mongo/mongo_archive.hpp"
#include "chat/store/mongo/test_server.hpp"
#include "chat/store/sqlite/sqlite_archive.hpp"
#include "chat/store/transfer.hpp"

namespace payam::chat::transfer {
namespace {

Timestamp at(std::int64_t millis) { return Timestamp(Millis(1'700'000'000'000 + millis)); }

UserRecord user(const std::string& id, const std::string& name) {
  return {UserId(id), name + "@example.org", name, "Full " + name, "$2b$04$hash", at(1), at(2)};
}

MessageRecord message(const RoomId& room, std::int64_t seq, std::int64_t rev, const std::string& sender) {
  MessageRecord record;
  record.room = room;
  record.seq = Seq{seq};
  record.id = MessageId(room.str() + "-m" + std::to_string(seq));
  record.first_rev = record.rev = Rev{rev};
  record.sender = UserId(sender);
  record.at = at(100 + rev);
  record.content = "سلام " + std::to_string(seq);
  return record;
}

EntryRecord entry(const RoomId& room, EntryRecord::Kind kind, std::int64_t rev, std::int64_t seq) {
  EntryRecord record;
  record.room = room;
  record.rev = Rev{rev};
  record.kind = kind;
  record.seq = Seq{seq};
  record.at = at(100 + rev);
  record.actor = UserId("U1");
  return record;
}

// Something of every kind, with every field that may be there, there once and missing once.
std::vector<Record> everything() {
  std::vector<Record> records;
  records.emplace_back(user("U1", "sara"));
  records.emplace_back(user("U2", "omid"));
  UserRecord plain = user("U3", "nima");
  plain.full_name.reset();
  plain.last_seen.reset();
  records.emplace_back(plain);
  UserRecord erased;
  erased.id = UserId("U4");
  erased.created_at = at(3);
  records.emplace_back(erased);
  records.emplace_back(BlockRecord{UserId("U1"), UserId("U3")});
  records.emplace_back(SessionRecord{SessionId("S1"),
                                     UserId("U1"),
                                     "device",
                                     "192.0.2.1",
                                     "hash",
                                     at(4),
                                     at(5),
                                     {{"older", at(5), "1.sealed"}, {"old", at(6), "1.box"}}});
  records.emplace_back(SessionRecord{SessionId("S2"), UserId("U2"), "", "::1", "hash 2", at(4), at(5), {}});
  records.emplace_back(UploadRecord{UploadId("F1"), UserId("U1"), "عکس.png", "image/png", 33, 1, 2, at(7)});
  records.emplace_back(UploadRecord{UploadId("F2"), UserId("U1"), "a.txt", "text/plain", 0, {}, {}, at(8)});

  const RoomId group("R1"), direct("R2");
  records.emplace_back(RoomRecord{{group, RoomKind::group, "دوستان", "a topic", at(101), Seq{4}, Rev{11}}, at(110), {}});
  records.emplace_back(
      RoomRecord{{direct, RoomKind::direct, "", "", at(101), Seq{1}, Rev{2}}, at(102), std::pair(UserId("U1"), UserId("U2"))});
  records.emplace_back(MemberRecord{group, UserId("U1"), Role::owner, Seq{4}, {}, at(101)});
  records.emplace_back(MemberRecord{group, UserId("U2"), Role::admin, Seq{2}, {}, at(106)});
  records.emplace_back(MemberRecord{direct, UserId("U1"), Role::member, Seq{0}, Seq{1}, at(101)});
  records.emplace_back(MemberRecord{direct, UserId("U2"), Role::member, Seq{1}, {}, at(101)});
  records.emplace_back(RemovalRecord{group, UserId("U2"), Rev{5}});  // and is back
  records.emplace_back(RemovalRecord{group, UserId("U3"), Rev{7}});
  records.emplace_back(InviteRecord{{"token", group, UserId("U1"), at(9), at(900), 3}, Rev{1}});
  records.emplace_back(InviteRecord{{"token 2", group, UserId("U1"), at(9), {}, {}}, Rev{4}});

  EntryRecord created = entry(group, EntryRecord::Kind::room_created, 1, 0);
  created.name = "Before";
  created.named = {{UserId("U1"), Role::owner}, {UserId("U2"), Role::member}};
  records.emplace_back(created);
  EntryRecord edited = entry(group, EntryRecord::Kind::message_updated, 4, 2);
  edited.subject = EntryRecord::Subject{Seq{1}, MessageId("R1-m1"), Rev{2}};
  records.emplace_back(edited);
  using Kind = EntryRecord::Kind;
  for (const auto& [kind, rev] :
       {std::pair(Kind::member_removed, 5), std::pair(Kind::members_added, 6), std::pair(Kind::role_changed, 8)}) {
    EntryRecord named = entry(group, kind, rev, 2);
    named.named = {{UserId("U2"), rev == 8 ? Role::admin : Role::member}};
    records.emplace_back(named);
  }
  EntryRecord removed = entry(group, EntryRecord::Kind::member_removed, 7, 2);
  removed.named = {{UserId("U3"), Role::member}};
  records.emplace_back(removed);
  EntryRecord renamed = entry(group, EntryRecord::Kind::room_updated, 9, 2);
  renamed.name = "دوستان";
  renamed.topic = "a topic";
  records.emplace_back(renamed);
  EntryRecord opened = entry(direct, EntryRecord::Kind::room_created, 1, 0);
  opened.named = {{UserId("U1"), Role::member}, {UserId("U2"), Role::member}};
  records.emplace_back(opened);

  MessageRecord first = message(group, 1, 2, "U1");
  first.rev = Rev{4};
  first.edited_at = at(104);
  first.client_id = "c1";
  first.pinned = true;
  first.reactions = {{"👍", UserId("U2")}, {"👍", UserId("U1")}, {"🎉", UserId("U2")}};
  first.mentions = {UserId("U2"), UserId("U1")};
  first.attachments = {UploadId("F2"), UploadId("F1")};
  records.emplace_back(first);
  MessageRecord second = message(group, 2, 3, "U4");
  second.reply_to = MessageId("R1-m1");
  records.emplace_back(second);
  MessageRecord third = message(group, 3, 10, "U1");
  third.links = {UploadId("F1")};
  records.emplace_back(third);
  MessageRecord fourth = message(group, 4, 11, "U1");
  fourth.content.clear();
  fourth.deleted = true;
  records.emplace_back(fourth);
  records.emplace_back(message(direct, 1, 2, "U2"));
  return records;
}

std::vector<Record> all(Archive& archive) {
  std::vector<Record> records;
  archive.read([&](Record record) { records.push_back(std::move(record)); });
  return records;
}
std::vector<std::string> texts(const std::vector<Record>& records) {
  std::vector<std::string> list;
  for (const Record& record : records) list.push_back(std::to_string(record.index()) + " " + canonical(record));
  std::ranges::sort(list);
  return list;
}

class ArchivesTest : public testing::Test {
 protected:
  ArchivesTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "payam-archive-XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
    sqlite_ = open_sqlite_archive(directory_ / "payam.db");
  }
  ~ArchivesTest() override {
    sqlite_.reset();
    std::filesystem::remove_all(directory_);
  }

  std::filesystem::path directory_;
  mongo::Client client_{
      {.url = mongo::TestServer::shared().url(), .database = mongo::TestServer::new_database(), .threads = 1}};
  std::unique_ptr<Archive> sqlite_;
  std::unique_ptr<Archive> mongo_ = open_mongo_archive(client_);
};

TEST_F(ArchivesTest, GiveBackWhatWasPut) {
  const auto records = everything();
  for (Archive* archive : {sqlite_.get(), mongo_.get()}) {
    archive->put(records);
    EXPECT_EQ(texts(all(*archive)), texts(records));
  }
}

TEST_F(ArchivesTest, APutThatIsMadeAgainChangesNothing) {
  const auto records = everything();
  const std::span<const Record> some(records.data(), 12);
  for (Archive* archive : {sqlite_.get(), mongo_.get()}) {
    archive->put(some);
    archive->put(records);
    archive->put(records);
    EXPECT_EQ(texts(all(*archive)), texts(records));
  }
}

TEST_F(ArchivesTest, OneIntoTheOtherAndBackIsTheSame) {
  sqlite_->put(everything());
  mongo_->put(all(*sqlite_));
  EXPECT_EQ(texts(all(*mongo_)), texts(everything()));
  const auto back = open_sqlite_archive(directory_ / "back.db");
  back->put(all(*mongo_));
  EXPECT_EQ(texts(all(*back)), texts(everything()));
}

TEST(Digest, SeesEveryDifferenceButTheOrder) {
  const auto digest = [](const std::vector<Record>& records) {
    Digest sum;
    for (const Record& record : records) sum.add(record);
    return sum;
  };
  auto records = everything();
  const Digest whole = digest(records);
  std::ranges::reverse(records);
  EXPECT_TRUE(digest(records) == whole);
  std::get<MessageRecord>(records.front()).content += ' ';
  EXPECT_FALSE(digest(records) == whole);
  records.pop_back();
  EXPECT_FALSE(digest(records) == whole);
}

TEST(Digest, NoTwoRecordsHaveOneText) {
  EXPECT_NE(canonical(BlockRecord{UserId("ab"), UserId("c")}), canonical(BlockRecord{UserId("a"), UserId("bc")}));
  MessageRecord one, other;
  one.attachments = {UploadId("F")};
  other.links = {UploadId("F")};
  EXPECT_NE(canonical(one), canonical(other));
}

}  // namespace
}  // namespace payam::chat::transfer
