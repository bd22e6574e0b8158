#include "runtime/shard_set.hpp"

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <thread>

namespace payam {

struct ShardSet::Member {
  explicit Member(int id) : shard(id, context), guard(context.get_executor()) {
    thread = std::thread([this] { context.run(); });
  }

  // No concurrency hint of 1: that would forbid posting from other threads without locks of our own.
  asio::io_context context;
  Shard shard;
  asio::executor_work_guard<Executor> guard;
  std::thread thread;
};

ShardSet::ShardSet(int count) {
  for (int id = 0; id < std::max(count, 1); ++id) members_.push_back(std::make_unique<Member>(id));
}

ShardSet::~ShardSet() {
  stop();
  join();
}

Shard& ShardSet::operator[](int index) { return members_[static_cast<std::size_t>(index)]->shard; }

void ShardSet::stop() {
  for (auto& member : members_) member->context.stop();
}

void ShardSet::join() {
  for (auto& member : members_) {
    if (member->thread.joinable()) member->thread.join();
  }
}

}  // namespace payam
