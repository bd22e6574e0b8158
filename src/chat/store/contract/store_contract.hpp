// What every store must do, once: the TEST_Ps in this folder are linked into each store's own test program, which
// instantiates them with its way to open one.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "chat/store/store.hpp"
#include "runtime/shard_set.hpp"

namespace payam::chat {

// An empty database of its own, removed at the end.
class StoreHost {
 public:
  virtual ~StoreHost() = default;
  virtual std::unique_ptr<Store> open() = 0;  // again and again, one at a time
  virtual bool keeps_data() const = 0;        // from one open() to the next
};

struct StoreKind {
  std::string name;
  std::function<std::unique_ptr<StoreHost>()> make_host;
};

inline void PrintTo(const StoreKind& kind, std::ostream* out) { *out << kind.name; }

class StoreContract : public testing::TestWithParam<StoreKind> {
 protected:
  static constexpr int kShards = 3;

  StoreContract();
  ~StoreContract() override;

  Store& store() { return *store_; }
  // Closes the store and opens it again, where it keeps its data.
  void restart_if_kept();

  // Runs a task on a shard and gives its result, or throws what it threw.
  template <class T>
  T wait(Task<T> task, int shard = 0) {
    auto future = spawn(std::move(task), shard);
    if (future.wait_for(std::chrono::seconds(60)) != std::future_status::ready) throw std::runtime_error("timed out");
    return future.get();
  }
  template <class T>
  std::future<T> spawn(Task<T> task, int shard) {
    return asio::co_spawn(shards_[shard].executor(), std::move(task), asio::use_future);
  }

  // A moment `n` milliseconds after some fixed one.
  static Timestamp at(std::int64_t n) { return Timestamp(Millis(1'700'000'000'000 + n)); }

  // `ali` is ali@example.com, with the id user-ali.
  User add_user(const std::string& name);
  // Creator and members by name; the id is `id`.
  Commit create_room(const std::string& id, const std::string& creator, std::vector<std::string> members = {});
  Commit send(const std::string& room, const std::string& sender, const std::string& content);
  Result<Commit> commit(Change change) { return wait(store().commit(std::move(change))); }

  SendMessage message(const std::string& room, const std::string& sender, const std::string& content);
  static std::string email(const std::string& name) { return name + "@example.com"; }
  static UserId user_id(const std::string& name) { return UserId("user-" + name); }

  Result<SearchPage> search_for(const std::string& viewer, SearchQuery query) {
    return wait(store().search(user_id(viewer), std::move(query), {}));
  }
  std::vector<SearchHit> hits_for(const std::string& viewer, SearchQuery query) {
    return search_for(viewer, std::move(query)).value().hits;
  }
  // Contents, newest first.
  std::vector<std::string> found(const std::string& viewer, const std::string& text);
  std::vector<std::string> found_in(const std::string& room, const std::string& viewer, const std::string& text);

  // What the observer was told so far.
  std::vector<Commit> published();

 private:
  void open();

  ShardSet shards_{kShards};
  std::unique_ptr<StoreHost> host_;
  std::unique_ptr<Store> store_;
  std::mutex published_mutex_;
  std::vector<Commit> published_;
  int next_id_ = 0;
};

// The message an entry added; fails the test if it did something else.
const Message& message_of(const Commit& commit);
std::vector<std::string> contents(const std::vector<Message>& messages);
std::vector<std::string> contents(const std::vector<SearchHit>& hits);
std::vector<std::string> emails(const std::vector<Member>& members);

}  // namespace payam::chat
