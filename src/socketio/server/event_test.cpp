// Events of clients: handlers and their forms, middleware, catch-all listeners, acknowledgements both ways, errors.
#include "socketio/server/test_world.hpp"

namespace payam::sio {

struct Question {
  std::string text;
  std::optional<int> hint;
};
BOOST_DESCRIBE_STRUCT(Question, (), (text, hint))

struct Answer {
  std::string text;
  int points = 0;
};
BOOST_DESCRIBE_STRUCT(Answer, (), (text, points))

namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A client that has joined "/" of a world set up by the test.
class EventTest : public ::testing::Test {
 protected:
  void start() {
    world.io->on_connection([this](SocketPtr connected) { socket = connected; });
    client = world.client();
    client->connect();
    client->take();
  }

  World world;
  std::unique_ptr<Client> client;
  SocketPtr socket;
  std::vector<std::string> log;
};

Answer answer_of(const Question& question) { return {"re: " + question.text, question.hint.value_or(0)}; }

TEST_F(EventTest, HandlersTakeWhatTheyName) {
  world.io->on_connection([](SocketPtr socket) {
    socket->on("none", [socket] { socket->emit("got none"); });
    socket->on("two", [socket](int a, std::string b) { socket->emit("got two", a, b); });
    socket->on("struct", [socket](Question question) { socket->emit("got", question); });
    socket->on("optional", [socket](int a, std::optional<int> b) { socket->emit("got optional", a, b); });
    socket->on("array", [socket](json::array all) { socket->emit("got array", all); });
    socket->on("all", [socket](Arguments all) { socket->emit("got all", all); });
    socket->on("value", [socket](json::value value) { socket->emit("got value", value); });
    socket->on("binary", [socket](Binary bytes) { socket->emit("got binary", bytes.bytes.size(), bytes); });
    socket->on("by reference", [socket](const Question& question) { socket->emit("got", question); });
    socket->on("with socket", [](SocketPtr self, int a) { self->emit("got with socket", a); });
  });
  start();
  const std::pair<std::string, std::vector<std::string>> cases[] = {
      {R"(2["none"])", {R"(2["got none"])"}},
      {R"(2["none","more than wanted"])", {R"(2["got none"])"}},
      {R"(2["two",1,"b"])", {R"(2["got two",1,"b"])"}},
      {R"(2["struct",{"text":"چرا؟","hint":3}])", {R"(2["got",{"text":"چرا؟","hint":3}])"}},
      {R"(2["struct",{"text":"x","extra":[]}])", {R"(2["got",{"text":"x"}])"}},
      {R"(2["by reference",{"text":"x"}])", {R"(2["got",{"text":"x"}])"}},
      {R"(2["optional",1])", {R"(2["got optional",1,null])"}},
      {R"(2["optional",1,2])", {R"(2["got optional",1,2])"}},
      {R"(2["array",1,[2],"3"])", {R"(2["got array",[1,[2],"3"]])"}},
      {R"(2["all",1,[2],"3"])", {R"(2["got all",1,[2],"3"])"}},
      {R"(2["value",{"a":0.1}])", {R"(2["got value",{"a":0.1}])"}},
      {R"(2["with socket",9])", {R"(2["got with socket",9])"}},
  };
  for (const auto& [packet, answers] : cases) {
    client->send(packet);
    EXPECT_EQ(client->take(), answers) << packet;
  }
  client->send(R"(51-["binary",{"_placeholder":true,"num":0}])").send_binary("\x01\x02");
  EXPECT_THAT(client->take(), ElementsAre(R"(51-["got binary",2,{"_placeholder":true,"num":0}])", "<\x01\x02"));
}

TEST_F(EventTest, AHeaderAndItsAttachmentsAreQueuedAsOneUnit) {
  start();
  const std::size_t before = client->session->units;
  world.on(0, [&] { socket->emit("x", Binary{"1"}, Binary{"2"}); });
  EXPECT_EQ(client->take().size(), 3u);
  EXPECT_EQ(client->session->units, before + 1);
}

TEST_F(EventTest, NumbersAreEventNamesToo) {
  world.io->on_connection([](SocketPtr socket) { socket->on("1", [socket](int a) { socket->emit("one", a); }); });
  start();
  client->send("2[1,2]");
  EXPECT_THAT(client->take(), ElementsAre(R"(2["one",2])"));
}

TEST_F(EventTest, AllHandlersOfAnEventRunTheNamespacesFirst) {
  world.io->on_event("x", [this](SocketPtr, int) { log.push_back("namespace"); });
  world.io->on_connection([this](SocketPtr socket) {
    socket->on("x", [this] { log.push_back("first"); });
    socket->on("x", [this](int) { log.push_back("second"); });
  });
  start();
  client->send(R"(2["x",1])");
  EXPECT_THAT(log, ElementsAre("namespace", "first", "second"));
}

TEST_F(EventTest, OnceAndOff) {
  start();
  Socket::ListenerId kept = 0, removed = 0;
  world.on(0, [&] {
    socket->once("x", [this] { log.push_back("once"); });
    kept = socket->on("x", [this] { log.push_back("kept"); });
    removed = socket->on("x", [this] { log.push_back("removed"); });
    socket->on("y", [this] {
      log.push_back("y");
      socket->off("y");  // while it is being called
    });
    socket->off(removed);
  });
  client->send(R"(2["x"])").send(R"(2["x"])").send(R"(2["y"])").send(R"(2["y"])");
  EXPECT_THAT(log, ElementsAre("once", "kept", "kept", "y"));
}

TEST_F(EventTest, CatchAllListenersSeeEveryEventFirst) {
  world.io->on_any([this](const SocketPtr&, const Event& event) { log.push_back("ns any " + event.name); });
  start();
  Socket::ListenerId removed = 0;
  world.on(0, [&] {
    socket->on("x", [this] { log.push_back("handler"); });
    socket->on_any([this](const Event& event) { log.push_back("any " + json::serialize(event.arguments.values)); });
    socket->prepend_any([this](const Event& event) { log.push_back(event.wants_ack ? "before, ack" : "before"); });
    removed = socket->on_any([this](const Event&) { log.push_back("never"); });
    socket->off_any(removed);
  });
  client->send(R"(27["x",1])").send(R"(2["unknown"])");
  EXPECT_THAT(log, ElementsAre("ns any x", "before, ack", "any [1]", "handler", "ns any unknown", "before", "any []"));
  log.clear();
  world.on(0, [&] { socket->off_any(); });
  client->send(R"(2["x"])");
  EXPECT_THAT(log, ElementsAre("ns any x", "handler"));
}

TEST_F(EventTest, OutgoingListenersSeeEmitsAndBroadcasts) {
  start();
  Socket::ListenerId removed = 0;
  world.on(0, [&] {
    socket->on_any_outgoing(
        [this](std::string_view event, std::string_view text) { log.push_back(std::string(event) + " " + std::string(text)); });
    removed = socket->on_any_outgoing([this](std::string_view, std::string_view) { log.push_back("never"); });
    socket->off_any_outgoing(removed);
    socket->emit("a", 1, "x");
  });
  world.io->emit_raw("b", R"({"c":2})");
  world.run();
  EXPECT_THAT(log, ElementsAre(R"(a 1,"x")", R"(b {"c":2})"));
}

TEST_F(EventTest, MiddlewareMayChangeDelayAndRefuse) {
  std::vector<EventError> errors;
  world.io->use_event([this](Event& event) -> Verdict {
    log.push_back("namespace " + event.name);
    return event.name == "forbidden" ? Verdict(Refusal{"not yours", {{"code", 7}}}) : std::nullopt;
  });
  world.io->on_error([&](const SocketPtr&, const EventError& error, Ack ack) {
    errors.push_back(error);
    ack("error", error.message);
  });
  world.io->on_connection([this](SocketPtr socket) {
    socket->use([this](SocketPtr, Event& event) -> Task<Verdict> {
      log.push_back("socket");
      co_await asio::post(use_task);
      event.arguments.values.emplace_back("added");
      co_return std::nullopt;
    });
    socket->use([this](Event&) { log.push_back("last"); });
    socket->on("x", [this](json::array all) { log.push_back("handler " + json::serialize(all)); });
  });
  start();
  client->send(R"(2["x",1])");
  EXPECT_THAT(log, ElementsAre("namespace x", "socket", "last", R"(handler [1,"added"])"));
  client->send(R"(25["forbidden"])");
  EXPECT_THAT(client->take(), ElementsAre(R"(35["error","not yours"])"));
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0].kind, EventError::Kind::refused);
  EXPECT_EQ(errors[0].event, "forbidden");
  EXPECT_EQ(errors[0].data.at("code"), 7);
  EXPECT_TRUE(client->is_open());
}

// --- Acknowledgements of the client's events

TEST_F(EventTest, AnAcknowledgementIsWhatTheHandlerReturnsOrCalls) {
  world.io->on_connection([](SocketPtr socket) {
    socket->on("returns", [](Question question) { return answer_of(question); });
    socket->on("returns later", [](Question question) -> Task<Answer> {
      co_await asio::post(use_task);
      co_return answer_of(question);
    });
    socket->on("calls", [](Question question, Ack ack) { ack(1, answer_of(question)); });
    socket->on("calls later", [](Question question, Ack ack) -> Task<> {
      co_await asio::post(use_task);
      ack(answer_of(question));
    });
    socket->on("nothing", [](Ack ack) { ack(); });
    socket->on("binary", [](Ack ack) { ack(Binary{"\x07"}); });
    socket->on("raw", [](Ack ack) { ack.raw(R"({"status":"ok"},2)"); });
  });
  start();
  const std::string question = R"({"text":"why","hint":2})";
  const std::string answer = R"({"text":"re: why","points":2})";
  client->send("21[\"returns\"," + question + "]");
  client->send("22[\"returns later\"," + question + "]");
  client->send("23[\"calls\"," + question + "]");
  client->send("24[\"calls later\"," + question + "]");
  client->send("25[\"nothing\"]");
  client->send("26[\"raw\"]");
  client->send("27[\"binary\"]");
  EXPECT_THAT(client->take(),
              ElementsAre("31[" + answer + "]", "32[" + answer + "]", "33[1," + answer + "]", "34[" + answer + "]", "35[]",
                          R"(36[{"status":"ok"},2])", R"(61-7[{"_placeholder":true,"num":0}])", "<\x07"));
}

TEST_F(EventTest, AnAcknowledgementIsSentOnceAndOnlyIfAskedFor) {
  world.io->on_connection([](SocketPtr socket) {
    socket->on("x", [](Ack ack) {
      const Ack copy = ack;
      ack(1);
      copy(2);
      ack.raw("3");
    });
  });
  start();
  client->send(R"(20["x"])");
  EXPECT_THAT(client->take(), ElementsAre("30[1]"));
  client->send(R"(2["x"])");
  EXPECT_THAT(client->take(), IsEmpty());
}

TEST_F(EventTest, AnAcknowledgementMayComeFromElsewhereAndAfterTheSocketHasGone) {
  Ack kept;
  world.io->on_connection([&](SocketPtr socket) { socket->on("x", [&](Ack ack) { kept = ack; }); });
  start();
  client->send(R"(29["x"])");
  kept("from outside the shard");
  world.run();
  EXPECT_THAT(client->take(), ElementsAre(R"(39["from outside the shard"])"));
  client->send(R"(29["x"])");
  client->end();
  kept("nobody is there");
  world.run();
  EXPECT_THAT(client->take(), IsEmpty());
}

// --- Errors of events: the connection lives on

TEST_F(EventTest, ArgumentsThatDoNotFitReachTheErrorHandler) {
  std::vector<std::string> messages;
  world.io->on_error([&](const SocketPtr&, const EventError& error, Ack ack) {
    EXPECT_EQ(error.kind, EventError::Kind::invalid);
    messages.push_back(error.event + "|" + error.message);
    if (ack) ack(json::object{{"status", "error"}});
  });
  world.io->on_event("ask", [this](SocketPtr, Question) { log.push_back("called"); });
  start();
  client->send(R"(2["ask"])").send(R"(21["ask",{"text":1}])").send(R"(2["ask",{"text":"\ud800"}])");
  client->send("2[\"ask\",\"\xff\"]").send("22[\"ask\"," + std::string(300, '[') + std::string(300, ']') + "]");
  EXPECT_THAT(messages, ElementsAre("ask|0: expected an object", "ask|0.text: expected a string",
                                    "ask|a lone surrogate in a string", "ask|invalid UTF-8", "ask|nested too deep"));
  EXPECT_THAT(client->take(), ElementsAre(R"(31[{"status":"error"}])", R"(32[{"status":"error"}])"));
  EXPECT_THAT(log, IsEmpty());
  EXPECT_TRUE(client->is_open());
  EXPECT_EQ(world.io->counters().events_invalid, 5u);
}

TEST_F(EventTest, AHundredLevelsOfNestingAreFine) {
  world.io->on_event("x", [this](SocketPtr, json::value) { log.push_back("called"); });
  start();
  client->send("2[\"x\"," + std::string(100, '[') + std::string(100, ']') + "]");
  EXPECT_THAT(log, ElementsAre("called"));
}

TEST_F(EventTest, AHandlerThatThrowsIsReportedAndTheConnectionLivesOn) {
  std::vector<EventError::Kind> kinds;
  world.io->on_connection([&](SocketPtr socket) {
    socket->on("now", [] { throw std::runtime_error("first"); });
    socket->on("later", []() -> Task<> {
      co_await asio::post(use_task);
      throw std::runtime_error("second");
    });
    socket->on_error([&](const EventError& error, Ack ack) {
      kinds.push_back(error.kind);
      ack("failed");
    });
  });
  start();
  client->send(R"(21["now"])").send(R"(22["later"])");
  EXPECT_THAT(world.exceptions, ElementsAre("event handler: first", "event handler: second"));
  EXPECT_THAT(kinds, ElementsAre(EventError::Kind::failed, EventError::Kind::failed));
  EXPECT_THAT(client->take(), ElementsAre(R"(31["failed"])", R"(32["failed"])"));
  EXPECT_TRUE(client->is_open());
}

TEST_F(EventTest, TooManyHandlersAtOnceCloseTheConnection) {
  Options options;
  options.max_running_handlers = 3;
  World small(options);
  std::vector<Completion<std::monostate>> waiting;
  std::vector<std::string> reasons;
  small.io->on_event("wait", [&](SocketPtr) -> Task<> {
    auto start_waiting = [&](Completion<std::monostate> done) { waiting.push_back(std::move(done)); };
    co_await await_completion<std::monostate>(start_waiting);
  });
  std::vector<std::string> errors;
  small.io->on_error([&](const SocketPtr& socket, const EventError& error, const Ack&) {
    errors.push_back(error.event);
    if (error.kind == EventError::Kind::overloaded) socket->emit("error", "too much");
  });
  small.io->on_disconnect([&](const SocketPtr&, DisconnectReason reason) { reasons.emplace_back(to_string(reason)); });
  const auto flooding = small.client();
  flooding->connect();
  for (int i = 0; i < 3; ++i) flooding->send(R"(2["wait"])");
  EXPECT_TRUE(flooding->is_open());
  flooding->send(R"(2["wait"])");
  EXPECT_FALSE(flooding->is_open());
  EXPECT_THAT(errors, ElementsAre("wait"));
  EXPECT_THAT(flooding->take(), ElementsAre(R"(2["error","too much"])", "1")) << "told why, then disconnected";
  EXPECT_THAT(reasons, ElementsAre("server namespace disconnect"));
  EXPECT_EQ(small.io->counters().connections_overloaded, 1u);
  for (auto& done : waiting) done({});
  small.run();
}

// --- The server's events and the client's acknowledgements

TEST_F(EventTest, EmitWithAckGivesTheReply) {
  start();
  std::vector<std::string> replies;
  world.on(0, [&] {
    auto ask = [](SocketPtr to, std::vector<std::string>& into) -> Task<> {
      const Question question{"why", std::nullopt};
      const auto reply = co_await to->timeout(5s).emit_with_ack<Answer>("question", question);
      into.push_back(reply ? reply->text : "none");
    };
    asio::co_spawn(world.shard(0).executor(), ask(socket, replies), asio::detached);
  });
  EXPECT_THAT(client->take(), ElementsAre(R"(20["question",{"text":"why"}])"));
  client->send(R"(31[{"text":"never asked for","points":1}])");
  EXPECT_THAT(replies, IsEmpty());
  client->send(R"(30[{"text":"because","points":1}])");
  client->send(R"(30[{"text":"twice","points":1}])");
  EXPECT_THAT(replies, ElementsAre("because"));
  EXPECT_TRUE(client->is_open());
}

TEST_F(EventTest, EmitWithAckFailsForWantOfAReply) {
  start();
  std::vector<AckError::Kind> kinds;
  const auto ask = [&](Millis limit) {
    world.on(0, [&, limit] {
      auto asking = [](SocketPtr to, Millis timeout, std::vector<AckError::Kind>& into) -> Task<> {
        const auto reply = co_await to->timeout(timeout).emit_with_ack<int>("question");
        if (!reply) into.push_back(reply.error().kind);
      };
      asio::co_spawn(world.shard(0).executor(), asking(socket, limit, kinds), asio::detached);
    });
  };
  ask(10ms);
  EXPECT_TRUE(world.run_until([&] { return kinds.size() == 1; }));
  client->send("30[1]");  // too late: ignored
  ask(5s);
  client->send(R"(31["not a number"])");
  ask(5s);
  client->end();
  ask(5s);
  EXPECT_THAT(kinds, ElementsAre(AckError::Kind::timed_out, AckError::Kind::invalid, AckError::Kind::disconnected,
                                 AckError::Kind::disconnected));
  EXPECT_EQ(world.io->counters().acks_timed_out, 1u);
}

TEST_F(EventTest, AckIdsCountPerSocket) {
  start();
  const auto other = world.client();
  SocketPtr first = socket;
  other->connect();
  const auto ask = [&](SocketPtr whom) {
    world.on(0, [&, whom] {
      auto asking = [](SocketPtr to) -> Task<> { (void)co_await to->emit_with_ack<int>("q"); };
      asio::co_spawn(world.shard(0).executor(), asking(whom), asio::detached);
    });
  };
  ask(first);
  ask(first);
  ask(socket);
  EXPECT_THAT(client->take(), ElementsAre(R"(20["q"])", R"(21["q"])"));
  EXPECT_THAT(other->take(), ElementsAre(R"(20["q"])"));
}

TEST_F(EventTest, ReservedNamesCannotBeEmitted) {
  start();
  for (const char* name : {"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"}) {
    world.on(0, [&] { EXPECT_THROW(socket->emit(name), std::invalid_argument); });
    EXPECT_THROW(world.io->emit(name), std::invalid_argument);
  }
  EXPECT_THAT(client->take(), IsEmpty());
}

TEST_F(EventTest, VolatileEventsAreDroppedWhenTheTransportIsNotWritable) {
  start();
  client->session->writable = false;
  world.on(0, [&] {
    socket->volatile_().emit("lost", Binary{"with its attachment"});
    socket->emit("kept");
    socket->volatile_().to("nobody").emit("x");
  });
  world.io->volatile_().emit("lost too");
  world.run();
  EXPECT_THAT(client->take(), ElementsAre(R"(2["kept"])"));
  EXPECT_EQ(world.io->counters().volatile_dropped, 2u);
}

TEST_F(EventTest, CompressionMayBeSwitchedOffForOneEvent) {
  start();
  world.on(0, [&] { socket->compress(false).emit("x"); });
  EXPECT_FALSE(client->session->last_options.compress);
  world.on(0, [&] { socket->emit("x"); });
  EXPECT_TRUE(client->session->last_options.compress);
  world.on(0, [&] { world.io->compress(false).emit("x"); });
  EXPECT_FALSE(client->session->last_options.compress);
}

TEST_F(EventTest, EmitsAfterDisconnectionHaveNoEffect) {
  start();
  client->end();
  world.on(0, [&] {
    socket->emit("x");
    socket->disconnect();
    socket->join("room");
    EXPECT_EQ(socket->on("x", [] {}), 0u);
    EXPECT_FALSE(socket->connected());
  });
  EXPECT_THAT(client->take(), IsEmpty());
}

}  // namespace
}  // namespace payam::sio
