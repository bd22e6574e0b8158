// What the store can do on this disk: durable messages a second with 1, 10, 100 and 1,000 senders who each wait for their
// acknowledgement, and the time of a page of history in a short and in a long room.
//   store-bench [folder] [seconds a row]
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <string>
#include <vector>

#include "base/ulid.hpp"
#include "chat/store/sqlite/sqlite_store.hpp"
#include "runtime/shard_set.hpp"

namespace payam::chat {
namespace {

constexpr int kRooms = 50;
constexpr int kMembers = 10;  // of each room

const std::string kText(100, 'x');

template <class T>
T wait(Shard& shard, Task<T> task) {
  return asio::co_spawn(shard.executor(), std::move(task), asio::use_future).get();
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double since(SteadyTime start) { return std::chrono::duration<double>(steady_now() - start).count(); }

UserId user(int number) { return UserId("user-" + std::to_string(number)); }
RoomId room(int number) { return RoomId("room-" + std::to_string(number)); }

Task<> prepare(Store& store) {
  for (int i = 0; i < kMembers; ++i) {
    const std::string name = "user" + std::to_string(i);
    User person{user(i), name, name + "@example.com", std::nullopt, "hash", wall_now(), std::nullopt};
    co_await store.create_user(std::move(person));
  }
  for (int i = 0; i < kRooms; ++i) {
    CreateRoom create{room(i), user(0), "Room", {}, wall_now()};
    for (int member = 1; member < kMembers; ++member)
      create.member_emails.push_back("user" + std::to_string(member) + "@example.com");
    Change change = std::move(create);
    co_await store.commit(std::move(change));
  }
}

SendMessage new_message(int number, RoomId to) {
  std::string id = new_ulid();
  return {std::move(to), user(number % kMembers), MessageId(id), kText, "client-" + id, std::nullopt, {}, wall_now()};
}

Task<std::vector<double>> send_until(Store& store, int number, SteadyTime end) {
  std::vector<double> latencies;
  for (int i = number; steady_now() < end; i += 7) {
    Change change = new_message(number, room(i % kRooms));
    const auto start = steady_now();
    const auto result = co_await store.commit(std::move(change));
    if (!result) std::abort();
    latencies.push_back(since(start) * 1e3);
  }
  co_return latencies;
}

void measure_sends(const std::filesystem::path& file, ShardSet& shards, int senders, double seconds) {
  auto store = open_sqlite_store({.path = file});
  const double cpu = cpu_seconds();
  const auto start = steady_now();
  const auto end = start + std::chrono::duration_cast<SteadyTime::duration>(std::chrono::duration<double>(seconds));
  std::vector<std::future<std::vector<double>>> futures;
  for (int i = 0; i < senders; ++i) {
    futures.push_back(asio::co_spawn(shards[i % shards.size()].executor(), send_until(*store, i, end), asio::use_future));
  }
  std::vector<double> latencies;
  for (auto& future : futures) {
    const auto some = future.get();
    latencies.insert(latencies.end(), some.begin(), some.end());
  }
  const double elapsed = since(start);
  std::ranges::sort(latencies);
  const auto percentile = [&](double part) {
    return latencies[static_cast<std::size_t>(part * static_cast<double>(latencies.size() - 1))];
  };
  fmt::print("{:>6} senders: {:>7.0f} messages/s, {:>6.1f} CPU µs each, p50 {:.2f} ms, p99 {:.2f} ms\n", senders,
             static_cast<double>(latencies.size()) / elapsed,
             (cpu_seconds() - cpu) * 1e6 / static_cast<double>(latencies.size()), percentile(0.5), percentile(0.99));
}

Task<> send_many(Store& store, RoomId to, int first, int count) {
  for (int i = first; i < first + count; ++i) {
    Change change = new_message(i, to);
    co_await store.commit(std::move(change));
  }
}

Task<double> history_pages(Store& store, RoomId of, std::int64_t length) {
  constexpr int kPages = 500;
  const auto start = steady_now();
  for (int i = 0; i < kPages; ++i) {
    HistoryQuery query{HistoryQuery::From::before, Seq{1 + (i * 7919) % length}, 100};
    const auto page = co_await store.history(of, user(0), query);
    if (!page) std::abort();
  }
  co_return since(start) * 1e3 / kPages;
}

void measure_history(const std::filesystem::path& file, ShardSet& shards, int number, int length) {
  auto store = open_sqlite_store({.path = file});
  constexpr int kSenders = 200;
  std::vector<std::future<void>> futures;
  for (int i = 0; i < kSenders; ++i) {
    futures.push_back(asio::co_spawn(
        shards[0].executor(), send_many(*store, room(number), i * length / kSenders, length / kSenders), asio::use_future));
  }
  for (auto& future : futures) future.get();
  fmt::print("{:>7} messages in the room: {:.3f} ms a page of 100\n", length,
             wait(shards[0], history_pages(*store, room(number), length)));
}

}  // namespace
}  // namespace payam::chat

int main(int argc, char** argv) {
  using namespace payam;
  using namespace payam::chat;
  const std::filesystem::path folder = std::filesystem::path(argc > 1 ? argv[1] : ".") / "store-bench.tmp";
  const double seconds = argc > 2 ? std::atof(argv[2]) : 5;
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  ShardSet shards(1);
  {
    auto store = open_sqlite_store({.path = folder / "payam.db"});
    wait(shards[0], prepare(*store));
  }
  for (const int senders : {1, 10, 100, 1000}) measure_sends(folder / "payam.db", shards, senders, seconds);
  {
    auto store = open_sqlite_store({.path = folder / "history.db"});
    wait(shards[0], prepare(*store));
  }
  measure_history(folder / "history.db", shards, 1, 1'000);
  measure_history(folder / "history.db", shards, 2, 100'000);
  std::filesystem::remove_all(folder);
}
