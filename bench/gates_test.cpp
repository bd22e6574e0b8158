// What the hot path may cost, counted: writes, allocations, copies and bytes held, so that no noise of a machine is in it.
// The streams are in memory (memory/memory_stream.hpp); everything above them is the real server.
#include <gtest/gtest.h>

#include <string>

#include "memory/allocations.hpp"
#include "memory/clients.hpp"
#include "memory/tcp_clients.hpp"
#include "payam/sio/server.hpp"

namespace payam::bench {
namespace {

// An echo parses its JSON, makes an acknowledgement and encodes one packet: this many allocations at most.
constexpr std::uint64_t kAllocationsAnEcho = 8;

constexpr std::string_view kMessage = R"({"room":"r0000","message":"Mit dem Wissen wächst der Zweifel."})";

// A server whose sockets all join "r0000" when they connect, and answer "publish" and "echo".
struct Hall {
  explicit Hall(std::size_t sockets, sio::Options options = {}) : io({&clients.shard()}, std::move(options)) {
    io.on_connection([](const sio::SocketPtr& socket) { socket->join("r0000"); });
    io.on_event("publish", [this](const sio::SocketPtr&, const sio::json::value& data) {
      io.to("r0000").emit("broadcast_message", data);
    });
    io.on_event("echo", [](const sio::SocketPtr&, sio::json::value data) { return data; });
    io.attach(clients.router());
    clients.open(sockets, Clients::Headers::few);
    // The first broadcast lets every connection take the memory it keeps.
    broadcast();
  }
  ~Hall() {
    io.close();
    clients.settle();
  }

  void broadcast() {
    io.to("r0000").emit_raw("broadcast_message", kMessage);
    clients.settle();
  }

  Clients clients;
  sio::Server io;
};

std::uint64_t allocations_of_a_broadcast(std::size_t receivers) {
  Hall hall(receivers);
  const Allocations before = allocations();
  hall.broadcast();
  return allocations().count - before.count;
}

TEST(HotPath, ABroadcastIsOneWriteOfOneFrameForEachReceiver) {
  Hall hall(1000);
  hall.clients.reset();
  hall.broadcast();
  EXPECT_EQ(hall.clients.traffic().writes, 1000u);
  EXPECT_EQ(hall.clients.traffic().frames, 1000u);
}

TEST(HotPath, ABroadcastAllocatesNothingForEachReceiver) {
  const std::uint64_t few = allocations_of_a_broadcast(100);
  const std::uint64_t many = allocations_of_a_broadcast(2000);
  EXPECT_LE(few, 40u);        // encoding, and the closure for the shard
  EXPECT_LE(many, few + 10);  // the slices of a large room's flush are posted one by one
}

TEST(HotPath, EveryReceiverIsSentTheSameBytesInMemory) {
  Hall hall(1000);
  hall.clients.watch_sources(true);
  hall.broadcast();
  EXPECT_EQ(hall.clients.sources().size(), 1u);
}

TEST(HotPath, TenPublishersReachEightFramesAWrite) {
  Hall hall(1000);
  hall.clients.reset();
  constexpr int kRounds = 5;
  for (int round = 0; round < kRounds; ++round) {
    for (std::size_t publisher = 0; publisher < 10; ++publisher) {
      hall.clients.say(publisher * 100, "42[\"publish\"," + std::string(kMessage) + "]");
    }
    hall.clients.settle();
  }
  const Traffic& traffic = hall.clients.traffic();
  ASSERT_EQ(traffic.frames, 1000u * 10 * kRounds);
  EXPECT_GE(static_cast<double>(traffic.frames) / static_cast<double>(traffic.writes), 8.0);
}

TEST(HotPath, AnEchoIsOneWriteAndBoundedInAllocations) {
  Hall hall(100);
  const auto echo_all = [&] {
    for (std::size_t i = 0; i < hall.clients.size(); ++i) hall.clients.say(i, R"(427["echo",{"text":"hello"}])");
    hall.clients.settle();
  };
  echo_all();
  hall.clients.reset();
  const Allocations before = allocations();
  echo_all();
  EXPECT_EQ(hall.clients.traffic().writes, 100u);
  EXPECT_EQ(hall.clients.traffic().frames, 100u);
  EXPECT_LE(allocations().count - before.count, 100u * kAllocationsAnEcho);
}

TEST(HotPath, AnAcknowledgementDoesNotWaitForTheBroadcastsOfItsTurn) {
  Hall hall(1000);
  hall.clients.reset();
  for (std::size_t publisher = 0; publisher < 10; ++publisher) {
    hall.clients.say(publisher, "42[\"publish\"," + std::string(kMessage) + "]");
  }
  hall.clients.say(999, R"(427["echo",{"text":"hello"}])");
  hall.clients.settle();
  ASSERT_TRUE(hall.clients.traffic().writes_before_ack);
  EXPECT_LT(*hall.clients.traffic().writes_before_ack, 10u);
}

TEST(HotPath, AReceiverThatDoesNotReadIsCutOffAtItsLimitAndCostsTheOthersNothing) {
  sio::Options options;
  options.max_buffered_bytes = 64 * 1024;
  Hall hall(100, options);
  hall.clients.set_writable(0, false);
  const Allocations before = allocations();
  hall.clients.reset();
  constexpr std::uint64_t kBroadcasts = 2000;  // 2,000 frames of over 80 bytes: more than the limit
  for (std::uint64_t i = 0; i < kBroadcasts; ++i) hall.broadcast();
  EXPECT_EQ(hall.io.counters().connections_open, 99u);
  EXPECT_EQ(hall.clients.traffic().frames, 99 * kBroadcasts);
  EXPECT_LT(allocations().bytes - before.bytes, 16 * 1024);  // its queue is gone with it
}

// All a websocket in one room leaves in the process: the stream with its place in the poller, session, socket, timer, what is
// kept of its request, and its share of every table. Lower it when it falls.
constexpr double kBytesAnIdleConnection = 1'500;

TEST(IdleConnection, HoldsNoMoreThanItsBytes) {
  TcpClients clients;
  clients.io().on_connection([](const sio::SocketPtr& socket) { socket->join("r0000"); });
  clients.open(500);  // what the first ones need once and for all is not theirs
  const Allocations before = allocations();
  clients.open(4'500);
  const double each = static_cast<double>(allocations().bytes - before.bytes) / 4'500;
  RecordProperty("bytes_each", std::to_string(each));
  EXPECT_LT(each, kBytesAnIdleConnection);
}

TEST(IdleConnection, GivesTheRoomOfABurstBackWithTheNextPacket) {
  Hall hall(1000);
  const Allocations before = allocations();
  for (int i = 0; i < 10; ++i) hall.io.to("r0000").emit_raw("broadcast_message", kMessage);
  hall.clients.settle();
  hall.broadcast();
  EXPECT_LT(allocations().bytes - before.bytes, 1000 * 32);
}

TEST(IdleConnection, GivesItsMemoryBackWhenItCloses) {
  Hall hall(100);
  const Allocations before = allocations();
  {
    Hall other(5'000);
  }
  EXPECT_LT(allocations().bytes - before.bytes, 4096);
}

}  // namespace
}  // namespace payam::bench
