// What the pure session and the server's interface both speak of.
#pragma once

#include <cstdint>
#include <string_view>

namespace payam::eio {

enum class Transport : std::uint8_t { polling, websocket };
std::string_view to_string(Transport transport);

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
