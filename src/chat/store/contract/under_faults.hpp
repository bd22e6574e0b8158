// Promises 1 and 2 while something breaks: a little life in one room, a witness of what the outside was told, and what must be
// true of the store afterwards. Each store's own test breaks its own things.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "chat/store/store.hpp"
#include "runtime/shard_set.hpp"

namespace payam::chat {

struct Place {
  Seq seq;
  Rev rev;
  bool operator==(const Place&) const = default;
};
using Places = std::map<std::string, Place>;  // by client_id

// What the outside was told. Any thread.
class Witness {
 public:
  void acknowledged(const Commit& commit);
  void published(std::span<const Commit> commits);
  Places acknowledged() const;
  std::vector<Rev> published() const;

 private:
  mutable std::mutex mutex_;
  Places acknowledged_;
  std::vector<Rev> published_;
};

class UnderFaults : public testing::Test {
 protected:
  static constexpr int kShards = 2;
  static constexpr int kSenders = 3;
  static constexpr int kEach = 6;  // messages of a sender, and changes of the room
  static constexpr std::size_t kMessages = kSenders * kEach;

  static Timestamp at(std::int64_t n) { return Timestamp(Millis(1'700'000'000'000 + n)); }
  static UserId user(int number) { return UserId("u" + std::to_string(number)); }
  static std::string email(int number) { return "user" + std::to_string(number) + "@example.com"; }
  static const RoomId& room();

  template <class T>
  T wait(Task<T> task) {
    return asio::co_spawn(shards_[0].executor(), std::move(task), asio::use_future).get();
  }

  // Users and the room.
  void prepare(Store& store);
  // Everyone sends, each through one of the stores, and the room changes meanwhile. What fails is left; what is run again is a
  // retry of the same messages.
  void run(const std::vector<Store*>& stores, Witness& witness);
  // The room's log has no gap, no message is there twice, everything acknowledged is where it was said to be, and nobody is a
  // member without an entry that says so.
  void verify(Store& store, const Places& acknowledged);
  // In order, without a gap, from the first after the room's creation on.
  static void verify_published(const std::vector<Rev>& published);

  ShardSet shards_{kShards};
};

}  // namespace payam::chat
