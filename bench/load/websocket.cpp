#include "load/websocket.hpp"

#include <cstdint>

namespace payam::bench {

void WebsocketClient::on_connected() {
  // The key of the example in RFC 6455 section 1.3; a server cannot tell it from a random one.
  std::string request = "GET " + options_.path +
                        "?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(options_.port) +
                        "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                        "Sec-WebSocket-Version: 13\r\n";
  if (options_.deflate) request += "Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover\r\n";
  write(request + "\r\n");
}

std::size_t WebsocketClient::consume(std::string_view data) {
  std::size_t used = 0;
  if (!upgraded_) {
    used = consume_head(data);
    if (used == 0) return 0;
  }
  while (!closed()) {
    const std::size_t size = consume_frame(data.substr(used));
    if (size == 0) break;
    used += size;
  }
  return used;
}

std::size_t WebsocketClient::consume_head(std::string_view data) {
  const auto end = data.find("\r\n\r\n");
  if (end == std::string_view::npos) return 0;
  if (!data.starts_with("HTTP/1.1 101")) {
    fail();
    return 0;
  }
  upgraded_ = true;
  return end + 4;
}

std::size_t WebsocketClient::consume_frame(std::string_view data) {
  if (data.size() < 2) return 0;
  const auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>(data[at]); };
  std::uint64_t length = byte(1) & 0x7f;
  std::size_t head = 2;
  if (length == 126) {
    if (data.size() < 4) return 0;
    length = static_cast<std::uint64_t>(byte(2)) << 8 | byte(3);
    head = 4;
  } else if (length == 127) {
    if (data.size() < 10) return 0;
    length = 0;
    for (std::size_t i = 2; i < 10; ++i) length = length << 8 | byte(i);
    head = 10;
  }
  if (data.size() - head < length) return 0;
  const std::string_view payload = data.substr(head, length);
  const bool final = (byte(0) & 0x80) != 0;
  const bool compressed = (byte(0) & 0x40) != 0;
  switch (byte(0) & 0x0f) {
    case 1: !final || compressed ? on_opaque(payload) : on_packet(payload); break;
    case 2: compressed ? on_opaque(payload) : on_binary(payload); break;
    case 0: break;  // the rest of a message already counted
    case 9: send_frame(10, payload); break;
    case 10: break;
    default: fail();
  }
  return head + static_cast<std::size_t>(length);
}

void WebsocketClient::send_frame(int opcode, std::string_view payload) {
  std::string frame;
  frame.reserve(payload.size() + 14);
  frame += static_cast<char>(0x80 | opcode);
  if (payload.size() < 126) {
    frame += static_cast<char>(0x80 | payload.size());
  } else {
    frame += static_cast<char>(0x80 | 126);
    frame += static_cast<char>(payload.size() >> 8);
    frame += static_cast<char>(payload.size());
  }
  frame.append(4, '\0');  // masked with zero: nothing to compute here, all the same work for the server
  frame += payload;
  write(frame);
}

}  // namespace payam::bench
