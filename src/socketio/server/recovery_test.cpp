// Connection state recovery: a client that comes back gets its id, rooms, data and exactly what it missed.
#include "socketio/server/test_world.hpp"

namespace payam::sio {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

// Offsets count the namespace's events from 1, to base 36.
constexpr Millis kKept{30'000};

Options recovery(Millis kept = kKept) {
  Options options;
  options.connection_state_recovery.emplace();
  options.connection_state_recovery->max_disconnection_duration = kept;
  return options;
}

// The parameter: on which shard the client comes back; it begins on shard 0.
class RecoveryTest : public ::testing::TestWithParam<std::size_t> {
 protected:
  void start(Options options = recovery()) {
    world = std::make_unique<World>(std::move(options), 2);
    world->io->on_connection([this](SocketPtr socket) {
      sockets.push_back(socket);
      if (socket->recovered()) return;
      socket->join("red");
      socket->data<std::string>() = "mina";
    });
    first = world->client(0);
    const auto answer = first->connect();
    id = answer.at("sid").as_string();
    pid = answer.at("pid").as_string();
  }
  ~RecoveryTest() override {
    sockets.clear();
    first.reset();
  }

  std::string auth(const std::string& offset) const {
    return R"({"pid":")" + pid + (offset.empty() ? "\"}" : R"(","offset":")" + offset + "\"}");
  }
  // Comes back on the other shard and gives what it is sent, the answer to CONNECT included.
  std::vector<std::string> come_back(const std::string& offset) {
    second = world->client(GetParam());
    second->send("0" + auth(offset));
    return second->take();
  }
  std::string connected() const { return R"(0{"sid":")" + id + R"(","pid":")" + pid + "\"}"; }

  std::unique_ptr<World> world;
  std::unique_ptr<Client> first, second, third;
  std::vector<SocketPtr> sockets;
  std::string id, pid;
};

TEST_P(RecoveryTest, WhatWasMissedComesBeforeConnectAndNothingElse) {
  start();
  world->io->to("red").emit("a", 1);
  world->on(0, [&] { sockets[0]->emit("b"); });
  EXPECT_THAT(first->take(), ElementsAre(R"(2["a",1,"1"])", R"(2["b","2"])"));
  first->end();
  world->io->to("red").emit("c");
  world->io->to("blue").emit("not mine");
  world->io->to(id).emit("d", "mine alone");
  world->io->volatile_().to("red").emit("volatile");
  world->io->except("red").emit("not for red");
  world->run();
  EXPECT_THAT(come_back("1"), ElementsAre(R"(2["b","2"])", R"(2["c","3"])", R"(2["d","mine alone","5"])", connected()));
  ASSERT_EQ(sockets.size(), 2u);
  const auto& back = sockets[1];
  EXPECT_TRUE(back->recovered());
  EXPECT_EQ(back->id(), id);
  EXPECT_EQ(back->data<std::string>(), "mina");
  EXPECT_FALSE(sockets[0]->recovered());
  world->on(GetParam(), [&] { EXPECT_THAT(back->rooms(), UnorderedElementsAre(id, "red")); });
  world->io->to("red").emit("e");
  world->run();
  EXPECT_THAT(second->take(), ElementsAre(R"(2["e","7"])"));
  EXPECT_EQ(world->io->counters().sockets_recovered, 1u);
  EXPECT_EQ(world->io->counters().sessions_kept, 0u);
}

TEST_P(RecoveryTest, WorksWhenNoEventWasReceivedYet) {
  start();
  first->end();
  EXPECT_THAT(come_back(""), ElementsAre(connected()));
  second->end();
  world->io->emit("x");
  world->run();
  third = world->client(0);
  third->send("0" + auth(""));
  EXPECT_THAT(third->take(), ElementsAre(R"(2["x","1"])", connected()));
}

TEST_P(RecoveryTest, WorksTwiceInARowWithAnOldOffset) {
  start();
  world->io->emit("a");
  world->run();
  first->end();
  world->io->emit("b");
  world->run();
  EXPECT_THAT(come_back("1"), ElementsAre(R"(2["b","2"])", connected()));
  // The client never got that far: it comes again with what it has.
  second->end();
  world->io->emit("c");
  world->run();
  third = world->client(0);
  third->send("0" + auth("1"));
  EXPECT_THAT(third->take(), ElementsAre(R"(2["b","2"])", R"(2["c","3"])", connected()));
  EXPECT_EQ(sockets.size(), 3u);
}

TEST_P(RecoveryTest, TheOldSocketIsFenced) {
  start();
  std::vector<std::string> reasons;
  world->on(0, [&] { sockets[0]->on_disconnect([&](DisconnectReason reason) { reasons.emplace_back(to_string(reason)); }); });
  EXPECT_THAT(come_back(""), ElementsAre(connected()));
  EXPECT_FALSE(first->is_open());
  EXPECT_THAT(reasons, ElementsAre("forced close"));
  world->io->emit("x");
  world->run();
  EXPECT_THAT(first->take(), IsEmpty());
  EXPECT_THAT(second->take(), ElementsAre(R"(2["x","1"])"));
}

TEST_P(RecoveryTest, AClientThatShowsNothingUsableStartsAnew) {
  start();
  world->io->emit("a");
  world->run();
  first->end();
  for (const char* wrong : {R"({"pid":"unknown","offset":"1"})", R"({"pid":7})", R"({})"}) {
    const auto client = world->client(GetParam());
    const auto answer = client->connect("/", wrong);
    EXPECT_NE(answer.at("sid").as_string(), id) << wrong;
    EXPECT_NE(answer.at("pid").as_string(), pid) << wrong;
  }
  for (const char* offset : {"9", "-", "never sent"}) {
    const auto client = world->client(GetParam());
    EXPECT_NE(client->connect("/", auth(offset)).at("sid").as_string(), id) << offset;
  }
  // It was there all the time.
  EXPECT_THAT(come_back("1"), ElementsAre(connected()));
}

TEST_P(RecoveryTest, TheApplicationsCheckRefusesAnotherUsersPid) {
  Options options = recovery();
  options.connection_state_recovery->accept = [](const Handshake& handshake, const std::any& data) {
    const json::value* user = handshake.auth.if_contains("user");
    return user != nullptr && user->is_string() && user->get_string() == std::any_cast<const std::string&>(data);
  };
  start(options);
  first->end();
  const auto thief = world->client(GetParam());
  const auto answer = thief->connect("/", R"({"user":"thief","pid":")" + pid + "\"}");
  EXPECT_NE(answer.at("sid").as_string(), id);
  EXPECT_FALSE(sockets.back()->recovered());
  second = world->client(GetParam());
  EXPECT_EQ(second->connect("/", R"({"user":"mina","pid":")" + pid + "\"}").at("sid").as_string(), id);
  EXPECT_TRUE(sockets.back()->recovered());
  EXPECT_EQ(sockets.back()->data<std::string>(), "mina");
}

TEST_P(RecoveryTest, MiddlewareRunsUnlessItIsSkipped) {
  for (const bool skip : {false, true}) {
    Options options = recovery();
    options.connection_state_recovery->skip_middlewares = skip;
    sockets.clear();
    first.reset();
    start(options);
    int asked = 0;
    world->io->use([&](SocketPtr socket) {
      ++asked;
      EXPECT_TRUE(socket->recovered());
      EXPECT_EQ(socket->data<std::string>(), "mina");
    });
    first->end();
    EXPECT_THAT(come_back(""), ElementsAre(connected()));
    EXPECT_EQ(asked, skip ? 0 : 1);
    second.reset();
  }
}

TEST_P(RecoveryTest, EventsDuringSlowMiddlewareAreNeitherLostNorDoubled) {
  start();
  std::move_only_function<void()> resume;
  world->io->use([&](SocketPtr) -> Task<Verdict> {
    auto wait = [&](Completion<std::monostate> done) { resume = [done = std::move(done)]() mutable { done({}); }; };
    co_await await_completion<std::monostate>(wait);
    co_return std::nullopt;
  });
  world->io->emit("a");
  world->run();
  first->end();
  world->io->emit("b");
  world->run();
  EXPECT_THAT(come_back("1"), IsEmpty());
  world->io->to("red").emit("c");
  world->run();
  EXPECT_THAT(second->take(), IsEmpty());
  resume();
  world->run();
  EXPECT_THAT(second->take(), ElementsAre(R"(2["b","2"])", R"(2["c","3"])", connected()));
}

// Step by step, with an event in every gap of the way from one shard to the other.
TEST_P(RecoveryTest, EventsDuringTheMoveAreNeitherLostNorDoubled) {
  start();
  first->end();
  second = world->client(GetParam());
  second->session->shard().post([&] { second->session->handler->on_text("0" + auth("")); });
  int emitted = 0;
  for (int step = 0; step < 12; ++step) {
    world->io->to("red").emit("n", ++emitted);
    world->step();
  }
  world->run();
  world->io->to("red").emit("n", ++emitted);
  world->run();
  std::vector<std::string> events;
  for (const std::string& packet : second->take()) {
    if (packet.starts_with("2")) events.push_back(packet.substr(0, packet.find_last_of(',')));
  }
  std::vector<std::string> expected;
  for (int i = 1; i <= emitted; ++i) expected.push_back(R"(2["n",)" + std::to_string(i));
  EXPECT_EQ(events, expected);
  EXPECT_TRUE(sockets.back()->recovered());
}

TEST_P(RecoveryTest, AClientThatGoesAgainDuringTheMoveMayComeBackStill) {
  start();
  first->end();
  world->io->emit("a");
  world->run();
  for (int steps = 0; steps < 8; ++steps) {
    auto hasty = world->client(GetParam());
    hasty->session->shard().post([&] { hasty->session->handler->on_text("0" + auth("")); });
    for (int step = 0; step < steps; ++step) world->step();
    hasty->end();
  }
  EXPECT_THAT(come_back(""), ElementsAre(R"(2["a","1"])", connected()));
}

TEST_P(RecoveryTest, WhoWasPutOutOfARoomWhileAwayStaysOut) {
  start();
  first->end();
  world->io->to("red").emit("before");
  world->io->in(id).sockets_leave("red");
  world->io->to("red").emit("after");
  world->io->in(id).sockets_join("blue");
  world->io->to("blue").emit("in blue");
  world->run();
  EXPECT_THAT(come_back(""), ElementsAre(R"(2["before","1"])", R"(2["in blue","3"])", connected()));
  world->on(GetParam(), [&] { EXPECT_THAT(sockets.back()->rooms(), UnorderedElementsAre(id, "blue")); });
}

TEST_P(RecoveryTest, WhoWasDisconnectedWhileAwayStartsAnew) {
  start();
  first->end();
  EXPECT_EQ(world->io->counters().sessions_kept, 1u);
  EXPECT_THAT(world->await(world->io->fetch_sockets()), IsEmpty());
  world->io->in("red").disconnect_sockets();
  world->run();
  EXPECT_EQ(world->io->counters().sessions_kept, 0u);
  EXPECT_EQ(come_back("").size(), 1u);
  EXPECT_FALSE(sockets.back()->recovered());
}

TEST_P(RecoveryTest, ADisconnectionThatWasWantedIsFinal) {
  start();
  first->send("1");
  EXPECT_EQ(world->io->counters().sessions_kept, 0u);
  come_back("");
  EXPECT_FALSE(sockets.back()->recovered());
}

TEST_P(RecoveryTest, TheTimeIsLimited) {
  start(recovery(20ms));
  first->end();
  EXPECT_TRUE(world->run_until([&] { return world->io->counters().sessions_kept == 0; }));
  come_back("");
  EXPECT_FALSE(sockets.back()->recovered());
}

TEST_P(RecoveryTest, AServerThatClosesWaitsUntilWhatIsKeptIsDropped) {
  start(recovery());
  first->end();
  EXPECT_EQ(world->io->counters().sessions_kept, 1u);
  world->io->close();
  EXPECT_FALSE(world->io->wait(Millis(0)));  // the shards have not run since
  world->run();
  EXPECT_EQ(world->io->counters().sessions_kept, 0u);
}

TEST_P(RecoveryTest, TheNumberOfSessionsIsLimited) {
  Options options = recovery();
  options.connection_state_recovery->max_sessions = 2;  // one a shard
  start(options);
  first->end();
  third = world->client(0);
  const auto answer = third->connect();
  third->end();
  EXPECT_EQ(world->io->counters().sessions_kept, 1u);
  EXPECT_THAT(come_back(""), ElementsAre(connected()));
}

TEST_P(RecoveryTest, TheLastSessionOfAChildNamespaceMayEndWithIt) {
  Options options = recovery(20ms);
  options.cleanup_empty_child_namespaces = true;
  World other(options, 2);
  other.io->of_pattern("^/x");
  const auto client = other.client(GetParam());
  client->connect("/x1");
  client->end();
  EXPECT_EQ(other.io->counters().sessions_kept, 1u);
  EXPECT_TRUE(other.run_until([&] { return other.io->counters().sessions_kept == 0; }));
}

TEST_P(RecoveryTest, WhatIsKeptIsLimitedInCount) {
  Options options = recovery();
  options.connection_state_recovery->max_packets = 2;
  start(options);
  world->io->emit("a");
  world->run();
  first->end();
  for (int i = 0; i < 3; ++i) world->io->emit("b");
  world->run();
  come_back("1");
  EXPECT_FALSE(sockets.back()->recovered());
}

TEST_P(RecoveryTest, OnlyClientsThatWantItTakePart) {
  Options options = recovery();
  options.connection_state_recovery->wanted = [](const Handshake& handshake) { return handshake.auth.contains("recovery"); };
  World other(options, 2);
  const auto plain = other.client(GetParam());
  const auto wanting = other.client(0);
  EXPECT_EQ(plain->connect().as_object().size(), 1u);
  EXPECT_EQ(wanting->connect("/", R"({"recovery":true})").as_object().size(), 2u);
  other.io->emit("x");
  other.run();
  EXPECT_THAT(plain->take(), ElementsAre(R"(2["x"])"));
  EXPECT_THAT(wanting->take(), ElementsAre(R"(2["x","1"])"));
}

TEST_P(RecoveryTest, EventsWithAcknowledgementCarryNoOffset) {
  start();
  auto ask = [](Server& io) -> Task<> { (void)co_await io.timeout(10ms).emit_with_ack<int>("q"); };
  world->on(0, [&] { asio::co_spawn(world->shard(0).executor(), ask(*world->io), asio::detached); });
  EXPECT_THAT(first->take(), ElementsAre(R"(21000000000["q"])"));
}

TEST_P(RecoveryTest, BinaryEventsAreKeptWithTheirAttachments) {
  start();
  first->end();
  world->io->emit("x", Binary{"\x01\x02"});
  world->run();
  EXPECT_THAT(come_back(""), ElementsAre(R"(51-["x",{"_placeholder":true,"num":0},"1"])", "<\x01\x02", connected()));
}

INSTANTIATE_TEST_SUITE_P(ComesBackOnShard, RecoveryTest, ::testing::Values(0, 1));

}  // namespace
}  // namespace payam::sio
