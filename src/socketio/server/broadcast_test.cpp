// Rooms and broadcasts, on one shard and over several.
#include "socketio/server/test_world.hpp"

namespace payam::sio {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

// Three sockets, on as many shards as the parameter says, which join the rooms they ask for.
class BroadcastTest : public ::testing::TestWithParam<std::size_t> {
 protected:
  BroadcastTest() : world({}, GetParam()) {
    world.io->on_connection([this](SocketPtr socket) {
      sockets.push_back(socket);
      for (const auto& room : socket->handshake().auth.at("rooms").as_array()) socket->join(std::string(room.as_string()));
    });
    a = add(R"({"rooms":["red","all"]})", 0);
    b = add(R"({"rooms":["red","blue","all"]})", GetParam() > 1 ? 1 : 0);
    c = add(R"({"rooms":["green","all"]})", GetParam() > 2 ? 2 : 0);
  }
  // Sockets may only be let go of while their shards are there.
  ~BroadcastTest() override { sockets.clear(); }

  std::unique_ptr<Client> add(const std::string& auth, std::size_t shard) {
    auto client = world.client(shard);
    client->connect("/", auth);
    return client;
  }
  // "abc": which clients got exactly this packet once since the last call.
  std::string who_got(const std::string& packet) {
    world.run();
    std::string out;
    for (auto* client : {a.get(), b.get(), c.get()}) {
      const auto received = client->take();
      if (received.empty()) continue;
      EXPECT_THAT(received, ElementsAre(packet));
      out += client == a.get() ? "a" : client == b.get() ? "b" : "c";
    }
    return out;
  }
  template <class F>
  void on_shard_of(std::size_t socket, F work) {
    sockets[socket]->shard().post([this, socket, work = std::move(work)] { work(sockets[socket]); });
    world.run();
  }

  World world;
  std::vector<SocketPtr> sockets;
  std::unique_ptr<Client> a, b, c;
};

TEST_P(BroadcastTest, TargetsAreUnionsWithoutTheExcepted) {
  Server& io = *world.io;
  io.emit("x");
  EXPECT_EQ(who_got(R"(2["x"])"), "abc");
  io.to("red").emit("x", 1);
  EXPECT_EQ(who_got(R"(2["x",1])"), "ab");
  io.in("red").to("green").emit("x");
  EXPECT_EQ(who_got(R"(2["x"])"), "abc");
  io.to(std::vector<std::string>{"red", "blue"}).emit("x");  // one copy each
  EXPECT_EQ(who_got(R"(2["x"])"), "ab");
  io.to("all").except("blue").emit("x");
  EXPECT_EQ(who_got(R"(2["x"])"), "ac");
  io.except(std::vector<std::string>{"blue", "green"}).emit("x");
  EXPECT_EQ(who_got(R"(2["x"])"), "a");
  io.to("nowhere").emit("x");
  EXPECT_EQ(who_got(R"(2["x"])"), "");
  io.to(sockets[2]->id()).emit("x");  // a socket's own room
  EXPECT_EQ(who_got(R"(2["x"])"), "c");
  io.local().compress(false).volatile_().to("red").emit("x");
  EXPECT_EQ(who_got(R"(2["x"])"), "ab");
  io.send("text");
  EXPECT_EQ(who_got(R"(2["message","text"])"), "abc");
  io.to("red").emit_raw("x", R"({"raw":true})");
  EXPECT_EQ(who_got(R"(2["x",{"raw":true}])"), "ab");
}

TEST_P(BroadcastTest, ASocketsBroadcastsLeaveItOut) {
  on_shard_of(0, [](const SocketPtr& socket) { socket->broadcast().emit("x"); });
  EXPECT_EQ(who_got(R"(2["x"])"), "bc");
  on_shard_of(0, [](const SocketPtr& socket) { socket->to("red").emit("x"); });
  EXPECT_EQ(who_got(R"(2["x"])"), "b");
  on_shard_of(0, [](const SocketPtr& socket) { socket->except("blue").emit("x"); });
  EXPECT_EQ(who_got(R"(2["x"])"), "c");
  on_shard_of(1, [](const SocketPtr& socket) { socket->volatile_().to("all").emit("x"); });
  EXPECT_EQ(who_got(R"(2["x"])"), "ac");
  on_shard_of(1, [](const SocketPtr& socket) { socket->local().to("all").emit("x"); });
  EXPECT_EQ(who_got(R"(2["x"])"), "ac");
}

TEST_P(BroadcastTest, ABroadcastIsEncodedOnce) {
  world.io->emit("x", std::string(100, 'y'));
  world.run();
  EXPECT_EQ(a->session->last_packet.get(), b->session->last_packet.get());
  EXPECT_EQ(a->session->last_packet.get(), c->session->last_packet.get());
}

TEST_P(BroadcastTest, ManySocketsJoinLeaveAndDisconnectAtOnce) {
  Server& io = *world.io;
  io.in("red").sockets_join("new");
  io.to("new").emit("x");
  EXPECT_EQ(who_got(R"(2["x"])"), "ab");
  io.in("blue").sockets_leave("new");
  io.to("new").emit("x");
  EXPECT_EQ(who_got(R"(2["x"])"), "a");
  io.in(sockets[1]->id()).disconnect_sockets();
  world.run();
  EXPECT_THAT(b->take(), ElementsAre("1"));
  EXPECT_TRUE(b->is_open());
  io.in("green").disconnect_sockets(true);
  world.run();
  EXPECT_FALSE(c->is_open());
  EXPECT_EQ(io.local_size(), 1u);
}

TEST_P(BroadcastTest, FetchSocketsTellsOfThem) {
  auto found = world.await(world.io->in("red").fetch_sockets());
  ASSERT_EQ(found.size(), 2u);
  const auto is_b = [&](const RemoteSocket& socket) { return socket.id == sockets[1]->id(); };
  const auto remote_b = std::ranges::find_if(found, is_b);
  ASSERT_NE(remote_b, found.end());
  EXPECT_THAT(remote_b->rooms, UnorderedElementsAre(sockets[1]->id(), "red", "blue", "all"));
  EXPECT_EQ(remote_b->auth.at("rooms").as_array().size(), 3u);
  remote_b->emit("hi");
  EXPECT_EQ(who_got(R"(2["hi"])"), "b");
  remote_b->join("vip");
  world.io->to("vip").emit("x");
  EXPECT_EQ(who_got(R"(2["x"])"), "b");
  remote_b->leave("vip");
  world.io->to("vip").emit("x");
  EXPECT_EQ(who_got(R"(2["x"])"), "");
  remote_b->disconnect(true);
  world.run();
  EXPECT_FALSE(b->is_open());
  EXPECT_EQ(world.await(world.io->fetch_sockets()).size(), 2u);
}

TEST_P(BroadcastTest, BroadcastAcksGatherEveryReply) {
  std::optional<Replies<int>> result;
  auto ask = [](Server& io, std::optional<Replies<int>>& into) -> Task<> {
    into = co_await io.to("red").timeout(5s).emit_with_ack<int>("how many", "apples");
  };
  world.on(0, [&] { asio::co_spawn(world.shard(0).executor(), ask(*world.io, result), asio::detached); });
  EXPECT_EQ(who_got(R"(21000000000["how many","apples"])"), "ab");
  a->send("31000000000[3]");
  c->send("31000000000[100]");  // was not asked
  a->send("31000000000[4]");    // only once
  EXPECT_FALSE(result);
  b->send("31000000000[5]");
  ASSERT_TRUE(result);
  EXPECT_THAT(result->replies, UnorderedElementsAre(3, 5));
  EXPECT_EQ(result->expected, 2u);
  EXPECT_FALSE(result->timed_out);
}

TEST_P(BroadcastTest, BroadcastAcksEndInTimeAndKeepWhatCame) {
  std::optional<Replies<int>> result;
  auto ask = [](Server& io, std::optional<Replies<int>>& into) -> Task<> {
    into = co_await io.timeout(20ms).emit_with_ack<int>("q");
  };
  world.on(0, [&] { asio::co_spawn(world.shard(0).executor(), ask(*world.io, result), asio::detached); });
  b->send("31000000000[5]");
  c->send(R"(31000000000["not a number"])");
  EXPECT_TRUE(world.run_until([&] { return result.has_value(); }));
  EXPECT_THAT(result->replies, ElementsAre(5));
  EXPECT_EQ(result->expected, 3u);
  EXPECT_EQ(result->invalid, 1u);
  EXPECT_TRUE(result->timed_out);
  a->send("31000000000[5]");  // too late
  EXPECT_TRUE(a->is_open());
}

TEST_P(BroadcastTest, BroadcastAcksDoNotWaitForWhoHasGoneOrForNobody) {
  std::optional<Replies<int>> result;
  auto ask = [](BroadcastOperator to, std::optional<Replies<int>>& into) -> Task<> {
    into = co_await to.timeout(60s).emit_with_ack<int>("q");
  };
  world.on(0, [&] { asio::co_spawn(world.shard(0).executor(), ask(world.io->to("red"), result), asio::detached); });
  a->send("31000000000[5]");
  b->end();
  ASSERT_TRUE(result);
  EXPECT_THAT(result->replies, ElementsAre(5));
  EXPECT_EQ(result->expected, 2u);
  result.reset();
  world.on(0, [&] { asio::co_spawn(world.shard(0).executor(), ask(world.io->to("nowhere"), result), asio::detached); });
  ASSERT_TRUE(result);
  EXPECT_EQ(result->expected, 0u);
}

// The chat publishes from one thread in commit order and relies on it.
TEST_P(BroadcastTest, OneThreadsOperationsTakeEffectInItsOrderEverywhere) {
  std::vector<std::string> expected;
  for (int i = 0; i < 50; ++i) {
    world.io->to("all").emit("n", i);
    expected.push_back("2[\"n\"," + std::to_string(i) + "]");
    world.io->in("all").sockets_join("room" + std::to_string(i));
    world.io->to("room" + std::to_string(i)).emit("joined");
    expected.emplace_back(R"(2["joined"])");
    world.io->in("all").sockets_leave("room" + std::to_string(i));
    world.io->to("room" + std::to_string(i)).emit("never");
  }
  world.run();
  for (auto* client : {a.get(), b.get(), c.get()}) EXPECT_EQ(client->take(), expected);
}

TEST_P(BroadcastTest, AQueueThatOverflowsAmidABroadcastClosesOnlyItsConnection) {
  std::vector<std::string> reasons;
  on_shard_of(0, [&](const SocketPtr& socket) {
    socket->on_disconnect([&](DisconnectReason reason) { reasons.emplace_back(to_string(reason)); });
  });
  a->session->overflow_next = true;
  world.io->to("all").emit("x");
  EXPECT_EQ(who_got(R"(2["x"])"), "bc");
  EXPECT_THAT(reasons, ElementsAre("buffer overflow"));
  EXPECT_FALSE(a->is_open());
  world.io->to("all").emit("y");
  EXPECT_EQ(who_got(R"(2["y"])"), "bc");
}

TEST_P(BroadcastTest, ADisconnectHandlerMayBroadcastToTheRoomsThatAreLeft) {
  on_shard_of(0, [](const SocketPtr& socket) {
    socket->on_disconnecting([socket](DisconnectReason) { socket->to("red").emit("left", socket->id().size()); });
  });
  a->end();
  EXPECT_EQ(who_got(R"(2["left",20])"), "b");
}

TEST_P(BroadcastTest, RoomsOfASocketAreListedAndLeft) {
  on_shard_of(1, [](const SocketPtr& socket) {
    EXPECT_THAT(socket->rooms(), UnorderedElementsAre(socket->id(), "red", "blue", "all"));
    socket->leave("red");
    EXPECT_FALSE(socket->in_room("red"));
    EXPECT_TRUE(socket->in_room("blue"));
    socket->join({"x", "y"});
    EXPECT_TRUE(socket->in_room("y"));
  });
  world.io->to("red").emit("x");
  EXPECT_EQ(who_got(R"(2["x"])"), "a");
}

TEST_P(BroadcastTest, CountersCount) {
  world.io->emit("x");
  world.run();
  const Counters counters = world.io->counters();
  EXPECT_EQ(counters.connections_open, 3u);
  EXPECT_EQ(counters.sockets_open, 3u);
  EXPECT_EQ(counters.sockets_connected, 3u);
  EXPECT_EQ(counters.broadcasts, 1u);
  EXPECT_EQ(counters.deliveries, 6u);  // the three answers to CONNECT among them
}

INSTANTIATE_TEST_SUITE_P(Shards, BroadcastTest, ::testing::Values(1, 3));

TEST(Broadcast, AHandleThatOutlivesItsServerReachesNobody) {
  auto world = std::make_unique<World>();
  Namespace nsp = world->io->of("/x");
  nsp.on_connection([nsp](SocketPtr) {});  // holds itself: let go of when the server ends
  world->io->close();
  world->run();
  nsp.emit("x");
  world->run();
}

}  // namespace
}  // namespace payam::sio
