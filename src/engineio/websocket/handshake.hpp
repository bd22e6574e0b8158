// The server's side of the websocket opening handshake (RFC 6455 section 4.2).
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace payam::eio::websocket {

// The fields of the request that matter; nullopt where it has none.
struct UpgradeRequest {
  bool get = false;  // the method
  std::optional<std::string_view> upgrade;
  std::optional<std::string_view> connection;
  std::optional<std::string_view> key;      // Sec-WebSocket-Key
  std::optional<std::string_view> version;  // Sec-WebSocket-Version
};

// Whether the request asks for a websocket at all, rightly or not; other protocols in Upgrade are ignored (RFC 9110 7.8).
bool asks_for_websocket(const UpgradeRequest& request);

enum class UpgradeRefusal : unsigned char {
  bad_request,          // 400
  method_not_allowed,   // 405
  unsupported_version,  // 426, with Sec-WebSocket-Version: 13
};

// The value of Sec-WebSocket-Accept.
std::expected<std::string, UpgradeRefusal> accept(const UpgradeRequest& request);

}  // namespace payam::eio::websocket
