#include "engineio/session_types.hpp"

namespace payam::eio {

std::string_view to_string(Transport transport) { return transport == Transport::polling ? "polling" : "websocket"; }

std::string_view to_string(CloseReason reason) {
  switch (reason) {
    case CloseReason::transport_close: return "transport close";
    case CloseReason::transport_error: return "transport error";
    case CloseReason::ping_timeout: return "ping timeout";
    case CloseReason::forced_close: return "forced close";
    case CloseReason::parse_error: return "parse error";
    case CloseReason::buffer_overflow: return "buffer overflow";
    case CloseReason::server_shutdown: return "server shutting down";
  }
  return "transport error";
}

}  // namespace payam::eio
