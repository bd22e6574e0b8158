// Websockets over loopback: messages, the gathered write, back-pressure, closing, the upgrade.
#include "engineio/server/server_bench.hpp"
#include "engineio/websocket/deflate.hpp"

namespace payam::eio {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using Log = std::vector<std::string>;

const std::string kOpen = "EIO=4&transport=websocket";

class Websocket : public ServerBench {
 protected:
  // An open session whose open packet has been read.
  std::unique_ptr<Peer> open(std::size_t on = 0) {
    auto peer = open_websocket(kOpen, on);
    EXPECT_EQ(read(*peer, 1).size(), 1u);
    return peer;
  }
  static std::string websocket_of(std::string query) {
    query.replace(query.find("polling"), 7, "websocket");
    return query;
  }
  static PacketRef message(std::string_view text) { return EncodedPacket::text(PacketType::message, text); }
};

TEST_F(Websocket, OpensASession) {
  make_server({.ping_interval = 300ms, .ping_timeout = 200ms});
  const auto answer = ask_websocket(kOpen);
  EXPECT_EQ(answer->status, 101);
  EXPECT_EQ(answer->response.headers.find("Upgrade"), "websocket");
  EXPECT_EQ(answer->response.headers.find("Connection"), "Upgrade");
  EXPECT_EQ(answer->response.headers.find("Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_TRUE(seen_.empty()) << "the session begins with its connection";

  const auto peer = open_websocket(kOpen);
  const auto frames = read(*peer, 1);
  EXPECT_EQ(frames[0], R"(t0{"sid":")" + seen_[0]->session->id() +
                           R"(","upgrades":[],"pingInterval":300,"pingTimeout":200,"maxPayload":1000000})");
  EXPECT_EQ(seen_[0]->session->transport(), Transport::websocket);
}

TEST_F(Websocket, EchoesTextAndBinary) {
  make_server();
  const auto peer = open();
  peer->send_text("4سلام");
  peer->send_frame(0x82, "\1\2\3\4");
  EXPECT_EQ(read(*peer, 2), (Log{"t4سلام", "b\1\2\3\4"}));
}

TEST_F(Websocket, BinaryIsTextForAClientThatAsksForIt) {
  make_server();
  const auto peer = open_websocket(kOpen + "&b64=1");
  peer->send_text("bAQIDBA==");
  peer->send_frame(0x82, "\5");
  EXPECT_EQ(read(*peer, 3), (Log{"t0{\"sid\":\"" + seen_[0]->session->id() +
                                     "\",\"upgrades\":[],\"pingInterval\":25000,\"pingTimeout\":20000,\"maxPayload\":1000000}",
                                 "tbAQIDBA==", "tbBQ=="}));
}

TEST_F(Websocket, SpeaksVersionThreeIfAllowed) {
  make_server({.allow_eio3 = true});
  const auto peer = open_websocket("EIO=3&transport=websocket");
  EXPECT_TRUE(read(*peer, 1)[0].starts_with("t0{"));
  EXPECT_EQ(seen_[0]->session->protocol(), Protocol::v3);
  peer->send_text("2");
  peer->send_text("4hello");
  peer->send_frame(0x82, "\4\1\2");
  EXPECT_EQ(read(*peer, 3), (Log{"t3", "t4hello", "b\4\1\2"}));

  const auto base64 = open_websocket("EIO=3&transport=websocket&b64=1");
  base64->send_text("b4AQI=");
  EXPECT_EQ(read(*base64, 2)[1], "tb4AQI=");
}

TEST_F(Websocket, CompressesWhatIsWorthIt) {
  make_server({.permessage_deflate = Options::Deflate{.threshold = 100}});
  EXPECT_EQ(
      ask_websocket(kOpen, 0, "permessage-deflate; client_max_window_bits")->response.headers.find("Sec-WebSocket-Extensions"),
      "permessage-deflate; server_no_context_takeover; client_no_context_takeover");
  const auto peer = open_websocket(kOpen, 0, {}, "permessage-deflate");
  EXPECT_TRUE(read(*peer, 1)[0].starts_with("zt0{")) << "the open packet is over the threshold";
  const auto plain = open_websocket(kOpen);
  EXPECT_TRUE(read(*plain, 1)[0].starts_with("t0{"));

  const std::string text(1000, 'x');
  websocket::Deflater deflater;
  peer->send_frame(0xc1, deflater.deflate("4" + text));
  peer->send_text("4short");
  EXPECT_EQ(read(*peer, 2), (Log{"zt4" + text, "t4short"}));

  const auto packet = message(text);
  on_shard(0, [&] {
    for (const auto& seen : seen_) seen->session->send(packet, {});
    seen_[0]->session->send(packet, {.compress = false});
  });
  EXPECT_EQ(read(*peer, 2), (Log{"zt4" + text, "t4" + text}));
  EXPECT_EQ(read(*plain, 1), Log{"t4" + text});
}

TEST_F(Websocket, CompressedMessagesAreLimitedAndCheckedLikeOthers) {
  make_server({.max_payload = 1000, .permessage_deflate = Options::Deflate{}});
  websocket::Deflater deflater;
  const struct {
    std::string payload;
    std::string code;
  } cases[] = {
      {deflater.deflate("4" + std::string(1'000'000, 'x')), "close 1009"},
      {deflater.deflate("4\xff"), "close 1007"},
      {"no deflate", "close 1007"},
  };
  for (const auto& each : cases) {
    const auto peer = open_websocket(kOpen, 0, {}, "permessage-deflate");
    read(*peer, 1);
    peer->send_frame(0xc1, each.payload);
    EXPECT_EQ(read(*peer, 2), (Log{each.code, "end"}));
  }
  const auto peer = open();
  peer->send_frame(0xc1, deflater.deflate("4a"));
  EXPECT_EQ(read(*peer, 1)[0], "close 1002") << "not negotiated";
}

TEST_F(Websocket, TakesTheBytesThatCameWithTheRequest) {
  make_server();
  const auto peer = open_websocket(kOpen, 0, "\x81\x86\x00\x00\x00\x00"s + "4early");
  EXPECT_EQ(read(*peer, 2)[1], "t4early");
}

TEST_F(Websocket, ReadsALargeMessageAByteAtATimeOrInOneGo) {
  make_server();
  const auto peer = open();
  const std::string text(300'000, 'x');
  peer->send_text("4" + text);
  EXPECT_EQ(read(*peer, 1)[0], "t4" + text);
  for (const char byte : "\x81\x83\x01\x02\x03\x04\x35\x6a\x6a"s) {
    peer->send({&byte, 1});
    settle();
  }
  EXPECT_EQ(read(*peer, 1)[0], "t4hi");
}

TEST_F(Websocket, AnswersPings) {
  make_server();
  const auto peer = open();
  for (const char* payload : {"1", "2", ""}) peer->send_frame(0x89, payload);
  EXPECT_EQ(read(*peer, 3), (Log{"pong 1", "pong 2", "pong "}));
}

TEST_F(Websocket, WritesATurnsPacketsInOneGo) {
  make_server();
  const auto peer = open();
  const auto before = server_->counters().writes;
  on_shard(0, [&] {
    for (int i = 0; i < 50; ++i) seen_[0]->session->send(message(std::to_string(i)), {});
  });
  const auto frames = read(*peer, 50);
  EXPECT_EQ(frames.front(), "t40");
  EXPECT_EQ(frames.back(), "t449");
  EXPECT_EQ(server_->counters().writes, before + 1);
  EXPECT_EQ(server_->counters().bytes_queued, 0u);
}

TEST_F(Websocket, RefusesBeforeItUpgrades) {
  make_server({.allow_request = [](const http::Request& request) -> std::optional<std::string> {
    return request.query.find("refuse") ? std::optional<std::string>("not you") : std::nullopt;
  }});
  const struct {
    std::string query;
    std::string body;
  } cases[] = {
      {"EIO=4", "Transport unknown"},
      {"EIO=4&transport=abc", "Transport unknown"},
      {"EIO=4&transport=websocket&sid=unknown", "Session ID unknown"},
      {"EIO=4&transport=polling", "Bad request"},
      {"EIO=4&transport=websocket&refuse", "not you"},
      {"transport=websocket", "Unsupported protocol version"},
      {"EIO=3&transport=websocket", "Unsupported protocol version"},
  };
  for (const auto& each : cases) {
    const auto answer = ask_websocket(each.query);
    EXPECT_EQ(answer->status, 400) << each.query;
    EXPECT_EQ(answer->body, each.body) << each.query;
    EXPECT_EQ(answer->response.headers.find("Content-Type"), "text/plain; charset=utf-8");
    EXPECT_TRUE(answer->response.close);
    EXPECT_FALSE(answer->response.upgrade);
  }
  const auto old = ask(http::Method::get, kOpen, {}, 0,
                       {{"Upgrade", "websocket"},
                        {"Connection", "Upgrade"},
                        {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
                        {"Sec-WebSocket-Version", "8"}});
  EXPECT_EQ(old->status, 426);
  EXPECT_EQ(old->response.headers.find("Sec-WebSocket-Version"), "13");
}

TEST_F(Websocket, AnswersTheClientsCloseFrame) {
  make_server();
  const auto peer = open();
  peer->send_frame(0x88,
                   "\x03\xe8"
                   "bye");
  EXPECT_EQ(read(*peer, 2), (Log{"close 1000", "end"}));
  EXPECT_EQ(seen_[0]->events, Log{"close transport close"});
}

TEST_F(Websocket, TheClientsClosePacketClosesToo) {
  make_server();
  const auto peer = open();
  peer->send_text("1");
  EXPECT_EQ(read(*peer, 1), Log{"close"});
  peer->send_frame(0x88, "");
  EXPECT_EQ(read(*peer, 1), Log{"end"});
  EXPECT_EQ(seen_[0]->events, Log{"close transport close"});
}

TEST_F(Websocket, ADeadConnectionEndsTheSession) {
  make_server();
  const auto peer = open();
  peer->close();
  run_until([&] { return !seen_[0]->events.empty(); });
  EXPECT_EQ(seen_[0]->events, Log{"close transport close"});
}

TEST_F(Websocket, SendsWhatIsQueuedBeforeItCloses) {
  make_server();
  const auto peer = open();
  on_shard(0, [&] {
    seen_[0]->session->send(message("last words"), {});
    seen_[0]->session->close();
    EXPECT_FALSE(seen_[0]->session->is_open());
    EXPECT_FALSE(seen_[0]->session->send(message("too late"), {}));
  });
  EXPECT_EQ(read(*peer, 2), (Log{"t4last words", "close"}));
  EXPECT_EQ(seen_[0]->events, Log{"close forced close"});
  EXPECT_FALSE(server_->wait(0ms)) << "the connection still waits for the client's close frame";
  peer->send_frame(0x88, "");
  EXPECT_EQ(read(*peer, 1), Log{"end"});
  settle();
  EXPECT_TRUE(server_->wait(0ms));
}

TEST_F(Websocket, DoesNotWaitLongForASilentPeer) {
  make_server({.close_timeout = 20ms});
  const auto peer = open();
  on_shard(0, [&] { seen_[0]->session->close(); });
  EXPECT_EQ(read(*peer, 2), (Log{"close", "reset"}));
  settle();
  EXPECT_TRUE(server_->wait(0ms));
}

TEST_F(Websocket, FailsTheConnectionWithTheRightCode) {
  make_server({.max_payload = 1000});
  const struct {
    int first;
    std::string payload;
    std::string code;
    std::string reason;
  } cases[] = {
      {0x83, "", "close 1002", "close transport error"},
      {0x81, "\xff", "close 1007", "close transport error"},
      {0x81, std::string(1001, 'x'), "close 1009", "close transport error"},
      {0x81, "abc", "close", "close parse error"},
      {0x81, "2", "close", "close transport error"},
  };
  for (const auto& each : cases) {
    const auto peer = open();
    peer->send_frame(each.first, each.payload);
    EXPECT_EQ(read(*peer, 1)[0], each.code);
    peer->close();
    settle();
    EXPECT_EQ(seen_.back()->events, Log{each.reason});
  }
  run_until([&] { return server_->wait(0ms); });
}

TEST_F(Websocket, AFailedConnectionIsEndedAtOnceForThePeer) {
  make_server();
  const auto peer = open();
  peer->send_frame(0x83, "");
  EXPECT_EQ(read(*peer, 2), (Log{"close 1002", "end"}));
}

TEST_F(Websocket, ClosesOnAReaderThatStops) {
  make_server({.close_timeout = 20ms, .max_buffered_bytes = 100'000});
  const auto peer = open();
  const auto packet = message(std::string(10'000, 'x'));
  int sent = 0;
  // Each turn gives the kernel what it takes; in the end it takes no more.
  while (seen_[0]->session->is_open() && sent < 10'000) {
    on_shard(0, [&] { seen_[0]->session->send(packet, {}); });
    ++sent;
    EXPECT_LE(seen_[0]->session->buffered_bytes(), 100'000u);
  }
  EXPECT_LT(sent, 10'000);
  settle();
  EXPECT_EQ(seen_[0]->events, Log{"close buffer overflow"});
  run_until([&] { return server_->wait(0ms); });
  EXPECT_EQ(server_->counters().bytes_queued, 0u);
  EXPECT_EQ(server_->counters().overflows, 1u);
  EXPECT_EQ(server_->counters().websockets_open, 0u);
}

TEST_F(Websocket, WhatReadersThatStopLeaveIsBoundedForAllOfAnAddress) {
  make_server({.close_timeout = 20ms, .max_buffered_bytes = 100'000'000, .outgoing = {.address = 2'000'000}});
  const auto slow = open();
  const auto slower = open();
  const auto quick = open();
  const auto packet = message(std::string(100'000, 'x'));
  const auto any_closed = [&] { return !seen_[0]->session->is_open() || !seen_[1]->session->is_open(); };
  for (int sent = 0; sent < 1'000 && !any_closed(); ++sent) {
    on_shard(0, [&] {
      for (const auto& seen : seen_) seen->session->send(packet, {});
    });
    read(*quick, 1);
    EXPECT_LE(server_->counters().outgoing.held, 2'000'000u);
  }
  ASSERT_TRUE(any_closed());
  const auto& closed = *seen_[seen_[0]->session->is_open() ? 1 : 0];
  settle();
  EXPECT_EQ(closed.events, Log{"close buffer overflow"});
  EXPECT_TRUE(seen_[2]->session->is_open()) << "who reads holds nothing";
  EXPECT_EQ(server_->counters().overflows, 1u);
  EXPECT_EQ(server_->counters().outgoing.refused_address, 1u);
  // Who reads again has paid in vain no longer.
  auto& left = seen_[0]->session->is_open() ? *slow : *slower;
  run_until([&] {
    left.frames();
    return server_->counters().outgoing.held == 0;
  });
}

TEST_F(Websocket, IncompleteMessagesAreBoundedForAllOfAnAddress) {
  make_server({.incoming = {.address = 100 * 1024}});
  // The first bytes of a frame of 60,000; a mask of zeros leaves the payload as it is.
  const std::string head = "\x81\xfe\xea\x60\0\0\0\0"s;
  const auto first = open();
  const auto second = open();
  first->send(head + "4" + std::string(49'999, 'x'));
  run_until([&] { return server_->counters().incoming.held > 0; });
  settle();
  EXPECT_GE(server_->counters().incoming.held, 50'000u);
  second->send(head + "4" + std::string(58'000, 'x'));
  EXPECT_EQ(read(*second, 2), (Log{"close 1013", "end"}));
  EXPECT_EQ(server_->counters().incoming.refused_address, 1u);
  first->send(std::string(10'000, 'x'));
  EXPECT_EQ(read(*first, 1)[0], "t4" + std::string(59'999, 'x'));
  EXPECT_EQ(server_->counters().incoming.held, 0u);
}

TEST_F(Websocket, AMessageThatIsCutOffGivesBackWhatItHeld) {
  make_server({.incoming = {.address = 100 * 1024}});
  const auto peer = open();
  peer->send("\x81\xfe\xea\x60\0\0\0\0"s + "4" + std::string(50'000, 'x'));
  run_until([&] { return server_->counters().incoming.held > 0; });
  peer->close();
  run_until([&] { return server_->counters().sessions_open == 0; });
  settle();
  EXPECT_EQ(server_->counters().incoming.held, 0u);
}

TEST_F(Websocket, MessagesAreSmallUntilTheSessionIsAdmitted) {
  make_server({.max_payload = 1'000, .max_payload_before_admission = 10});
  const auto refused = open();
  refused->send_text("41234567890");
  EXPECT_EQ(read(*refused, 2), (Log{"close 1009", "end"}));
  const auto admitted = open();
  admitted->send_text("4123456789");
  EXPECT_EQ(read(*admitted, 1), Log{"t4123456789"});
  on_shard(0, [&] { seen_[1]->session->admit(); });
  admitted->send_text("4" + std::string(999, 'x'));
  EXPECT_EQ(read(*admitted, 1), Log{"t4" + std::string(999, 'x')});
  admitted->send_text("4" + std::string(1'000, 'x'));
  EXPECT_EQ(read(*admitted, 2), (Log{"close 1009", "end"}));
}

TEST_F(Websocket, AnUpgradedSessionGivesBackItsPlaceAmongThoseThatPollAndStaysAdmitted) {
  make_server({.max_payload = 100, .max_payload_before_admission = 10, .polling_sessions = {.address = 1}});
  const auto session = open_polling();
  on_shard(0, [&] { seen_[0]->session->admit(); });
  EXPECT_EQ(server_->counters().polling_sessions.held, 1u);
  const auto peer = open_websocket(websocket_of(session));
  peer->send_text("2probe");
  EXPECT_EQ(read(*peer, 1), Log{"t3probe"});
  peer->send_text("5");
  run_until([&] { return seen_[0]->session->transport() == Transport::websocket; });
  settle();
  EXPECT_EQ(server_->counters().polling_sessions.held, 0u);
  peer->send_text("4" + std::string(99, 'x'));
  EXPECT_EQ(read(*peer, 1), Log{"t4" + std::string(99, 'x')});
}

TEST_F(Websocket, DropsWhatIsDroppableWhileTheReaderIsBehindAndLosesNothingElse) {
  make_server({.max_buffered_bytes = 40'000'000});
  const auto peer = open();
  const std::string block(100'000, 'x');
  const auto packet = message(block);
  std::size_t sent = 0, dropped = 0;
  while (dropped == 0 && sent < 200) {
    on_shard(0, [&] { seen_[0]->session->send(packet, {}) ? ++sent : 0; });
    on_shard(0, [&] { seen_[0]->session->send(message("volatile"), {.droppable = true}) ? 0 : ++dropped; });
  }
  EXPECT_EQ(dropped, 1u);
  EXPECT_GT(server_->counters().bytes_queued, 0u);
  const auto frames = read(*peer, sent + (sent - 1));  // the last of the droppable ones is missing
  EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(frames, "t4" + block)), sent);
  settle();
  on_shard(0, [&] { EXPECT_TRUE(seen_[0]->session->send(message("volatile"), {.droppable = true})); });
  EXPECT_EQ(server_->counters().bytes_queued, 0u);
}

TEST_F(Websocket, AFloodDoesNotHoldUpOthers) {
  make_server();
  const auto flood = open();
  const auto other = open();
  std::size_t heard = 0;
  seen_[0]->on_text = [&](Session&, std::string_view) { ++heard; };
  for (int i = 0; i < 20'000; ++i) flood->send_text("4flood");  // 240 kB, thirty reads
  other->send_text("4me too");
  first_context_.restart();
  while (seen_[1]->events.empty()) first_context_.poll_one();
  EXPECT_LT(heard, 1'500u);  // two reads at most
  run_until([&] { return heard == 20'000; });
}

TEST_F(Websocket, Upgrades) {
  make_server();
  const auto session = open_polling();
  const auto peer = open_websocket(websocket_of(session));
  peer->send_text("2probe");
  EXPECT_EQ(read(*peer, 1), Log{"t3probe"});
  EXPECT_EQ(get(session)->body, "6");
  EXPECT_EQ(server_->counters().websockets_open, 0u);
  on_shard(0, [&] { seen_[0]->session->send(message("queued"), {}); });
  peer->send_text("5");
  EXPECT_EQ(read(*peer, 1), Log{"t4queued"});
  EXPECT_EQ(server_->counters().websockets_open, 1u);
  EXPECT_EQ(seen_[0]->session->transport(), Transport::websocket);
  EXPECT_EQ(server_->counters().upgrades, 1u);
  peer->send_text("4hello");
  EXPECT_EQ(read(*peer, 1), Log{"t4hello"});
  EXPECT_EQ(get(session)->body, R"({"code":3,"message":"Bad request"})");
}

TEST_F(Websocket, UpgradesThoughItArrivedOnAnotherShard) {
  make_server();
  const auto session = open_polling(0);
  const auto poll = begin(http::Method::get, session, {}, 1);
  settle();
  const auto peer = open_websocket(websocket_of(session), 1, "\x81\x86\x00\x00\x00\x00"s + "2probe");
  EXPECT_EQ(read(*peer, 1), Log{"t3probe"});
  run_until([&] { return poll->came; });
  EXPECT_EQ(poll->body, "6");
  peer->send_text("5");
  peer->send_text("4hello");
  EXPECT_EQ(read(*peer, 1), Log{"t4hello"});
  EXPECT_EQ(&seen_[0]->session->shard(), &first_);
  peer->send_frame(0x88, "");
  EXPECT_EQ(read(*peer, 2), (Log{"close", "end"}));
}

TEST_F(Websocket, ASecondWebsocketOfASessionIsClosed) {
  make_server();
  const auto session = open_polling();
  const auto first = open_websocket(websocket_of(session));
  const auto second = open_websocket(websocket_of(session));
  EXPECT_EQ(read(*second, 1), Log{"close"});
  first->send_text("2probe");
  first->send_text("5");
  first->send_text("4hello");
  EXPECT_EQ(read(*first, 2), (Log{"t3probe", "t4hello"}));
  const auto third = open_websocket(websocket_of(session));
  EXPECT_EQ(read(*third, 1), Log{"close"});
}

TEST_F(Websocket, AWrongFirstFrameClosesThatWebsocketOnly) {
  make_server();
  const auto session = open_polling();
  for (const char* wrong : {"5", "4hello", "abc"}) {
    const auto peer = open_websocket(websocket_of(session));
    peer->send_text(wrong);
    EXPECT_EQ(read(*peer, 1), Log{"close"}) << wrong;
  }
  EXPECT_TRUE(seen_[0]->events.empty());
  EXPECT_EQ(ask(http::Method::post, session, "4hello")->body, "ok");
  EXPECT_EQ(get(session)->body, "4hello");
}

TEST_F(Websocket, ABrokenUpgradeLeavesPolling) {
  make_server();
  const auto session = open_polling();
  const auto peer = open_websocket(websocket_of(session));
  peer->send_text("2probe");
  EXPECT_EQ(read(*peer, 1), Log{"t3probe"});
  peer->close();
  settle();
  EXPECT_EQ(ask(http::Method::post, session, "4hello")->body, "ok");
  EXPECT_EQ(get(session)->body, "4hello");
}

TEST_F(Websocket, ShutdownSaysGoingAway) {
  make_server();
  const auto peer = open();
  server_->shutdown();
  EXPECT_EQ(read(*peer, 1), Log{"close 1001"});
  peer->send_frame(0x88, "\x03\xe9");
  EXPECT_EQ(read(*peer, 1), Log{"end"});
  settle();
  EXPECT_TRUE(server_->wait(0ms));
}

TEST_F(Websocket, DyingServersCutOffWhatIsLeft) {
  make_server();
  const auto peer = open();
  const auto session = open_polling();
  const auto candidate = open_websocket(websocket_of(session));
  seen_[0]->session.reset();
  seen_[1]->session.reset();
  server_.reset();
  settle();
  const auto frames = read(*peer, 1);
  EXPECT_TRUE(frames.back() == "reset" || frames.back() == "end");
}

TEST_F(Websocket, AServerMayDieWhileItsShardsNeverRunAgain) {
  make_server();
  const auto peer = open();
  const auto session = open_polling();
  const auto candidate = open_websocket(websocket_of(session));
  peer->send_frame(0x88, "");
  settle();
  for (const auto& seen : seen_) seen->session.reset();
  server_.reset();
}

}  // namespace
}  // namespace payam::eio
