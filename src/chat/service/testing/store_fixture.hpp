// For tests: a shard, and a store in memory with people in it.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/ulid.hpp"
#include "chat/service/rooms.hpp"
#include "chat/service/testing/run_on.hpp"
#include "chat/store/sqlite/sqlite_store.hpp"
#include "runtime/shard_set.hpp"
#include "runtime/task_group.hpp"

namespace payam::chat::testing {

class StoreFixture : public ::testing::Test {
 protected:
  ~StoreFixture() override { EXPECT_TRUE(tasks_.wait(std::chrono::seconds(10))); }

  // Runs a coroutine to its end on the shard.
  void on_shard(std::function<Task<>()> work) { run_on(tasks_, shards_[0], std::move(work)); }

  // `name@example.org`, whose password hash is of no use.
  UserId make_user(const std::string& name) {
    User user;
    user.id = UserId(new_ulid());
    user.username = name;
    user.email = name + "@example.org";
    user.password_hash = "x";
    user.created_at = wall_now();
    on_shard([&]() -> Task<> { EXPECT_TRUE(co_await store_->create_user(user)); });
    return user.id;
  }

  RoomId make_room(const UserId& owner, const std::vector<std::string>& names) {
    std::vector<std::string> emails;
    for (const auto& name : names) emails.push_back(name + "@example.org");
    RoomId id;
    on_shard([&]() -> Task<> {
      const auto state = co_await rooms_.create(owner, "A room", emails);
      EXPECT_TRUE(state);
      if (state) id = state->room.id;
    });
    return id;
  }

  // What completes to the shard ends before it.
  TaskGroup tasks_{[](const std::string& name, const std::exception& error) { ADD_FAILURE() << name << ": " << error.what(); }};
  ShardSet shards_{1};
  std::unique_ptr<Store> store_ = open_sqlite_store({.path = ":memory:"});
  Rooms rooms_{*store_};
};

}  // namespace payam::chat::testing
