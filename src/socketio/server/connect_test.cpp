// Connecting to namespaces, and what ends a connection.
#include "socketio/server/test_world.hpp"

namespace payam::sio {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

TEST(Connect, AnswersWithAnIdThatIsNotTheSessions) {
  World world;
  std::string id;
  world.io->on_connection([&](SocketPtr socket) { id = socket->id(); });
  const auto client = world.client();
  const auto answer = client->connect();
  ASSERT_TRUE(answer.is_object());
  EXPECT_EQ(answer.as_object().size(), 1u);
  EXPECT_EQ(answer.at("sid").as_string(), id);
  EXPECT_EQ(id.size(), 20u);
  EXPECT_NE(id, client->session->id());
}

TEST(Connect, HandsAuthToTheHandshake) {
  World world;
  world.io->on_connection([](SocketPtr socket) { socket->emit("auth", socket->handshake().auth); });
  world.io->of("/custom").on_connection([](SocketPtr socket) { socket->emit("auth", socket->handshake().auth); });
  const auto client = world.client();
  EXPECT_TRUE(client->connect("/", R"({"token":"123"})").is_object());
  EXPECT_THAT(client->take(), ElementsAre(R"(2["auth",{"token":"123"}])"));
  client->send("0/custom");
  const auto answers = client->take();
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_THAT(answers[0], MatchesRegex(R"(0/custom,\{"sid":"[A-Za-z0-9_-]{20}"\})"));
  EXPECT_EQ(answers[1], R"(2/custom,["auth",{}])");
}

TEST(Connect, HandshakeTellsOfTheRequest) {
  World world;
  eio::Handshake handshake;
  handshake.request =
      http::PackedRequest("/socket.io/?EIO=4&who=me", "10.0.0.9", {{"Authorization", "Bearer x"}, {"Origin", "http://a"}});
  int seen = 0;
  world.io->on_connection([&](SocketPtr socket) {
    ++seen;
    const Handshake& shake = socket->handshake();
    EXPECT_EQ(shake.header("authorization"), "Bearer x");
    EXPECT_EQ(shake.header("cookie"), std::nullopt);
    EXPECT_EQ(shake.query("who"), "me");
    EXPECT_EQ(shake.address(), "10.0.0.9");
    EXPECT_EQ(shake.url(), "/socket.io/?EIO=4&who=me");
    EXPECT_TRUE(shake.xdomain());
    EXPECT_FALSE(shake.secure());
    EXPECT_EQ(socket->conn().transport(), "websocket");
    EXPECT_EQ(socket->conn().id(), "engine-session");
  });
  world.client(std::move(handshake))->connect();
  EXPECT_EQ(seen, 1);
}

TEST(Connect, RefusesUnknownNamespacesAndKeepsTheConnection) {
  World world;
  const auto client = world.client();
  client->send("0/random");
  EXPECT_THAT(client->take(), ElementsAre(R"(4/random,{"message":"Invalid namespace"})"));
  EXPECT_TRUE(client->is_open());
  EXPECT_TRUE(client->connect().is_object());
}

TEST(Connect, MiddlewareRefusesWithMessageAndData) {
  World world;
  std::vector<std::string> order;
  world.io->use([&](SocketPtr) { order.push_back("first"); });
  world.io->use([&](SocketPtr socket) -> Verdict {
    order.push_back("second");
    if (socket->handshake().auth.contains("token")) return std::nullopt;
    return Refusal{"Not authorized", {{"code", "unauthorized"}}};
  });
  world.io->use([&](SocketPtr) -> Task<Verdict> {
    order.push_back("third");
    co_return std::nullopt;
  });
  world.io->on_connection([&](SocketPtr) { order.push_back("connected"); });
  const auto client = world.client();
  client->send("0");
  EXPECT_THAT(client->take(), ElementsAre(R"(4{"message":"Not authorized","data":{"code":"unauthorized"}})"));
  EXPECT_THAT(order, ElementsAre("first", "second"));
  EXPECT_TRUE(client->is_open());
  order.clear();
  EXPECT_TRUE(client->connect("/", R"({"token":1})").is_object());
  EXPECT_THAT(order, ElementsAre("first", "second", "third", "connected"));
  EXPECT_EQ(world.io->counters().sockets_refused, 1u);
}

TEST(Connect, ARefusalWithoutDataHasNone) {
  World world;
  world.io->use([](SocketPtr) -> Task<Verdict> { co_return Refusal{"no"}; });
  const auto client = world.client();
  client->send("0");
  EXPECT_THAT(client->take(), ElementsAre(R"(4{"message":"no"})"));
}

TEST(Connect, AMiddlewareThatThrowsRefusesWithoutTellingWhy) {
  World world;
  world.io->use([](SocketPtr) { throw std::runtime_error("database password is x"); });
  const auto client = world.client();
  client->send("0");
  EXPECT_THAT(client->take(), ElementsAre(R"(4{"message":"Internal server error"})"));
  EXPECT_THAT(world.exceptions, ElementsAre("connection middleware: database password is x"));
}

TEST(Connect, RoomsAndDataGivenInMiddlewareAreThere) {
  World world;
  world.io->use([](SocketPtr socket) {
    socket->data<std::string>() = "mina";
    socket->join("lobby");
    socket->emit("too early");
  });
  const auto client = world.client();
  EXPECT_TRUE(client->connect().is_object());
  EXPECT_THAT(client->take(), IsEmpty());
  world.io->to("lobby").emit("hello");
  world.run();
  EXPECT_THAT(client->take(), ElementsAre(R"(2["hello"])"));
}

TEST(Connect, WithoutANamespaceTheConnectionEndsInTime) {
  Options options;
  options.connect_timeout = 30ms;
  World world(options);
  const auto silent = world.client();
  const auto refused = world.client();
  const auto joined = world.client();
  refused->send("0/random");  // a refusal does not stop the clock
  EXPECT_TRUE(joined->connect().is_object());
  EXPECT_TRUE(world.run_until([&] { return !silent->is_open() && !refused->is_open(); }));
  EXPECT_TRUE(joined->is_open());
}

TEST(Connect, AConnectionMayAskForNamespacesOnlySoOften) {
  Options options;
  options.max_connects_at_once = 3;
  options.connect_interval = 1h;
  World world(options);
  const auto client = world.client();
  for (int i = 0; i < 2; ++i) {
    client->send("0/random");
    EXPECT_THAT(client->take(), ElementsAre(R"(4/random,{"message":"Invalid namespace"})"));
  }
  EXPECT_TRUE(client->connect().is_object());
  EXPECT_TRUE(client->is_open());
  client->send("0/random");
  EXPECT_FALSE(client->is_open());
  EXPECT_EQ(world.io->counters().connections_insistent, 1u);
  // Another may still.
  EXPECT_TRUE(world.client()->connect().is_object());
}

TEST(Connect, JoiningAndLeavingOverAndOverCountsToo) {
  Options options;
  options.max_connects_at_once = 3;
  options.connect_interval = 1h;
  World world(options);
  const auto client = world.client();
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(client->connect().is_object());
    client->send("1");
  }
  client->send("0");
  EXPECT_FALSE(client->is_open());
}

TEST(Connect, WhoIsInANamespaceMaySendLargePackets) {
  World world;
  world.io->of("/private").use([](const SocketPtr&) -> Verdict { return Refusal{"no", nullptr}; });
  const auto client = world.client();
  client->send("0/unknown").send("0/private");
  EXPECT_FALSE(client->session->admitted);
  client->connect();
  EXPECT_TRUE(client->session->admitted);
}

TEST(Connect, NothingWaitsForAttachmentsBeforeANamespaceIsJoined) {
  World world;
  const auto client = world.client();
  client->send(R"(51-["x",{"_placeholder":true,"num":0}])");
  EXPECT_FALSE(client->is_open());
  EXPECT_EQ(world.io->counters().packets_invalid, 1u);
}

TEST(Connect, AnAttachmentThatDoesNotComeEndsTheConnection) {
  Options options;
  options.attachment_timeout = 30ms;
  World world(options);
  std::vector<DisconnectReason> reasons;
  world.io->on_disconnect([&](const SocketPtr&, DisconnectReason reason) { reasons.push_back(reason); });
  const auto client = world.client();
  client->connect();
  client->send(R"(52-["x",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}])").send_binary("one");
  EXPECT_TRUE(client->is_open());
  EXPECT_TRUE(world.run_until([&] { return !client->is_open(); }));
  EXPECT_THAT(reasons, ElementsAre(DisconnectReason::forced_server_close));
  EXPECT_EQ(world.io->counters().attachments_timed_out, 1u);
}

TEST(Connect, WhatWaitsForAttachmentsIsBounded) {
  Options options;
  options.attachment_bytes = {.total = 100 * 1024};
  World world(options);
  std::vector<std::size_t> sizes;
  world.io->on_event("x",
                     [&](SocketPtr, std::string text, Binary binary) { sizes.push_back(text.size() + binary.bytes.size()); });
  const auto first = world.client();
  const auto second = world.client();
  first->connect();
  second->connect();
  const std::string header = R"(51-["x",")" + std::string(60'000, 'a') + R"(",{"_placeholder":true,"num":0}])";
  first->send(header);
  EXPECT_GE(world.io->counters().attachment_bytes.held, 60'000u);
  second->send(header);
  EXPECT_FALSE(second->is_open());
  EXPECT_EQ(world.io->counters().attachment_bytes.refused_total, 1u);
  first->send_binary("b");
  EXPECT_THAT(sizes, ElementsAre(60'001u));
  EXPECT_EQ(world.io->counters().attachment_bytes.held, 0u);
  first->send(header);
  first->end();
  EXPECT_EQ(world.io->counters().attachment_bytes.held, 0u);
}

TEST(Connect, AnObjectWithTooManyMembersIsRefusedAndTheConnectionStays) {
  Options options;
  options.max_object_members = 2;
  World world(options);
  std::vector<std::string> errors;
  world.io->on_error(
      [&](const SocketPtr&, const EventError& error, const Ack&) { errors.push_back(error.event + ": " + error.message); });
  const auto client = world.client();
  client->send(R"(0{"a":1,"b":2,"c":3})");
  EXPECT_THAT(client->take(), ElementsAre(R"(4{"message":"Invalid payload"})"));
  EXPECT_TRUE(client->connect("/", R"({"a":1,"b":2})").is_object());
  client->send(R"(2["x",{"a":1,"b":2,"c":3}])");
  EXPECT_THAT(errors, ElementsAre("x: too many members in an object"));
  EXPECT_TRUE(client->is_open());
}

// Each closes the whole connection, from a client that has joined "/".
TEST(Connect, InvalidPacketsCloseTheConnection) {
  const std::vector<std::string> cases = {"abc",
                                          "2{}",
                                          "2[]",
                                          "2",
                                          "2abc[\"message-with-ack\",1]",
                                          "0[]",
                                          "0",
                                          R"(2["disconnect"])",
                                          R"(2["connect"])",
                                          R"(2["connect_error"])",
                                          R"(2["disconnecting"])",
                                          R"(2["newListener"])",
                                          R"(2["removeListener"])",
                                          R"(2/custom,["x"])",
                                          "1/custom,",
                                          R"(3/custom,1[])",
                                          R"(4{"message":"x"})",
                                          R"(5-["x"])",
                                          R"(511-["x"])",
                                          R"(51-["x",{"_placeholder":true,"num":1}])"};
  for (const std::string& packet : cases) {
    World world;
    world.io->of("/custom");
    std::vector<DisconnectReason> reasons;
    world.io->on_disconnect([&](const SocketPtr&, DisconnectReason reason) { reasons.push_back(reason); });
    const auto client = world.client();
    client->connect();
    client->send(packet);
    EXPECT_FALSE(client->is_open()) << packet;
    EXPECT_EQ(reasons.size(), 1u) << packet;
    EXPECT_EQ(world.io->counters().packets_invalid, 1u) << packet;
    EXPECT_EQ(world.io->counters().connections_open, 0u) << packet;
  }
}

TEST(Connect, AStrayAttachmentAndTextAmidAttachmentsClose) {
  World world;
  const auto stray = world.client();
  stray->connect();
  stray->send_binary("x");
  EXPECT_FALSE(stray->is_open());
  const auto amid = world.client();
  amid->connect();
  amid->send(R"(51-["x",{"_placeholder":true,"num":0}])");
  EXPECT_TRUE(amid->is_open());
  amid->send(R"(2["x"])");
  EXPECT_FALSE(amid->is_open());
}

TEST(Connect, AnEventBeforeTheNamespaceIsJoinedCloses) {
  World world;
  const auto client = world.client();
  client->send(R"(2["x"])");
  EXPECT_FALSE(client->is_open());
}

TEST(Connect, DisconnectingFromANamespaceGetsNoAnswerAndKeepsTheConnection) {
  World world;
  std::vector<std::string> reasons;
  world.io->of("/custom").on_disconnect(
      [&](const SocketPtr&, DisconnectReason reason) { reasons.emplace_back(to_string(reason)); });
  world.io->on_connection(
      [](SocketPtr socket) { socket->on("message", [socket](Arguments all) { socket->emit("message-back", all); }); });
  const auto client = world.client();
  client->connect();
  client->connect("/custom");
  client->take();
  client->send("1/custom");
  EXPECT_THAT(client->take(), IsEmpty());
  EXPECT_THAT(reasons, ElementsAre("client namespace disconnect"));
  client->send(R"(2["message","still here"])");
  EXPECT_THAT(client->take(), ElementsAre(R"(2["message-back","still here"])"));
  // And back again.
  EXPECT_TRUE(client->connect("/custom").is_object());
}

TEST(Connect, EveryNamespaceOfAConnectionEndsWithIt) {
  World world;
  std::vector<std::string> gone;
  const auto note = [&](const SocketPtr& socket, DisconnectReason reason) {
    gone.push_back(socket->nsp().name() + " " + std::string(to_string(reason)));
  };
  world.io->on_disconnect(note);
  world.io->of("/a").on_disconnect(note);
  const auto client = world.client();
  client->connect();
  client->connect("/a");
  client->end(eio::CloseReason::ping_timeout);
  EXPECT_THAT(gone, ElementsAre("/ ping timeout", "/a ping timeout"));
  EXPECT_EQ(world.io->counters().sockets_open, 0u);
  EXPECT_EQ(world.io->local_size(), 0u);
}

TEST(Connect, ServerDisconnectsOneNamespaceOrTheConnection) {
  World world;
  std::vector<std::string> reasons;
  SocketPtr main, admin;
  world.io->on_connection([&](SocketPtr socket) { main = socket; });
  world.io->of("/admin").on_connection([&](SocketPtr socket) { admin = socket; });
  const auto note = [&](const SocketPtr& socket, DisconnectReason reason) {
    reasons.push_back(socket->nsp().name() + " " + std::string(to_string(reason)));
  };
  world.io->on_disconnect(note);
  world.io->of("/admin").on_disconnect(note);
  const auto client = world.client();
  client->connect();
  client->connect("/admin");
  world.on(0, [&] { admin->disconnect(); });
  EXPECT_THAT(client->take(), ElementsAre("1/admin,"));
  EXPECT_TRUE(client->is_open());
  client->connect("/admin");
  world.on(0, [&] { main->disconnect(true); });
  EXPECT_THAT(client->take(), ElementsAre("1", "1/admin,"));
  EXPECT_FALSE(client->is_open());
  EXPECT_THAT(reasons, ElementsAre("/admin server namespace disconnect", "/ server namespace disconnect",
                                   "/admin server namespace disconnect"));
}

TEST(Connect, DisconnectingHandlersStillSeeTheRoomsAndDisconnectHandlersDoNot) {
  World world;
  std::vector<std::size_t> rooms;
  world.io->on_connection([&](SocketPtr socket) {
    socket->join("a");
    socket->on_disconnecting([&, socket](DisconnectReason) { rooms.push_back(socket->rooms().size()); });
    socket->on_disconnect([&, socket](DisconnectReason reason) {
      rooms.push_back(socket->rooms().size());
      EXPECT_EQ(reason, DisconnectReason::transport_close);
      EXPECT_FALSE(socket->connected());
      socket->join("b");  // too late
      EXPECT_FALSE(socket->in_room("b"));
    });
  });
  const auto client = world.client();
  client->connect();
  client->end();
  EXPECT_THAT(rooms, ElementsAre(2u, 0u));
}

TEST(Connect, ASocketThatItsHandlersHoldIsFreedAfterDisconnection) {
  World world;
  std::weak_ptr<Socket> weak;
  world.io->on_connection([&](SocketPtr socket) {
    weak = socket;
    socket->on("x", [socket] {});
    socket->on_disconnect([socket](DisconnectReason) {});
  });
  const auto client = world.client();
  client->connect();
  EXPECT_FALSE(weak.expired());
  client->end();
  EXPECT_TRUE(weak.expired());
}

TEST(Connect, AConnectionThatEndsDuringMiddlewareNeverConnects) {
  World world;
  std::vector<std::string> seen;
  std::move_only_function<void()> resume;
  world.io->use([&](SocketPtr) -> Task<Verdict> {
    auto start = [&](Completion<std::monostate> done) { resume = [done = std::move(done)]() mutable { done({}); }; };
    co_await await_completion<std::monostate>(start);
    co_return std::nullopt;
  });
  world.io->on_connection([&](SocketPtr) { seen.push_back("connection"); });
  world.io->on_disconnect([&](const SocketPtr&, DisconnectReason) { seen.push_back("disconnect"); });
  const auto client = world.client();
  client->send("0");
  ASSERT_TRUE(resume);
  client->end();
  resume();
  world.run();
  EXPECT_THAT(seen, IsEmpty());
  EXPECT_EQ(world.io->counters().sockets_open, 0u);
}

TEST(Connect, ASecondConnectWhileTheFirstIsOnItsWayCloses) {
  World world;
  std::move_only_function<void()> resume;
  world.io->use([&](SocketPtr) -> Task<Verdict> {
    auto start = [&](Completion<std::monostate> done) { resume = [done = std::move(done)]() mutable { done({}); }; };
    co_await await_completion<std::monostate>(start);
    co_return std::nullopt;
  });
  const auto client = world.client();
  client->send("0").send("0");
  EXPECT_FALSE(client->is_open());
  resume();
  world.run();
  EXPECT_THAT(client->take(), IsEmpty());
}

TEST(Connect, TheNamespacesOfOneConnectionAreLimited) {
  Options options;
  options.max_namespaces = 2;
  World world(options);
  for (const char* name : {"/a", "/b", "/c"}) world.io->of(name);
  const auto client = world.client();
  EXPECT_TRUE(client->connect("/a").is_object());
  EXPECT_TRUE(client->connect("/b").is_object());
  client->send("0/c,");
  EXPECT_THAT(client->take(), ElementsAre(R"(4/c,{"message":"Too many namespaces"})"));
  client->send("1/a,");
  EXPECT_TRUE(client->connect("/c").is_object());
}

TEST(Connect, AuthThatCannotBeReadIsRefusedAndTheConnectionStays) {
  World world;
  const auto client = world.client();
  client->send(R"(0{"token":"\ud800"})");
  EXPECT_THAT(client->take(), ElementsAre(R"(4{"message":"Invalid payload"})"));
  EXPECT_TRUE(client->is_open());
}

TEST(Connect, ClosingTheServerDisconnectsEveryone) {
  World world;
  std::vector<std::string> reasons;
  world.io->on_disconnect([&](const SocketPtr&, DisconnectReason reason) { reasons.emplace_back(to_string(reason)); });
  const auto client = world.client();
  client->connect();
  world.io->close();
  world.run();
  client->end(eio::CloseReason::server_shutdown);  // the engine's part, which a fake session does not know of
  EXPECT_THAT(reasons, ElementsAre("server shutting down"));
}

// --- Dynamic namespaces

TEST(DynamicNamespace, APatternMakesChildrenWithTheParentsHandlers) {
  World world;
  std::vector<std::string> made;
  world.io->on_new_namespace([&](Namespace nsp) { made.push_back(nsp.name()); });
  auto parent = world.io->of_pattern(R"(^/room-\d+$)");
  parent.use([](SocketPtr socket) -> Verdict {
    if (socket->handshake().auth.contains("key")) return std::nullopt;
    return Refusal{"no key"};
  });
  parent.on_connection([](SocketPtr socket) { socket->emit("welcome", socket->nsp().name()); });
  const auto client = world.client();
  client->send("0/room-x");
  EXPECT_THAT(client->take(), ElementsAre(R"(4/room-x,{"message":"Invalid namespace"})"));
  client->send("0/room-7");
  EXPECT_THAT(client->take(), ElementsAre(R"(4/room-7,{"message":"no key"})"));
  EXPECT_TRUE(client->connect("/room-7", R"({"key":1})").is_object());
  EXPECT_THAT(client->take(), ElementsAre(R"(2/room-7,["welcome","/room-7"])"));
  const auto other = world.client();
  other->connect("/room-8", R"({"key":1})");
  other->take();
  EXPECT_THAT(made, ElementsAre("/room-7", "/room-8"));
  // What is emitted to the parent reaches every child.
  parent.emit("news", 1);
  world.run();
  EXPECT_THAT(client->take(), ElementsAre(R"(2/room-7,["news",1])"));
  EXPECT_THAT(other->take(), ElementsAre(R"(2/room-8,["news",1])"));
  world.io->of("/room-8").emit("only there");
  world.run();
  EXPECT_THAT(client->take(), IsEmpty());
  EXPECT_THAT(other->take(), ElementsAre(R"(2/room-8,["only there"])"));
}

TEST(DynamicNamespace, AFunctionDecidesByNameAndAuthAndMayWait) {
  World world;
  world.io->of_function([](std::string, json::object) -> bool { throw std::runtime_error("broken"); });
  world.io->of_function(
      [](std::string name, json::object auth) -> Task<bool> { co_return name == "/tenant" && auth.contains("tenant"); });
  const auto client = world.client();
  client->send("0/tenant");
  EXPECT_THAT(client->take(), ElementsAre(R"(4/tenant,{"message":"Invalid namespace"})"));
  EXPECT_TRUE(client->connect("/tenant", R"({"tenant":1})").is_object());
}

TEST(DynamicNamespace, EmptyChildrenAreCleanedUpIfWanted) {
  Options options;
  options.cleanup_empty_child_namespaces = true;
  options.max_child_namespaces = 1;
  World world(options);
  int made = 0;
  world.io->on_new_namespace([&](Namespace) { ++made; });
  world.io->of_pattern("^/x").on_connection([](SocketPtr) {});
  const auto client = world.client();
  EXPECT_TRUE(client->connect("/x1").is_object());
  EXPECT_TRUE(client->connect("/x2").is_null());  // there may be only one at a time
  client->send("1/x1");
  EXPECT_TRUE(client->connect("/x2").is_object());
  EXPECT_EQ(made, 2);
}

TEST(DynamicNamespace, NamesThatWouldTireThePatternAreRefused) {
  World world;
  world.io->of_pattern("^/x");
  const auto client = world.client();
  EXPECT_TRUE(client->connect("/x" + std::string(300, 'y')).is_null());
  EXPECT_TRUE(client->connect("/x" + std::string(200, 'y')).is_object());
}

}  // namespace
}  // namespace payam::sio
