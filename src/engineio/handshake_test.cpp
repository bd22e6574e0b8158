#include "engineio/handshake.hpp"

#include <gtest/gtest.h>

namespace payam::eio {
namespace {

using namespace std::string_literals;
using namespace std::chrono_literals;

RequestFacts poll() { return {.transport = "polling", .eio = "4", .origin = std::nullopt, .get = true, .upgrade = false}; }

RequestFacts websocket() {
  return {.transport = "websocket", .eio = "4", .origin = std::nullopt, .get = true, .upgrade = true};
}

TEST(Handshake, KnowsItsTransportsOnly) {
  EXPECT_EQ(check_transport(poll(), {}), Transport::polling);
  EXPECT_EQ(check_transport(websocket(), {}), Transport::websocket);
  for (const char* name : {"", "abc", "constructor", "__proto__", "Polling", "polling ", "webtransport"}) {
    auto request = poll();
    request.transport = name;
    EXPECT_EQ(check_transport(request, {}), std::unexpected(Refusal::unknown_transport)) << name;
  }
  auto request = poll();
  request.transport = std::nullopt;
  EXPECT_EQ(check_transport(request, {}), std::unexpected(Refusal::unknown_transport));
}

TEST(Handshake, ADisabledTransportIsUnknown) {
  EXPECT_EQ(check_transport(poll(), {.polling = false}), std::unexpected(Refusal::unknown_transport));
  EXPECT_EQ(check_transport(websocket(), {.websocket = false}), std::unexpected(Refusal::unknown_transport));
}

TEST(Handshake, RefusesABadByteInOrigin) {
  auto request = poll();
  for (const auto& origin : {"http://a\x01"s, "\x7f"s, "a\0b"s, "a\nb"s}) {
    request.origin = origin;
    EXPECT_EQ(check_transport(request, {}), std::unexpected(Refusal::bad_request));
  }
  for (const auto& origin : {"http://localhost:3000"s, "null"s, ""s, "http://\xc3\xa9.example"s, "a\tb"s}) {
    request.origin = origin;
    EXPECT_EQ(check_transport(request, {}), Transport::polling);
  }
  request.transport = "abc";
  request.origin = "\x01";
  EXPECT_EQ(check_transport(request, {}), std::unexpected(Refusal::unknown_transport)) << "the transport is looked at first";
}

TEST(Handshake, TheFirstRequestIsAGet) {
  EXPECT_EQ(check_handshake(poll(), Transport::polling), std::nullopt);
  EXPECT_EQ(check_handshake(websocket(), Transport::websocket), std::nullopt);
  auto request = poll();
  request.get = false;
  EXPECT_EQ(check_handshake(request, Transport::polling), Refusal::bad_handshake_method);
}

TEST(Handshake, TheTransportFitsTheRequest) {
  auto request = websocket();
  request.upgrade = false;
  EXPECT_EQ(check_handshake(request, Transport::websocket), Refusal::bad_request);
  request = poll();
  request.upgrade = true;
  EXPECT_EQ(check_handshake(request, Transport::polling), Refusal::bad_request);
}

TEST(Handshake, ASessionIsUsedThroughItsOwnTransport) {
  const struct {
    bool upgrade;
    Transport wanted, present;
    std::optional<Refusal> answer;
  } cases[] = {
      {false, Transport::polling, Transport::polling, std::nullopt},
      {false, Transport::polling, Transport::websocket, Refusal::bad_request},
      {false, Transport::websocket, Transport::polling, Refusal::bad_request},
      {false, Transport::websocket, Transport::websocket, Refusal::bad_request},
      {true, Transport::websocket, Transport::polling, std::nullopt},
      {true, Transport::websocket, Transport::websocket, std::nullopt},
      {true, Transport::polling, Transport::polling, Refusal::bad_request},
  };
  for (const auto& each : cases) {
    auto request = poll();
    request.upgrade = each.upgrade;
    EXPECT_EQ(check_session(request, each.wanted, each.present, {}), each.answer);
  }
  EXPECT_EQ(check_session(websocket(), Transport::websocket, Transport::polling, {.upgrades = false}), Refusal::bad_request);
}

TEST(Handshake, OnlyVersionFourIsSpokenUnlessThreeIsAllowed) {
  auto request = poll();
  EXPECT_EQ(check_protocol(request, Eio3::refused), Protocol::v4);
  EXPECT_EQ(check_protocol(request, Eio3::allowed), Protocol::v4);
  for (const std::optional<std::string_view> version : {std::optional<std::string_view>("3"),
                                                        {""},
                                                        {"5"},
                                                        {"abc"},
                                                        {"04"},
                                                        {"4 "},
                                                        {"44"},
                                                        std::optional<std::string_view>()}) {
    request.eio = version;
    EXPECT_EQ(check_protocol(request, Eio3::refused), std::unexpected(Refusal::unsupported_protocol))
        << version.value_or("none");
    EXPECT_EQ(check_protocol(request, Eio3::allowed), Protocol::v3) << version.value_or("none");
  }
}

TEST(Handshake, RefusalsAreJsonWithANumericCode) {
  EXPECT_EQ(to_json(Refusal::unknown_transport), R"({"code":0,"message":"Transport unknown"})");
  EXPECT_EQ(to_json(Refusal::unknown_sid), R"({"code":1,"message":"Session ID unknown"})");
  EXPECT_EQ(to_json(Refusal::bad_handshake_method), R"({"code":2,"message":"Bad handshake method"})");
  EXPECT_EQ(to_json(Refusal::bad_request), R"({"code":3,"message":"Bad request"})");
  EXPECT_EQ(to_json(Refusal::forbidden), R"({"code":4,"message":"Forbidden"})");
  EXPECT_EQ(to_json(Refusal::unsupported_protocol), R"({"code":5,"message":"Unsupported protocol version"})");
  EXPECT_EQ(to_json(Refusal::forbidden, "say \"please\"\n"), R"({"code":4,"message":"say \"please\"\u000a"})");
}

TEST(Handshake, TheOpenPacketHoldsFiveThings) {
  OpenData open{.sid = "lv_VI97HAXpY6yYWAAAC",
                .offer_websocket = true,
                .ping_interval = 25'000ms,
                .ping_timeout = 20'000ms,
                .max_payload = 1'000'000};
  EXPECT_EQ(to_json(open), R"({"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":["websocket"],)"
                           R"("pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000})");
  open.offer_websocket = false;
  EXPECT_EQ(to_json(open),
            R"({"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000})");
}

}  // namespace
}  // namespace payam::eio
