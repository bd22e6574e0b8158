// What the pure session and the server's interface both speak of.
#pragma once

#include <cstdint>
#include <string_view>

namespace payam::eio {

enum class Transport : std::uint8_t { polling, websocket };
std::string_view to_string(Transport transport);

// The protocol's version. Version 3 is that of Socket.IO v2 clients.
enum class Protocol : std::uint8_t { v3 = 3, v4 = 4 };

// How binary messages go out: some clients take no binary frames and say so (`b64` in the query).
enum class BinaryForm : std::uint8_t { frame, base64 };

// Why a session ended; to_string() gives the words of the reference server ("transport close", "ping timeout", …).
enum class CloseReason : std::uint8_t {
  transport_close,
  transport_error,
  ping_timeout,
  forced_close,
  parse_error,
  buffer_overflow,
  server_shutdown,
};
std::string_view to_string(CloseReason reason);

}  // namespace payam::eio
