// What a store can do here: durable messages a second with 1, 10, 100 and 1,000 senders who each wait for their
// acknowledgement; pages of history and sends in rooms that hold LENGTH messages. Everything ROUNDS times, one line of JSON
// each.
//   store-bench FOLDER SECONDS ROUNDS LENGTH…                       SQLite, in a new file of this folder
//   store-bench mongodb://HOST/DATABASE,PID SECONDS ROUNDS LENGTH…  a database that is empty; PID: its server
// `own_us` is the processor time of this process, `server_us` that of the database's, each a message or page.
#include <fmt/format.h>
#include <sys/types.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "base/ulid.hpp"
#include "chat/store/mongo/mongo_archive.hpp"
#include "chat/store/mongo/mongo_store.hpp"
#include "chat/store/mongo/schema.hpp"
#include "chat/store/sqlite/sqlite_archive.hpp"
#include "chat/store/sqlite/sqlite_store.hpp"
#include "load/usage.hpp"
#include "runtime/shard_set.hpp"
#include "runtime/unavailable.hpp"

namespace payam::chat {
namespace {

constexpr int kRooms = 50;
constexpr int kMembers = 10;  // of each room
constexpr int kPages = 300;
constexpr std::chrono::minutes kIndexing{30};  // at most

const std::string kText(100, 'x');

template <class T>
T wait(Shard& shard, Task<T> task) {
  return asio::co_spawn(shard.executor(), std::move(task), asio::use_future).get();
}

UserId user(int number) { return UserId("user-" + std::to_string(number)); }
RoomId room(int number) { return RoomId("room-" + std::to_string(number)); }
RoomId room_of(int length) { return RoomId("room-of-" + std::to_string(length)); }

struct Cpu {
  double own = 0, server = 0;  // seconds

  Cpu operator-(const Cpu& other) const { return {own - other.own, server - other.server}; }
};

// `server`: its process, 0 if there is none.
Cpu cpu_now(pid_t server) { return {bench::own_cpu(), bench::usage_of(server).cpu()}; }

double since(SteadyTime start) { return std::chrono::duration<double>(steady_now() - start).count(); }

// Wall and processor time of something done `count` times.
class Stretch {
 public:
  explicit Stretch(pid_t server) : server_(server) {}

  std::string each(double count) const {
    const Cpu used = cpu_now(server_) - cpu_;
    return fmt::format(R"("per_second": {:.1f}, "own_us": {:.1f}, "server_us": {:.1f}, "per_cpu_second": {:.1f})",
                       count / since(start_), used.own * 1e6 / count, used.server * 1e6 / count,
                       count / (used.own + used.server));
  }

 private:
  const pid_t server_;
  const Cpu cpu_ = cpu_now(server_);
  const SteadyTime start_ = steady_now();
};

// --- What is there before the store is opened.

void put_room(transfer::Archive& archive, const RoomId& id, int messages) {
  const Timestamp now = wall_now();
  std::vector<transfer::Record> records;
  records.emplace_back(transfer::RoomRecord{{id, RoomKind::group, "Room", "", now, Seq{messages}, Rev{messages + 1}}, now, {}});
  transfer::EntryRecord created;
  created.room = id;
  created.rev = Rev{1};
  created.kind = transfer::EntryRecord::Kind::room_created;
  created.at = now;
  created.actor = user(0);
  for (int i = 0; i < kMembers; ++i) {
    const Role role = i == 0 ? Role::owner : Role::member;
    records.emplace_back(transfer::MemberRecord{id, user(i), role, Seq{0}, {}, now});
    created.named.emplace_back(user(i), role);
  }
  records.emplace_back(std::move(created));
  for (int i = 1; i <= messages; ++i) {
    transfer::MessageRecord message;
    message.room = id;
    message.seq = Seq{i};
    message.id = MessageId(new_ulid());
    message.first_rev = message.rev = Rev{i + 1};
    message.sender = user(i % kMembers);
    message.at = now;
    message.content = kText;
    records.emplace_back(std::move(message));
    if (records.size() == 2000) {
      archive.put(records);
      records.clear();
    }
  }
  archive.put(records);
}

void fill(transfer::Archive& archive, const std::vector<int>& lengths) {
  std::vector<transfer::Record> people;
  for (int i = 0; i < kMembers; ++i) {
    const std::string name = "user" + std::to_string(i);
    people.emplace_back(transfer::UserRecord{user(i), name + "@example.com", name, {}, "hash", wall_now(), {}});
  }
  archive.put(people);
  for (int i = 0; i < kRooms; ++i) put_room(archive, room(i), 0);
  for (const int length : lengths) put_room(archive, room_of(length), length);
}

// What was put in is not indexed; that is not to be measured along with what comes.
void wait_for_index(Store& store, Shard& shard, const RoomId& of) {
  for (const auto start = steady_now();;) {
    try {
      if (wait(shard, store.search(user(0), {.text = "absent", .room = of, .before = {}, .limit = 1}, {}))) return;
      throw std::runtime_error("a search was refused");
    } catch (const Overloaded&) {
      if (steady_now() > start + kIndexing) throw;
    }
  }
}

// --- What is measured.

struct Place {
  std::unique_ptr<Store> store;
  pid_t server = 0;  // process of the database
};

Task<> send(Store& store, RoomId to, int sender) {
  const std::string id = new_ulid();
  SendMessage message{std::move(to), user(sender), MessageId(id), kText, "client-" + id, std::nullopt, {}, wall_now()};
  Change change = std::move(message);
  if (!co_await store.commit(std::move(change))) throw std::runtime_error("a message was refused");
}

Task<std::vector<double>> send_until(Store& store, int number, SteadyTime end) {
  std::vector<double> latencies;
  for (int i = number; steady_now() < end; i += 7) {
    const auto start = steady_now();
    co_await send(store, room(i % kRooms), number % kMembers);
    latencies.push_back(since(start) * 1e3);
  }
  co_return latencies;
}

std::string measure_senders(const Place& place, ShardSet& shards, int senders, double seconds) {
  const Stretch stretch(place.server);
  const auto end = steady_now() + std::chrono::duration_cast<SteadyTime::duration>(std::chrono::duration<double>(seconds));
  std::vector<std::future<std::vector<double>>> futures;
  for (int i = 0; i < senders; ++i) {
    futures.push_back(asio::co_spawn(shards[0].executor(), send_until(*place.store, i, end), asio::use_future));
  }
  std::vector<double> latencies;
  for (auto& future : futures) {
    const auto some = future.get();
    latencies.insert(latencies.end(), some.begin(), some.end());
  }
  const auto count = static_cast<double>(latencies.size());
  const std::string each = stretch.each(count);
  std::ranges::sort(latencies);
  const auto percentile = [&](double part) { return latencies[static_cast<std::size_t>(part * (count - 1))]; };
  return fmt::format(R"({{"what": "senders", "of": {}, {}, "p50_ms": {:.3f}, "p99_ms": {:.3f}}})", senders, each,
                     percentile(0.5), percentile(0.99));
}

// Pages of 100 from all over the room.
Task<> read_pages(Store& store, int length) {
  for (int i = 0; i < kPages; ++i) {
    const std::int64_t before = 101 + (i * std::int64_t{7919}) % (length - 100);
    const auto page = co_await store.history(room_of(length), user(0), {HistoryQuery::From::before, Seq{before}, 100});
    if (!page || page->messages.size() != 100) throw std::runtime_error("a page is not whole");
  }
}

Task<> send_pages(Store& store, int length) {
  for (int i = 0; i < kPages; ++i) co_await send(store, room_of(length), i % kMembers);
}

std::string measure_room(const Place& place, ShardSet& shards, const char* what, int length, Task<> task) {
  const Stretch stretch(place.server);
  wait(shards[0], std::move(task));
  return fmt::format(R"({{"what": "{}", "of": {}, {}}})", what, length, stretch.each(kPages));
}

Place open(const std::string& where, const std::vector<int>& lengths) {
  if (!where.starts_with("mongodb://")) {
    const std::filesystem::path file = std::filesystem::path(where) / "payam.db";
    fill(*open_sqlite_archive(file), lengths);
    return {open_sqlite_store({.path = file}), 0};
  }
  const std::size_t comma = where.rfind(',');
  const mongo::Client::Options options{.url = where.substr(0, comma), .database = {}};
  {
    mongo::Client client(options);
    fill(*open_mongo_archive(client), lengths);
    // As if they were indexed: that takes the tests' server longer than all the rest, and nobody searches here.
    for (const int length : lengths) {
      client.connect().insert(mongo::kSearchRooms, mongo::doc("_id", room_of(length), "rev", Rev{length + 1}));
    }
  }
  return {open_mongo_store({.client = options}), std::stoi(where.substr(comma + 1))};
}

void run(const std::string& where, double seconds, int rounds, const std::vector<int>& lengths) {
  ShardSet shards(1);
  const Place place = open(where, lengths);
  const auto show = [](const std::string& line) {
    fmt::print("{}\n", line);
    std::fflush(stdout);
  };
  for (const int length : lengths) wait_for_index(*place.store, shards[0], room_of(length));
  fmt::print(stderr, "filled and indexed; measuring\n");
  measure_senders(place, shards, 100, seconds);  // both sides are warm afterwards
  for (int round = 0; round < rounds; ++round) {
    for (const int senders : {1, 10, 100, 1000}) show(measure_senders(place, shards, senders, seconds));
    for (const int length : lengths) show(measure_room(place, shards, "pages", length, read_pages(*place.store, length)));
    for (const int length : lengths) show(measure_room(place, shards, "sends", length, send_pages(*place.store, length)));
  }
}

}  // namespace
}  // namespace payam::chat

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  std::vector<int> lengths;
  for (int i = 4; i < argc; ++i) lengths.push_back(std::atoi(argv[i]));
  payam::chat::run(argv[1], std::atof(argv[2]), std::atoi(argv[3]), lengths);
}
