// Many at once, on several shards.
#include <map>
#include <set>

#include "chat/store/contract/store_contract.hpp"

namespace payam::chat {
namespace {

using testing::ElementsAre;

// Sends one after the other, each when the one before is acknowledged.
Task<std::vector<Message>> send_in_turn(Store& store, std::vector<SendMessage> changes) {
  std::vector<Message> acknowledged;
  for (SendMessage& send : changes) {
    Change change = std::move(send);
    const auto result = co_await store.commit(std::move(change));
    acknowledged.push_back(std::get<MessageAdded>(result.value().entry.body).message);
  }
  co_return acknowledged;
}

TEST_P(StoreContract, ManySendersShareRoomsInOneOrder) {
  constexpr int kSenders = 12;
  constexpr int kEach = 40;
  std::vector<std::string> names;
  for (int i = 0; i < kSenders; ++i) names.push_back("user" + std::to_string(i));
  for (const std::string& name : names) add_user(name);
  create_room("r0", "user0", names);
  create_room("r1", "user0", names);

  std::vector<std::future<std::vector<Message>>> futures;
  for (int sender = 0; sender < kSenders; ++sender) {
    std::vector<SendMessage> changes;
    for (int i = 0; i < kEach; ++i) {
      changes.push_back(
          message("r" + std::to_string((sender + i) % 2), names[static_cast<std::size_t>(sender)], std::to_string(i)));
      changes.back().client_id = std::to_string(i);
    }
    futures.push_back(spawn(send_in_turn(store(), std::move(changes)), sender % kShards));
  }
  std::map<std::string, std::map<std::int64_t, Message>> acknowledged;  // by room and seq
  for (auto& future : futures) {
    for (Message& one : future.get()) {
      auto& room = acknowledged[one.room.str()];
      const auto seq = one.seq.value;
      ASSERT_TRUE(room.emplace(seq, std::move(one)).second) << "two messages have seq " << seq;
    }
  }
  for (const auto& [room, messages] : acknowledged) {
    ASSERT_EQ(messages.size(), static_cast<std::size_t>(kSenders * kEach / 2));
    std::map<std::string, int> last_of_sender;
    std::int64_t seq = 0;
    const auto stored = wait(store().messages_after(RoomId(room), user_id("user0"), Seq{0}, {1000, 1 << 20})).value();
    for (const Message& one : stored.messages) {
      ASSERT_EQ(one.seq.value, ++seq);
      ASSERT_EQ(one.rev.value, seq + 1);
      ASSERT_EQ(one, messages.at(seq));
      int& last = last_of_sender.emplace(*one.sender, -1).first->second;
      ASSERT_GT(std::stoi(one.content), last) << "a sender's own messages keep their order";
      last = std::stoi(one.content);
    }
    ASSERT_EQ(seq, kSenders * kEach / 2);
  }
  std::map<std::string, std::int64_t> told;
  for (const Commit& commit : published()) ASSERT_EQ(commit.entry.rev.value, ++told[commit.entry.room.str()]);
  EXPECT_THAT(told, ElementsAre(std::pair("r0", kSenders * kEach / 2 + 1), std::pair("r1", kSenders * kEach / 2 + 1)));
}

Task<int> send_and_look(Store& store, std::vector<SendMessage> changes) {
  int seen = 0;
  for (SendMessage& send : changes) {
    const RoomId room = send.room;
    const UserId sender = send.sender;
    Change change = std::move(send);
    const Commit commit = (co_await store.commit(std::move(change))).value();
    const Message& mine = std::get<MessageAdded>(commit.entry.body).message;
    const HistoryQuery query{HistoryQuery::From::around, mine.seq, 1};
    const auto page = co_await store.history(room, sender, query);
    if (page && page->messages == std::vector{mine}) ++seen;
  }
  co_return seen;
}

TEST_P(StoreContract, WhatWasAcknowledgedIsSeenByEveryReadAfterwards) {
  constexpr int kEach = 30;
  add_user("ali");
  create_room("r", "ali");
  std::vector<std::future<int>> futures;
  for (int sender = 0; sender < 6; ++sender) {
    std::vector<SendMessage> changes;
    for (int i = 0; i < kEach; ++i) changes.push_back(message("r", "ali", "text"));
    futures.push_back(spawn(send_and_look(store(), std::move(changes)), sender % kShards));
  }
  for (auto& future : futures) EXPECT_EQ(future.get(), kEach);
}

TEST_P(StoreContract, TwoWhoOpenADirectRoomAtOnceGetTheSame) {
  add_user("ali");
  add_user("sara");
  std::vector<std::future<Result<Commit>>> answers;
  for (int i = 0; i < 20; ++i) {
    const bool from_ali = i % 2 == 0;
    const OpenDirect open{RoomId("d" + std::to_string(i)), user_id(from_ali ? "ali" : "sara"), email(from_ali ? "sara" : "ali"),
                          at(i)};
    answers.push_back(spawn(store().commit(open), i % kShards));
  }
  std::set<std::string> ids;
  int fresh = 0;
  for (auto& answer : answers) {
    const Commit opened = answer.get().value();
    ids.insert(opened.entry.room.str());
    fresh += opened.repeated ? 0 : 1;
  }
  EXPECT_EQ(ids.size(), 1u);
  EXPECT_EQ(fresh, 1);
  EXPECT_EQ(published().size(), 1u);
}

TEST_P(StoreContract, NothingIsSentAfterTheSenderWasRemoved) {
  add_user("ali");
  add_user("sara");
  create_room("r", "ali", {"sara"});
  std::vector<std::future<Result<Commit>>> answers;
  std::optional<std::future<Result<Commit>>> removal;
  for (int i = 0; i < 90; ++i) {
    answers.push_back(spawn(store().commit(message("r", "sara", std::to_string(i))), i % kShards));
    if (i == 45) removal = spawn(store().commit(RemoveMember{RoomId("r"), user_id("ali"), "sara@example.com", at(1)}), 0);
  }
  const Rev removed = removal->get().value().entry.rev;
  int sent = 0;
  for (auto& answer : answers) {
    const auto result = answer.get();
    if (result) {
      EXPECT_LT(result->entry.rev, removed);
      ++sent;
    } else {
      EXPECT_EQ(result.error().code, Errc::not_member);
    }
  }
  const auto stored = wait(store().history(RoomId("r"), user_id("ali"), {HistoryQuery::From::newest, {}, 500})).value();
  EXPECT_EQ(stored.messages.size(), static_cast<std::size_t>(sent));
  EXPECT_EQ(removed.value, sent + 2);
}

}  // namespace
}  // namespace payam::chat
