// The child's part, apart from the tests' own, as the children know nothing of GoogleTest.
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <cstdlib>

#include "base/ulid.hpp"
#include "chat/store/contract/kill.hpp"
#include "runtime/shard_set.hpp"

namespace payam::chat {
namespace {

Task<> send_for_ever(Store& store, RoomId room, UserId sender) {
  for (;;) {
    const std::string id = new_ulid();
    SendMessage send{room, sender, MessageId(id), "text of " + id, "c" + id, {}, {}, wall_now()};
    Change change = std::move(send);
    const auto result = co_await store.commit(std::move(change));
    if (!result) _exit(3);
    const auto& message = std::get<MessageAdded>(result->entry.body).message;
    const std::string line =
        *message.client_id + " " + std::to_string(message.seq.value) + " " + std::to_string(message.rev.value) + "\n";
    if (::write(STDOUT_FILENO, line.data(), line.size()) != static_cast<ssize_t>(line.size())) _exit(4);
  }
}

Task<> prepare(Store& store, RoomId room, UserId user) {
  const User person{user, "ali", "ali@example.com", {}, "hash", wall_now(), {}};
  (void)co_await store.create_user(person);  // the second time it is there
  Change change = CreateRoom{room, user, "Room", {}, wall_now()};
  if (!co_await store.commit(std::move(change))) _exit(5);
}

}  // namespace

void send_until_killed(Store& store) {
  ShardSet shards(2);
  const RoomId room("r");
  const UserId user("u");
  asio::co_spawn(shards[0].executor(), prepare(store, room, user), asio::use_future).get();
  std::vector<std::future<void>> senders;
  for (int i = 0; i < 8; ++i) {
    senders.push_back(asio::co_spawn(shards[i % 2].executor(), send_for_ever(store, room, user), asio::use_future));
  }
  for (auto& sender : senders) sender.wait();
  _exit(6);
}

}  // namespace payam::chat
