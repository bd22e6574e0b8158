#include "chat/store/contract/under_faults.hpp"

#include <future>
#include <set>

namespace payam::chat {
namespace {

Task<> send_all(Store& store, Witness& witness, std::vector<SendMessage> messages) {
  for (SendMessage& message : messages) {
    Change change = std::move(message);
    try {
      const auto result = co_await store.commit(std::move(change));
      if (result) witness.acknowledged(*result);
    } catch (const std::runtime_error&) {
      // The next one may do better.
    }
  }
}

Task<> make_all(Store& store, std::vector<Change> changes) {
  for (Change& change : changes) {
    try {
      (void)co_await store.commit(std::move(change));
    } catch (const std::runtime_error&) {
    }
  }
}

}  // namespace

void Witness::acknowledged(const Commit& commit) {
  const auto& message = std::get<MessageAdded>(commit.entry.body).message;
  const std::lock_guard lock(mutex_);
  acknowledged_.emplace(*message.client_id, Place{message.seq, commit.entry.rev});
}

void Witness::published(std::span<const Commit> commits) {
  const std::lock_guard lock(mutex_);
  for (const Commit& commit : commits) published_.push_back(commit.entry.rev);
}

Places Witness::acknowledged() const {
  const std::lock_guard lock(mutex_);
  return acknowledged_;
}

std::vector<Rev> Witness::published() const {
  const std::lock_guard lock(mutex_);
  return published_;
}

const RoomId& UnderFaults::room() {
  static const RoomId room("r");
  return room;
}

void UnderFaults::prepare(Store& store) {
  for (int i = 0; i <= kSenders; ++i) {
    const User person{user(i), "user" + std::to_string(i), email(i), {}, "hash", at(0), {}};
    ASSERT_TRUE(wait(store.create_user(person)));
  }
  CreateRoom create{room(), user(0), "Room", {}, at(0)};
  for (int i = 1; i < kSenders; ++i) create.member_emails.push_back(email(i));
  ASSERT_TRUE(wait(store.commit(create)));
}

void UnderFaults::run(const std::vector<Store*>& stores, Witness& witness) {
  // Someone comes and goes, and the room is renamed.
  std::vector<Change> changes;
  for (int i = 0; i < kEach; ++i) {
    Change change = AddMembers{room(), user(0), {email(kSenders)}, at(i)};
    if (i % 3 == 1) change = UpdateRoom{room(), user(0), "Room " + std::to_string(i), {}, at(i)};
    if (i % 3 == 2) change = RemoveMember{room(), user(0), email(kSenders), at(i)};
    changes.push_back(std::move(change));
  }
  std::vector<std::future<void>> futures;
  futures.push_back(asio::co_spawn(shards_[0].executor(), make_all(*stores[0], std::move(changes)), asio::use_future));
  for (int sender = 0; sender < kSenders; ++sender) {
    std::vector<SendMessage> messages;
    for (int i = 0; i < kEach; ++i) {
      const std::string name = std::to_string(sender) + "-" + std::to_string(i);
      messages.push_back({room(), user(sender), MessageId("m" + name), std::string(500, 'x'), name, {}, {}, at(i)});
    }
    Store& store = *stores[static_cast<std::size_t>(sender) % stores.size()];
    futures.push_back(
        asio::co_spawn(shards_[sender % kShards].executor(), send_all(store, witness, std::move(messages)), asio::use_future));
  }
  for (auto& future : futures) future.get();
}

void UnderFaults::verify(Store& store, const Places& acknowledged) {
  const auto all = wait(store.changes_after(room(), user(0), Rev{0}, {10'000, 100 << 20})).value();
  const auto view = wait(store.find_room(room(), user(0), 0)).value();
  std::set<Rev> revs;
  Places stored;
  std::int64_t seq = 0;
  for (const Message& message : all.messages) {
    EXPECT_EQ(message.seq.value, ++seq);
    revs.insert(message.rev);
    EXPECT_TRUE(stored.emplace(*message.client_id, Place{message.seq, message.rev}).second) << "there twice";
  }
  for (const Entry& entry : all.changes) revs.insert(entry.rev);
  EXPECT_EQ(revs.size(), all.messages.size() + all.changes.size());
  EXPECT_EQ(revs.rbegin()->value, static_cast<std::int64_t>(revs.size()));
  EXPECT_EQ(view.room.rev, *revs.rbegin());
  EXPECT_EQ(view.room.last_seq.value, seq);
  for (const auto& [client_id, place] : acknowledged) {
    const auto found = stored.find(client_id);
    ASSERT_NE(found, stored.end()) << client_id << " was acknowledged and is lost";
    EXPECT_EQ(found->second, place) << client_id;
  }
  std::set<std::string> members;
  for (const Entry& entry : all.changes) {
    if (const auto* created = std::get_if<RoomCreated>(&entry.body)) {
      for (const auto& member : created->members) members.insert(*member.email);
    } else if (const auto* added = std::get_if<MembersAdded>(&entry.body)) {
      for (const auto& member : added->members) members.insert(*member.email);
    } else if (const auto* removed = std::get_if<MemberRemoved>(&entry.body)) {
      members.erase(*removed->member.email);
    }
  }
  std::set<std::string> present;
  for (const Member& member : view.members) present.insert(member.email);
  EXPECT_EQ(present, members);
}

void UnderFaults::verify_published(const std::vector<Rev>& published) {
  std::int64_t rev = 1;  // the room's creation
  for (const Rev one : published) EXPECT_EQ(one.value, ++rev);
}

}  // namespace payam::chat
