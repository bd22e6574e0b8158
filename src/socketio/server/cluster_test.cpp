// Several servers, one cluster: every broadcast feature reaches the sockets of all of them.
#include "payam/sio/memory_adapter.hpp"
#include "socketio/server/test_world.hpp"

namespace payam::sio {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

// Three servers with one client each, in rooms as they ask.
class ClusterTest : public ::testing::Test {
 protected:
  ClusterTest() {
    const char* rooms[] = {R"({"rooms":["red","all"]})", R"({"rooms":["red","blue","all"]})", R"({"rooms":["green","all"]})"};
    for (const char* auth : rooms) {
      Options options;
      options.adapter = cluster->join();
      options.adapter_timeout = 50ms;
      options.data_to_json = [](const std::any& data) {
        return data.has_value() ? json::value(json::string(std::any_cast<const std::string&>(data))) : json::value();
      };
      auto& world = *worlds.emplace_back(std::make_unique<World>(std::move(options), 2));
      world.io->on_connection([this](SocketPtr socket) {
        ids.push_back(socket->id());
        sockets.push_back(socket);
        socket->data<std::string>() = "user" + std::to_string(ids.size());
        for (const auto& room : socket->handshake().auth.at("rooms").as_array()) socket->join(std::string(room.as_string()));
      });
      clients.push_back(world.client(1));
      clients.back()->connect("/", auth);
    }
    for (auto& world : worlds) {
      for (auto& other : worlds) {
        if (other != world) world->others.push_back(other.get());
      }
    }
  }
  ~ClusterTest() override {
    for (auto& world : worlds) world->others.clear();
    sockets.clear();
    clients.clear();
  }

  Server& io(std::size_t server) { return *worlds[server]->io; }
  // "012": the clients that got exactly this packet once.
  std::string who_got(const std::string& packet) {
    worlds[0]->run();
    std::string out;
    for (std::size_t i = 0; i < clients.size(); ++i) {
      const auto received = clients[i]->take();
      if (received.empty()) continue;
      EXPECT_THAT(received, ElementsAre(packet));
      out += std::to_string(i);
    }
    return out;
  }

  std::shared_ptr<MemoryCluster> cluster = std::make_shared<MemoryCluster>();
  std::vector<std::unique_ptr<World>> worlds;
  std::vector<std::unique_ptr<Client>> clients;
  std::vector<SocketPtr> sockets;
  std::vector<std::string> ids;
};

// What a cluster in a test of one's own takes.
TEST(Cluster, OfAnySizeInAFewLines) {
  const auto cluster = std::make_shared<MemoryCluster>();
  std::vector<std::unique_ptr<World>> servers;
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 7; ++i) {
    Options options;
    options.adapter = cluster->join();
    servers.push_back(std::make_unique<World>(std::move(options)));
    clients.push_back(servers.back()->client());
    clients.back()->connect();
  }
  servers[3]->io->emit("news", 1);
  for (std::size_t i = 0; i < servers.size(); ++i) {
    servers[i]->run();
    EXPECT_THAT(clients[i]->take(), ElementsAre(R"(2["news",1])"));
  }
}

TEST(Cluster, AServerThatHasClosedHearsAndCountsNoMore) {
  const auto cluster = std::make_shared<MemoryCluster>();
  const auto a = cluster->join();
  const auto b = cluster->join();
  int heard = 0;
  a->start("a", [](ClusterMessage) {});
  EXPECT_EQ(a->other_servers(), 0u);
  b->start("b", [&](ClusterMessage) { ++heard; });
  EXPECT_EQ(a->other_servers(), 1u);
  a->publish({});
  EXPECT_EQ(heard, 1);
  ClusterMessage for_another;
  for_another.receiver = "c";
  a->publish(for_another);
  EXPECT_EQ(heard, 1);
  b->stop();
  a->publish({});
  EXPECT_EQ(heard, 1);
  EXPECT_EQ(a->other_servers(), 0u);
  a->stop();
}

TEST_F(ClusterTest, BroadcastsReachEveryServer) {
  io(0).emit("x", 1);
  EXPECT_EQ(who_got(R"(2["x",1])"), "012");
  io(1).to("red").emit("x");
  EXPECT_EQ(who_got(R"(2["x"])"), "01");
  io(2).to({"red", "blue"}).emit("x");
  EXPECT_EQ(who_got(R"(2["x"])"), "01");
  io(2).to("all").except("blue").emit("x");
  EXPECT_EQ(who_got(R"(2["x"])"), "02");
  io(0).to(ids[2]).emit_raw("x", R"({"raw":1})");
  EXPECT_EQ(who_got(R"(2["x",{"raw":1}])"), "2");
  io(0).local().emit("x");
  EXPECT_EQ(who_got(R"(2["x"])"), "0");
  worlds[0]->on(1, [&] { sockets[0]->to("all").emit("x"); });
  EXPECT_EQ(who_got(R"(2["x"])"), "12");
  io(1).volatile_().emit("x");
  EXPECT_EQ(who_got(R"(2["x"])"), "012");
  io(1).send("x");
  EXPECT_EQ(who_got(R"(2["message","x"])"), "012");
  io(1).except("green").emit("x");
  EXPECT_EQ(who_got(R"(2["x"])"), "01");
  worlds[1]->on(1, [&] { sockets[1]->local().emit("x"); });  // nobody else is there
  EXPECT_EQ(who_got(""), "");
  worlds[1]->on(1, [&] { sockets[1]->to("all").except("green").emit("x"); });
  EXPECT_EQ(who_got(R"(2["x"])"), "0");
}

TEST_F(ClusterTest, FlagsAreKeptOnTheWayToOtherServers) {
  clients[2]->session->writable = false;
  io(0).volatile_().emit("x");
  EXPECT_EQ(who_got(R"(2["x"])"), "01");
  io(0).compress(false).emit("x");
  worlds[0]->run();
  for (const auto& client : clients) EXPECT_FALSE(client->session->last_options.compress);
  io(0).emit("x");
  worlds[0]->run();
  for (const auto& client : clients) EXPECT_TRUE(client->session->last_options.compress);
}

TEST_F(ClusterTest, DynamicNamespacesReachTheirChildrenEverywhere) {
  std::vector<std::unique_ptr<Client>> others;
  std::vector<Namespace> parents;
  for (auto& world : worlds) {
    parents.push_back(world->io->of_pattern("^/x"));
    others.push_back(world->client(1));
    others.back()->connect("/x1");
  }
  parents[0].emit("news");
  worlds[0]->run();
  for (const auto& other : others) EXPECT_THAT(other->take(), ElementsAre(R"(2/x1,["news"])"));
}

TEST_F(ClusterTest, SocketsOperationsMayStayLocal) {
  io(0).local().in("all").sockets_join("new");
  io(1).to("new").emit("x");
  EXPECT_EQ(who_got(R"(2["x"])"), "0");
  io(2).local().disconnect_sockets();
  EXPECT_EQ(who_got("1"), "2");
}

TEST_F(ClusterTest, ASocketOfAnotherServerIsAskedByItsId) {
  const auto found = worlds[0]->await(io(0).in("green").fetch_sockets());
  ASSERT_EQ(found.size(), 1u);
  found[0].join("new");
  found[0].leave("green");
  io(1).to("new").except("green").emit("x");
  EXPECT_EQ(who_got(R"(2["x"])"), "2");
  const auto replies = worlds[0]->await(found[0].emit_with_ack<int>(10ms, "q"));
  EXPECT_TRUE(replies.timed_out);
  EXPECT_EQ(replies.expected, 1u);
  worlds[0]->run();
  const auto received = clients[2]->take();
  ASSERT_EQ(received.size(), 1u);
  EXPECT_THAT(received[0], ::testing::EndsWith(R"(["q"])"));
}

TEST_F(ClusterTest, BinaryBroadcastsReachEveryServer) {
  io(0).to("green").emit("x", Binary{"\x01\x02"});
  worlds[0]->run();
  EXPECT_THAT(clients[2]->take(), ElementsAre(R"(51-["x",{"_placeholder":true,"num":0}])", "<\x01\x02"));
}

TEST_F(ClusterTest, ANamespaceThatIsNotThereIsNoProblem) {
  io(0).of("/only/here").emit("x");
  EXPECT_EQ(who_got(""), "");
  EXPECT_THAT(worlds[0]->await(io(0).of("/only/here").fetch_sockets()), IsEmpty());
}

TEST_F(ClusterTest, SocketsJoinLeaveAndDisconnectEverywhere) {
  io(2).in("red").sockets_join("new");
  io(0).to("new").emit("x");
  EXPECT_EQ(who_got(R"(2["x"])"), "01");
  io(0).in("blue").sockets_leave({"new", "blue"});
  io(0).to("new").emit("x");
  EXPECT_EQ(who_got(R"(2["x"])"), "0");
  io(0).in(ids[1]).disconnect_sockets();
  EXPECT_EQ(who_got("1"), "1");
  io(0).in("green").disconnect_sockets(true);
  worlds[0]->run();
  EXPECT_FALSE(clients[2]->is_open());
  EXPECT_TRUE(clients[0]->is_open());
}

TEST_F(ClusterTest, FetchSocketsAsksEveryServer) {
  const auto found = worlds[0]->await(io(0).fetch_sockets());
  ASSERT_EQ(found.size(), 3u);
  std::vector<std::string> found_ids;
  for (const auto& socket : found) found_ids.push_back(socket.id);
  EXPECT_THAT(found_ids, UnorderedElementsAre(ids[0], ids[1], ids[2]));
  const auto blue = worlds[0]->await(io(0).in("blue").fetch_sockets());
  ASSERT_EQ(blue.size(), 1u);
  EXPECT_EQ(blue[0].data.as_string(), "user2");
  EXPECT_THAT(blue[0].rooms, UnorderedElementsAre(ids[1], "red", "blue", "all"));
  EXPECT_EQ(worlds[0]->await(io(0).local().fetch_sockets()).size(), 1u);
  blue[0].emit("hi");
  EXPECT_EQ(who_got(R"(2["hi"])"), "1");
  blue[0].disconnect(true);
  worlds[0]->run();
  EXPECT_FALSE(clients[1]->is_open());
}

TEST_F(ClusterTest, BroadcastAcksComeFromEveryServer) {
  std::optional<Replies<std::string>> result;
  auto ask = [](Server& server, std::optional<Replies<std::string>>& into) -> Task<> {
    into = co_await server.timeout(5s).emit_with_ack<std::string>("q");
  };
  worlds[0]->on(0, [&] { asio::co_spawn(worlds[0]->shard(0).executor(), ask(io(0), result), asio::detached); });
  for (std::size_t i = 0; i < clients.size(); ++i) {
    const auto received = clients[i]->take();
    ASSERT_EQ(received.size(), 1u);
    const std::string number = received[0].substr(1, received[0].find('[') - 1);
    EXPECT_FALSE(result);
    if (i == 1) {
      clients[i]->end();
    } else {
      clients[i]->send("3" + number + "[\"from " + std::to_string(i) + "\"]");
    }
    worlds[0]->run();
  }
  ASSERT_TRUE(result);
  EXPECT_THAT(result->replies, UnorderedElementsAre("from 0", "from 2"));
  EXPECT_EQ(result->expected, 3u);
  EXPECT_FALSE(result->timed_out);
}

TEST_F(ClusterTest, ServersTalkAmongThemselves) {
  std::vector<std::string> heard;
  for (std::size_t i = 0; i < worlds.size(); ++i) {
    io(i).on_server_event("hello", [&heard, i](std::string text, Ack ack) {
      heard.push_back(std::to_string(i) + " " + text);
      ack(static_cast<int>(i) * 10);
    });
    io(i).on_server_event("later", [i](int n) -> Task<int> { co_return n + static_cast<int>(i); });
  }
  io(0).server_side_emit("hello", "all");
  worlds[0]->run();
  EXPECT_THAT(heard, UnorderedElementsAre("1 all", "2 all"));
  const auto tens = worlds[1]->await(io(1).server_side_emit_with_ack<int>("hello", "you"));
  EXPECT_THAT(tens.replies, UnorderedElementsAre(0, 20));
  const auto later = worlds[2]->await(io(2).server_side_emit_with_ack<int>("later", 5));
  EXPECT_THAT(later.replies, UnorderedElementsAre(5, 6));
}

TEST_F(ClusterTest, AServerThatDoesNotAnswerCostsOnlyTheTimeout) {
  // It is counted, but hears nothing.
  const auto deaf = cluster->join();
  deaf->start("deaf", [](ClusterMessage) {});
  const auto found = worlds[0]->await(io(0).fetch_sockets());
  EXPECT_EQ(found.size(), 3u);  // partial results count
  std::vector<std::string> heard;
  io(1).on_server_event("hello", [](Ack ack) { ack(1); });
  const auto replies = worlds[0]->await(io(0).server_side_emit_with_ack<int>("hello"));
  EXPECT_TRUE(replies.timed_out);
  EXPECT_THAT(replies.replies, ElementsAre(1));
  deaf->stop();
}

TEST_F(ClusterTest, AloneNobodyIsAsked) {
  World alone;
  const auto replies = alone.await(alone.io->server_side_emit_with_ack<int>("hello"));
  EXPECT_THAT(replies.replies, IsEmpty());
  EXPECT_FALSE(replies.timed_out);
}

TEST_F(ClusterTest, OneThreadsOperationsKeepTheirOrderOnOtherServers) {
  std::vector<std::string> expected;
  for (int i = 0; i < 20; ++i) {
    io(0).in("green").sockets_join("r" + std::to_string(i));
    io(0).to("r" + std::to_string(i)).emit("n", i);
    io(0).in("green").sockets_leave("r" + std::to_string(i));
    io(0).to("r" + std::to_string(i)).emit("never");
    expected.push_back("2[\"n\"," + std::to_string(i) + "]");
  }
  worlds[0]->run();
  EXPECT_EQ(clients[2]->take(), expected);
}

}  // namespace
}  // namespace payam::sio
