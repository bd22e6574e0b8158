// Websocket frames (RFC 6455 section 5.2): what both directions share, and writing those a server sends.
//
//   FIN RSV1 RSV2 RSV3 opcode(4) | MASK length(7) | extended length (0, 2 or 8 bytes) | masking key (0 or 4) | payload
//
// Numbers are in network byte order. A client's frames are masked, a server's are not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace payam::eio::websocket {

enum class Opcode : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

// Section 7.4.1.
enum class CloseCode : std::uint16_t {
  normal = 1000,
  going_away = 1001,
  protocol_error = 1002,
  no_status = 1005,  // never on the wire: a close frame without a code
  invalid_payload = 1007,
  policy_violation = 1008,
  message_too_big = 1009,
  internal_error = 1011,
  try_again_later = 1013,  // of the registry at IANA
};

// Codes an endpoint may put into a close frame; 1005, 1006 and 1015 are for interfaces only.
bool is_sendable(std::uint16_t code);

inline constexpr std::size_t kMaxControlPayload = 125;  // section 5.5
inline constexpr std::size_t kMaxServerHeader = 10;

inline constexpr std::uint8_t kFin = 0x80;
inline constexpr std::uint8_t kRsv1 = 0x40;  // the message is compressed (RFC 7692 section 6)

// Bytes of a server frame's header.
std::size_t header_size(std::size_t payload_bytes);

// Writes the header at `out`, which has header_size() bytes; `flags` is kFin, perhaps with kRsv1.
void write_header(char* out, std::uint8_t flags, Opcode opcode, std::size_t payload_bytes);

// The payload of a close frame; empty for no_status. A reason too long for a control frame is cut at a character.
std::string close_payload(CloseCode code, std::string_view reason = {});

}  // namespace payam::eio::websocket
