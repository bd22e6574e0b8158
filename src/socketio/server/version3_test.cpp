// Clients of Socket.IO v2, which speak version 3 of Engine.IO and version 4 of Socket.IO's own protocol.
#include "socketio/server/test_world.hpp"

namespace payam::sio {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Version3, IsInTheMainNamespaceWithoutAsking) {
  World world;
  world.io->on_connection([](SocketPtr socket) { socket->emit("welcome", socket->id(), socket->handshake().auth); });
  const auto client = world.old_client();
  EXPECT_THAT(client->take(), ElementsAre("0", R"(2["welcome","engine-session",{}])"));
  client->send("0");
  EXPECT_FALSE(client->is_open()) << "it is joined already";
}

TEST(Version3, NamesItsSocketsAfterTheSession) {
  World world;
  world.io->of("/admin").on_connection([](SocketPtr socket) { socket->emit("welcome", socket->id()); });
  const auto client = world.old_client();
  client->take();
  client->send("0/admin,");
  EXPECT_THAT(client->take(), ElementsAre("0/admin,", R"(2/admin,["welcome","/admin#engine-session"])"));
  client->send("1/admin,").send("0/admin");
  EXPECT_THAT(client->take(), ElementsAre("0/admin,", R"(2/admin,["welcome","/admin#engine-session"])")) << "once more";
}

TEST(Version3, TheNamespacesQueryIsItsAuth) {
  World world;
  world.io->of("/admin").on_connection([](SocketPtr socket) { socket->emit("welcome", socket->handshake().auth); });
  const auto client = world.old_client();
  client->take();
  client->send("0/admin?token=a%20b&n=1,");
  EXPECT_THAT(client->take(), ElementsAre("0/admin,", R"(2/admin,["welcome",{"token":"a b","n":"1"}])"));
}

TEST(Version3, TheQuerysMembersAreBounded) {
  Options options;
  options.max_object_members = 2;
  World world(options);
  world.io->of("/admin");
  const auto client = world.old_client();
  client->take();
  client->send("0/admin?a=1&b=2&c=3,");
  EXPECT_THAT(client->take(), ElementsAre(R"(4/admin,{"message":"Invalid payload"})"));
  client->send("0/admin?a=1&b=2,");
  EXPECT_THAT(client->take(), ElementsAre("0/admin,"));
}

TEST(Version3, ARefusalIsABareErrorPacket) {
  World world;
  world.io->use([](SocketPtr) -> Verdict { return Refusal{"not you", nullptr}; });
  world.io->of("/data").use([](SocketPtr) -> Verdict { return Refusal{"not you", {{"code", 7}}}; });
  const auto client = world.old_client();
  client->send("0/data,").send("0/nowhere,");
  EXPECT_THAT(client->take(),
              ElementsAre(R"(4"not you")", R"(4/data,{"code":7})", R"(4/nowhere,{"message":"Invalid namespace"})"));
  EXPECT_TRUE(client->is_open());
  EXPECT_EQ(world.io->counters().sockets_refused, 3u);
}

TEST(Version3, NothingIsAddedToEventsForRecovery) {
  Options options;
  options.connection_state_recovery.emplace();
  World world(options);
  const auto old_one = world.old_client();
  const auto client = world.client();
  client->connect();
  client->take();
  old_one->take();
  world.io->emit("news", 1);
  world.run();
  EXPECT_THAT(old_one->take(), ElementsAre(R"(2["news",1])"));
  EXPECT_THAT(client->take(), ElementsAre(::testing::StartsWith(R"(2["news",1,")")));
  old_one->end();
  EXPECT_EQ(world.io->counters().sessions_kept, 0u);
}

TEST(Version3, IsReachedByItsIdAndRoomsLikeAnyOther) {
  World world;
  world.io->on_connection([](SocketPtr socket) { socket->join("red"); });
  const auto client = world.old_client();
  client->take();
  world.io->to("red").emit("a");
  world.io->to("engine-session").emit("b");
  world.run();
  EXPECT_THAT(client->take(), ElementsAre(R"(2["a"])", R"(2["b"])"));
  client->end();
  world.io->to("red").emit("c");
  world.run();
  EXPECT_THAT(client->take(), IsEmpty());
}

}  // namespace
}  // namespace payam::sio
