#include "engineio/websocket/frame.hpp"

namespace payam::eio::websocket {

bool is_sendable(std::uint16_t code) {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

std::size_t header_size(std::size_t payload_bytes) { return payload_bytes < 126 ? 2 : payload_bytes <= 0xffff ? 4 : 10; }

void write_header(char* out, std::uint8_t flags, Opcode opcode, std::size_t payload_bytes) {
  *out++ = static_cast<char>(flags | static_cast<std::uint8_t>(opcode));
  int extended = 0;
  if (payload_bytes < 126) {
    *out++ = static_cast<char>(payload_bytes);
  } else if (payload_bytes <= 0xffff) {
    *out++ = 126;
    extended = 2;
  } else {
    *out++ = 127;
    extended = 8;
  }
  for (int byte = extended - 1; byte >= 0; --byte) {
    *out++ = static_cast<char>(static_cast<std::uint64_t>(payload_bytes) >> (8 * byte) & 0xff);
  }
}

std::string close_payload(CloseCode code, std::string_view reason) {
  if (code == CloseCode::no_status) return {};
  const auto number = static_cast<std::uint16_t>(code);
  std::string payload{static_cast<char>(number >> 8), static_cast<char>(number & 0xff)};
  std::size_t length = reason.size();
  if (length > kMaxControlPayload - 2) {
    length = kMaxControlPayload - 2;
    while (length > 0 && (static_cast<unsigned char>(reason[length]) & 0xc0) == 0x80) --length;
  }
  payload.append(reason.substr(0, length));
  return payload;
}

}  // namespace payam::eio::websocket
