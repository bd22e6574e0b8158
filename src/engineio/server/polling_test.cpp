// Requests: the handshake, polls, posts, refusals, and requests that arrive on another shard.
#include "engineio/server/server_bench.hpp"

namespace payam::eio {
namespace {

using namespace std::chrono_literals;
using http::Method;
using Log = std::vector<std::string>;

// A body in pieces, as a connection gives it.
class Pieces final : public http::BodySource {
 public:
  explicit Pieces(std::vector<Result<std::string>> pieces) : pieces_(std::move(pieces)) {}
  Task<Result<std::string_view>> read() override {
    if (next_ == pieces_.size()) co_return std::string_view();
    const auto& piece = pieces_[next_++];
    if (!piece) co_return std::unexpected(piece.error());
    co_return std::string_view(*piece);
  }

 private:
  std::vector<Result<std::string>> pieces_;
  std::size_t next_ = 0;
};

class Polling : public ServerBench {
 protected:
  // A post whose body comes as `source` gives it.
  std::shared_ptr<Answer> post(const std::string& query, http::BodySource& source) {
    auto answer = begin(Method::post, query);
    answer->source = &source;
    run_until([&] { return answer->came; });
    return answer;
  }
};

TEST_F(Polling, OpensASession) {
  make_server({.ping_interval = 300ms, .ping_timeout = 200ms});
  const auto answer = get("EIO=4&transport=polling");
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->response.headers.find("Content-Type"), "text/plain; charset=UTF-8");
  EXPECT_EQ(answer->response.headers.find("Cache-Control"), "no-store");
  ASSERT_EQ(seen_.size(), 1u);
  EXPECT_EQ(answer->body, R"(0{"sid":")" + seen_[0]->session->id() +
                              R"(","upgrades":["websocket"],"pingInterval":300,"pingTimeout":200,"maxPayload":1000000})");
  EXPECT_EQ(seen_[0]->session->handshake().request.target(), "/engine.io/?EIO=4&transport=polling");
  EXPECT_EQ(seen_[0]->session->handshake().request.address(), "127.0.0.1");
  EXPECT_EQ(seen_[0]->session->transport(), Transport::polling);
}

TEST_F(Polling, EchoesAPayload) {
  make_server();
  const auto session = open_polling();
  const auto posted = ask(Method::post, session,
                          "4hello\x1e"
                          "bAQIDBA==");
  EXPECT_EQ(posted->status, 200);
  EXPECT_EQ(posted->body, "ok");
  EXPECT_EQ(get(session)->body,
            "4hello\x1e"
            "bAQIDBA==");
}

TEST_F(Polling, APollWaitsForThePackets) {
  make_server();
  const auto session = open_polling();
  const auto poll = begin(Method::get, session);
  settle();
  EXPECT_FALSE(poll->came);
  on_shard(0, [&] {
    for (const char* text : {"a", "b"}) seen_[0]->session->send(EncodedPacket::text(PacketType::message, text), {});
  });
  run_until([&] { return poll->came; });
  EXPECT_EQ(poll->body,
            "4a\x1e"
            "4b");
}

TEST_F(Polling, WhatTheSessionIsGivenWhenItOpensComesWithTheNextPoll) {
  make_server();
  open_polling();
  on_shard(0, [&] { seen_[0]->session->send(EncodedPacket::text(PacketType::message, "welcome"), {}); });
  EXPECT_EQ(get("EIO=4&transport=polling&sid=" + seen_[0]->session->id())->body, "4welcome");
}

TEST_F(Polling, TheCounterKnowsWhatWaitsForAPoll) {
  make_server();
  const auto session = open_polling();
  const auto packet = EncodedPacket::text(PacketType::message, std::string(1'000, 'x'));
  on_shard(0, [&] {
    for (int i = 0; i < 3; ++i) seen_[0]->session->send(packet, {});
    EXPECT_EQ(server_->counters().bytes_queued, seen_[0]->session->buffered_bytes());
  });
  EXPECT_EQ(server_->counters().bytes_queued, 3 * packet->frame().size());
  get(session);
  EXPECT_EQ(server_->counters().bytes_queued, 0u);
  on_shard(0, [&] {
    seen_[0]->session->send(packet, {});
    seen_[0]->session->terminate(CloseReason::forced_close);
  });
  EXPECT_EQ(server_->counters().bytes_queued, 0u);
}

TEST_F(Polling, ASecondPollIsRefusedAndEndsTheSession) {
  make_server();
  const auto session = open_polling();
  const auto first = begin(Method::get, session);
  settle();
  const auto second = get(session);
  EXPECT_EQ(second->status, 400);
  run_until([&] { return first->came; });
  EXPECT_EQ(first->status, 200);
  EXPECT_EQ(first->body, "1");
  EXPECT_EQ(get(session)->body, R"({"code":1,"message":"Session ID unknown"})");
  EXPECT_EQ(seen_[0]->events, Log{"close transport error"});
}

TEST_F(Polling, AnAbortedPollEndsTheSession) {
  make_server();
  const auto session = open_polling();
  const auto poll = begin(Method::get, session);
  settle();
  on_shard(0, [&] { poll->request.on_abort(); });
  run_until([&] { return poll->came; });
  EXPECT_EQ(get(session)->status, 400);
  EXPECT_EQ(seen_[0]->events, Log{"close transport error"});
}

TEST_F(Polling, ABadPayloadEndsTheSessionWith400) {
  make_server();
  const auto session = open_polling();
  EXPECT_EQ(ask(Method::post, session,
                "4good\x1e"
                "abc")
                ->status,
            400);
  settle();
  EXPECT_EQ(seen_[0]->events, (Log{"text good", "close parse error"}));
  EXPECT_EQ(get(session)->status, 400);
}

TEST_F(Polling, OctetStreamsAreRefusedAndEndTheSession) {
  for (const char* type : {"application/octet-stream", "Application/Octet-Stream; x=y"}) {
    make_server();
    const auto session = open_polling();
    EXPECT_EQ(ask(Method::post, session, "4hello", 0, {{"Content-Type", type}})->status, 400);
    EXPECT_EQ(get(session)->status, 400);
    TearDown();
    router_ = http::Router();
  }
}

TEST_F(Polling, SpeaksVersionThreeIfAllowed) {
  make_server({.allow_eio3 = true});
  const auto opened = get("EIO=3&transport=polling");
  const std::string json = opened->body.substr(opened->body.find(':') + 2);
  EXPECT_EQ(opened->body, std::to_string(json.size() + 1) + ":0" + json);
  EXPECT_EQ(seen_[0]->session->protocol(), Protocol::v3);
  const std::string session = "EIO=3&transport=polling&sid=" + seen_[0]->session->id();
  EXPECT_EQ(ask(Method::post, session, "6:4hello1:2")->body, "ok");
  EXPECT_EQ(get(session)->body, "6:4hello1:3");
  EXPECT_EQ(ask(Method::post, session, "\x01\x02\xff\x04\x01", 0, {{"Content-Type", "application/octet-stream"}})->body, "ok");
  const auto octets = get(session);
  EXPECT_EQ(octets->body, "\x01\x02\xff\x04\x01");
  EXPECT_EQ(octets->response.headers.find("Content-Type"), "application/octet-stream");
  EXPECT_EQ(ask(Method::post, session, "4not v3")->status, 400);
  EXPECT_EQ(get("transport=polling")->status, 200) << "no version is version 3";
}

TEST_F(Polling, ABodyMayComeInPieces) {
  make_server();
  const auto session = open_polling();
  Pieces pieces({std::string("4hel"),
                 std::string("lo\x1e"
                             "4wor"),
                 std::string("ld")});
  EXPECT_EQ(post(session, pieces)->status, 200);
  EXPECT_EQ(get(session)->body,
            "4hello\x1e"
            "4world");
}

TEST_F(Polling, ABodyOverTheLimitIs413AndTheSessionLives) {
  make_server({.max_payload = 10});
  const auto session = open_polling();
  Pieces exact({std::string("4123456"), std::string("789")});
  EXPECT_EQ(post(session, exact)->status, 200);
  Pieces over({std::string("4123456"), std::string("7890")});
  EXPECT_EQ(post(session, over)->status, 413);
  Pieces refused({fail(Errc::too_large, "")});
  EXPECT_EQ(post(session, refused)->status, 413);
  EXPECT_EQ(get(session)->body, "4123456789");
}

TEST_F(Polling, ATornBodyEndsTheSession) {
  make_server();
  const auto session = open_polling();
  Pieces torn({std::string("4hel"), fail(Errc::bad_request, "torn")});
  EXPECT_EQ(post(session, torn)->status, 400);
  EXPECT_EQ(get(session)->status, 400);
}

TEST_F(Polling, AFloodInOnePostDoesNotHoldUpOthers) {
  make_server();
  const auto flood = open_polling();
  const auto other = open_polling();
  std::size_t heard = 0;
  seen_[0]->on_text = [&](Session&, std::string_view) { ++heard; };
  std::string body = "4flood";
  for (int i = 1; i < 10'000; ++i)
    body +=
        "\x1e"
        "4flood";
  const auto flooding = begin(Method::post, flood, body);
  const auto small = begin(Method::post, other, "4me too");
  first_context_.restart();
  while (seen_[1]->events.empty()) first_context_.poll_one();
  EXPECT_LT(heard, 200u);
  run_until([&] { return flooding->came; });
  EXPECT_EQ(flooding->status, 200);
  EXPECT_EQ(heard, 10'000u);
}

TEST_F(Polling, SessionsAreBoundedByAddressAndInAll) {
  make_server({.polling_sessions = {.address = 2, .total = 3}});
  const std::string open = "EIO=4&transport=polling";
  const auto from = [&](const char* address) {
    const auto answer = begin(Method::get, open);
    answer->request.peer = address;
    run_until([&] { return answer->came; });
    return answer;
  };
  EXPECT_EQ(from("192.0.2.1")->status, 200);
  EXPECT_EQ(from("192.0.2.1")->status, 200);
  const auto third = from("192.0.2.1");
  EXPECT_EQ(third->status, 429);
  EXPECT_EQ(third->response.headers.find("Retry-After"), "10");
  EXPECT_EQ(from("2001:db8::1")->status, 200);
  const auto fourth = from("192.0.2.2");
  EXPECT_EQ(fourth->status, 503);
  EXPECT_EQ(fourth->response.headers.find("Retry-After"), "10");
  EXPECT_EQ(server_->counters().polling_sessions.held, 3u);
  EXPECT_EQ(server_->counters().polling_sessions.refused_address, 1u);
  EXPECT_EQ(server_->counters().polling_sessions.refused_total, 1u);
  // One that ends makes room.
  on_shard(0, [&] { seen_[0]->session->terminate(CloseReason::forced_close); });
  EXPECT_EQ(from("192.0.2.1")->status, 200);
  EXPECT_EQ(seen_.size(), 4u) << "no session was made in vain";
}

TEST_F(Polling, IncompleteBodiesAreBoundedAndTheSessionLives) {
  make_server({.incoming = {.address = 48 * 1024}});
  const auto session = open_polling();
  Pieces small({"4" + std::string(10'000, 'x'), std::string(10'000, 'x')});
  EXPECT_EQ(post(session, small)->status, 200);
  Pieces large({"4" + std::string(40'000, 'x'), std::string(40'000, 'x')});
  const auto refused = post(session, large);
  EXPECT_EQ(refused->status, 429);
  EXPECT_EQ(refused->response.headers.find("Retry-After"), "10");
  EXPECT_TRUE(refused->response.close);
  EXPECT_EQ(server_->counters().incoming.refused_address, 1u);
  EXPECT_EQ(server_->counters().incoming.held, 0u);
  EXPECT_EQ(ask(Method::post, session, "4hello")->status, 200);
}

TEST_F(Polling, BodiesAreSmallUntilTheSessionIsAdmitted) {
  make_server({.max_payload = 100, .max_payload_before_admission = 10});
  const auto session = open_polling();
  EXPECT_EQ(ask(Method::post, session, "4123456789")->status, 200);
  EXPECT_EQ(ask(Method::post, session, "41234567890")->status, 413);
  on_shard(0, [&] { seen_[0]->session->admit(); });
  EXPECT_EQ(ask(Method::post, session, "4" + std::string(99, 'x'))->status, 200);
  EXPECT_EQ(ask(Method::post, session, "4" + std::string(100, 'x'))->status, 413);
}

TEST_F(Polling, WhatNobodyPollsIsBounded) {
  make_server({.outgoing = {.total = 40'000}});
  const auto session = open_polling();
  const auto packet = EncodedPacket::text(PacketType::message, std::string(10'000, 'x'));
  on_shard(0, [&] { seen_[0]->session->send(packet, {}); });
  settle();
  EXPECT_EQ(server_->counters().outgoing.held, 16'384u);
  get(session);
  EXPECT_EQ(server_->counters().outgoing.held, 0u);
  on_shard(0, [&] {
    for (int i = 0; i < 4; ++i) seen_[0]->session->send(packet, {});
    EXPECT_TRUE(seen_[0]->session->is_open()) << "not in the middle of a broadcast";
  });
  settle();
  EXPECT_FALSE(seen_[0]->session->is_open());
  EXPECT_EQ(seen_[0]->events.back(), "close buffer overflow");
  EXPECT_EQ(server_->counters().outgoing.held, 0u);
  EXPECT_EQ(server_->counters().outgoing.refused_total, 1u);
  EXPECT_EQ(server_->counters().overflows, 1u);
}

TEST_F(Polling, AnotherShardsRequestsAreBroughtHome) {
  make_server();
  const auto session = open_polling(1);
  EXPECT_EQ(&seen_[0]->session->shard(), &second_);
  EXPECT_EQ(ask(Method::post, session, "4hello", 0)->body, "ok");
  EXPECT_EQ(get(session, 0)->body, "4hello");
  const auto poll = begin(Method::get, session, {}, 0);
  settle();
  on_shard(1, [&] { seen_[0]->session->send(EncodedPacket::text(PacketType::message, "later"), {}); });
  run_until([&] { return poll->came; });
  EXPECT_EQ(poll->body, "4later");

  const auto aborted = begin(Method::get, session, {}, 0);
  settle();
  on_shard(0, [&] { aborted->request.on_abort(); });
  run_until([&] { return aborted->came; });
  EXPECT_EQ(get(session, 0)->status, 400);
}

TEST_F(Polling, AHandshakeThatMustWaitIsToldForHowLong) {
  make_server({.wait_before_handshake = [](const http::Request& request) -> std::optional<Millis> {
    if (request.headers.has("X-Hurry")) return Millis(1500);
    return std::nullopt;
  }});
  const auto reply = ask(Method::get, "EIO=4&transport=polling", {}, 0, {{"X-Hurry", "1"}});
  EXPECT_EQ(reply->status, 429);
  EXPECT_EQ(reply->response.headers.find("Retry-After"), "2");
  EXPECT_EQ(reply->body, R"({"code":4,"message":"Too many connections; try again later"})");
  open_polling();
}

TEST_F(Polling, RefusalsTellWhy) {
  make_server({.allow_request = [](const http::Request& request) -> std::optional<std::string> {
    if (request.headers.has("X-Refuse")) return "not you";
    if (request.headers.has("X-Refuse-Quietly")) return "";
    return std::nullopt;
  }});
  const struct {
    Method method;
    std::string query;
    std::string header;
    int status;
    std::string body;
  } cases[] = {
      {Method::get, "", "", 400, R"({"code":0,"message":"Transport unknown"})"},
      {Method::get, "EIO=4", "", 400, R"({"code":0,"message":"Transport unknown"})"},
      {Method::get, "EIO=4&transport=constructor", "", 400, R"({"code":0,"message":"Transport unknown"})"},
      {Method::post, "EIO=4&transport=abc&sid=x", "", 400, R"({"code":0,"message":"Transport unknown"})"},
      {Method::get, "EIO=4&transport=polling&sid=unknown", "", 400, R"({"code":1,"message":"Session ID unknown"})"},
      {Method::post, "EIO=4&transport=polling&sid=unknown", "", 400, R"({"code":1,"message":"Session ID unknown"})"},
      {Method::get, "transport=polling&sid=AAAAAAAAAAAAAAAAAAAA0", "", 400, R"({"code":1,"message":"Session ID unknown"})"},
      {Method::post, "EIO=4&transport=polling", "", 400, R"({"code":2,"message":"Bad handshake method"})"},
      {Method::put, "EIO=4&transport=polling", "", 400, R"({"code":2,"message":"Bad handshake method"})"},
      {Method::options, "EIO=4&transport=polling", "", 400, R"({"code":2,"message":"Bad handshake method"})"},
      {Method::get, "EIO=4&transport=websocket", "", 400, R"({"code":3,"message":"Bad request"})"},
      {Method::get, "EIO=4&transport=polling", "X-Refuse", 403, R"({"code":4,"message":"not you"})"},
      {Method::get, "EIO=4&transport=polling", "X-Refuse-Quietly", 403, R"({"code":4,"message":"Forbidden"})"},
      {Method::get, "transport=polling", "X-Refuse", 403, R"({"code":4,"message":"not you"})"},
      {Method::get, "transport=polling", "", 400, R"({"code":5,"message":"Unsupported protocol version"})"},
      {Method::get, "EIO=3&transport=polling", "", 400, R"({"code":5,"message":"Unsupported protocol version"})"},
      {Method::get, "EIO=4&transport=polling&transport=abc", "", 400, R"({"code":0,"message":"Transport unknown"})"},
  };
  for (const auto& each : cases) {
    std::vector<std::pair<std::string, std::string>> headers;
    if (!each.header.empty()) headers.emplace_back(each.header, "1");
    const auto answer = ask(each.method, each.query, {}, 0, std::move(headers));
    EXPECT_EQ(answer->status, each.status) << each.query;
    EXPECT_EQ(answer->body, each.body) << each.query;
    EXPECT_EQ(answer->response.headers.find("Content-Type"), "application/json") << each.query;
  }
  EXPECT_TRUE(seen_.empty());
}

TEST_F(Polling, OtherMethodsOfASessionAreRefused) {
  make_server();
  const auto session = open_polling();
  for (const auto method : {Method::put, Method::del, Method::head, Method::patch, Method::options, Method::other}) {
    EXPECT_EQ(ask(method, session)->body, R"({"code":3,"message":"Bad request"})");
  }
  EXPECT_TRUE(seen_[0]->session->is_open());
}

TEST_F(Polling, CorsIsAnsweredOnEveryResponse) {
  make_server({.cors = Options::Cors{.origins = {"*"}}});
  const auto preflight = ask(Method::options, "EIO=4&transport=polling", {}, 0, {{"Origin", "https://a.example"}});
  EXPECT_EQ(preflight->status, 204);
  EXPECT_EQ(preflight->response.headers.find("Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(get("EIO=4&transport=polling")->response.headers.find("Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(get("EIO=4&transport=abc")->response.headers.find("Access-Control-Allow-Origin"), "*");
}

TEST_F(Polling, TransportsCanBeSwitchedOff) {
  make_server({.allow_websocket = false});
  const auto answer = get("EIO=4&transport=polling");
  EXPECT_NE(answer->body.find(R"("upgrades":[])"), std::string::npos);
  EXPECT_EQ(get("EIO=4&transport=websocket")->body, R"({"code":0,"message":"Transport unknown"})");
}

TEST_F(Polling, TheApplicationsCloseReachesThePollAfterWhatIsQueued) {
  make_server();
  const auto session = open_polling();
  const auto poll = begin(Method::get, session);
  settle();
  on_shard(0, [&] {
    seen_[0]->session->send(EncodedPacket::text(PacketType::message, "last"), {});
    seen_[0]->session->close();
    EXPECT_TRUE(seen_[0]->events.empty()) << "never told inside the call";
  });
  run_until([&] { return poll->came; });
  EXPECT_EQ(poll->body, "4last");
  EXPECT_TRUE(seen_[0]->events.empty());
  const auto last = begin(Method::get, session);
  run_until([&] { return last->came; });
  EXPECT_EQ(last->body, "1");
  EXPECT_EQ(seen_[0]->events, Log{"close forced close"});
}

TEST_F(Polling, WhatAHandlerThrowsEndsItsSessionOnly) {
  make_server();
  const auto session = open_polling();
  const auto other = open_polling();
  seen_[0]->on_text = [](Session&, std::string_view) { throw std::runtime_error("disk on fire"); };
  EXPECT_EQ(ask(Method::post, session,
                "4a\x1e"
                "4b")
                ->status,
            200);
  settle();
  EXPECT_EQ(handler_error_, "disk on fire");
  EXPECT_EQ(seen_[0]->events, (Log{"text a", "close transport error"}));
  EXPECT_EQ(ask(Method::post, other, "4c")->status, 200);
  EXPECT_EQ(seen_[1]->events, Log{"text c"});
}

TEST_F(Polling, HeartbeatsRunOnTheShardsTimers) {
  make_server({.ping_interval = 20ms, .ping_timeout = 20ms});
  const auto session = open_polling();
  EXPECT_EQ(get(session)->body, "2");
  EXPECT_EQ(ask(Method::post, session, "3")->status, 200);
  EXPECT_EQ(get(session)->body, "2");
  run_until([&] { return !seen_[0]->events.empty(); });
  EXPECT_EQ(seen_[0]->events, Log{"close ping timeout"});
  EXPECT_EQ(get(session)->body, R"({"code":1,"message":"Session ID unknown"})");
}

TEST_F(Polling, ShutdownEndsEverySessionAndRefusesNewOnes) {
  make_server();
  const auto session = open_polling();
  open_polling(1);
  const auto poll = begin(Method::get, session);
  settle();
  EXPECT_EQ(server_->counters().sessions_open, 2u);
  EXPECT_FALSE(server_->wait(0ms));
  server_->shutdown();
  run_until([&] { return poll->came; });
  EXPECT_EQ(poll->body, "1");
  settle();
  EXPECT_EQ(seen_[0]->events, Log{"close server shutting down"});
  EXPECT_EQ(seen_[1]->events, Log{"close server shutting down"});
  EXPECT_TRUE(server_->wait(0ms));
  EXPECT_EQ(get("EIO=4&transport=polling")->status, 503);
  EXPECT_EQ(server_->counters().sessions_open, 0u);
  EXPECT_EQ(server_->counters().sessions_opened, 2u);
}

TEST_F(Polling, AServerMayDieWhileItsShardsNeverRunAgain) {
  make_server();
  const auto session = open_polling();
  const auto poll = begin(Method::get, session);
  settle();
  seen_[0]->session.reset();
  server_.reset();  // and nothing runs: the leak checker says whether all is freed
}

}  // namespace
}  // namespace payam::eio
