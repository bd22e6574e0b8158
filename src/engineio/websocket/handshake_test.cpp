#include "engineio/websocket/handshake.hpp"

#include <gtest/gtest.h>

namespace payam::eio::websocket {
namespace {

UpgradeRequest good() {
  return {.get = true, .upgrade = "websocket", .connection = "Upgrade", .key = "dGhlIHNhbXBsZSBub25jZQ==", .version = "13"};
}

TEST(WebsocketHandshake, AnswersTheExampleOfTheRfc) {
  EXPECT_EQ(accept(good()), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");  // section 1.3
}

TEST(WebsocketHandshake, TokensAreFoundInListsWithoutCase) {
  auto request = good();
  request.upgrade = "WebSocket";
  request.connection = "keep-alive,\t upgrade ";
  EXPECT_TRUE(asks_for_websocket(request));
  EXPECT_TRUE(accept(request));
}

TEST(WebsocketHandshake, OtherRequestsDoNotAskForAWebsocket) {
  auto request = good();
  request.upgrade = "h2c";
  EXPECT_FALSE(asks_for_websocket(request));
  request = good();
  request.upgrade = std::nullopt;
  EXPECT_FALSE(asks_for_websocket(request));
  request = good();
  request.connection = "keep-alive, upgraded";
  EXPECT_FALSE(asks_for_websocket(request));
  request.connection = std::nullopt;
  EXPECT_FALSE(asks_for_websocket(request));
}

TEST(WebsocketHandshake, RefusesWhatSection421Forbids) {
  auto request = good();
  request.get = false;
  EXPECT_EQ(accept(request), std::unexpected(UpgradeRefusal::method_not_allowed));

  for (const char* version : {"8", "12", "14", "", "13, 8"}) {
    request = good();
    request.version = version;
    EXPECT_EQ(accept(request), std::unexpected(UpgradeRefusal::unsupported_version)) << version;
  }
  request.version = std::nullopt;
  EXPECT_EQ(accept(request), std::unexpected(UpgradeRefusal::unsupported_version));

  for (const char* key : {"", "short", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZSE=", "*GhlIHNhbXBsZSBub25jZQ=="}) {
    request = good();
    request.key = key;
    EXPECT_EQ(accept(request), std::unexpected(UpgradeRefusal::bad_request)) << key;
  }
  request.key = std::nullopt;
  EXPECT_EQ(accept(request), std::unexpected(UpgradeRefusal::bad_request));
}

}  // namespace
}  // namespace payam::eio::websocket
