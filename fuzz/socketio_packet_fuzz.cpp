// Socket.IO packets as text, with their attachments, and in msgpack. A packet that was read has a known kind, a namespace that
// begins with a slash, and placeholders that its attachments fill.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "fuzz/require.hpp"
#include "socketio/decoder.hpp"

using namespace payam::sio;

namespace {

void check(const Packet& packet) {
  REQUIRE(packet.type != PacketType::binary_event && packet.type != PacketType::binary_ack);
  REQUIRE(packet.nsp.starts_with('/'));
  if (packet.type == PacketType::event && packet.fault.empty()) REQUIRE(!is_reserved_event(packet.event));
  // A text event may contain what looks like a placeholder; it is data, and mended when it is sent on.
  if (!packet.arguments.attachments.empty())
    REQUIRE(count_placeholders(packet.arguments.values, packet.arguments.attachments.size()));
}

}  // namespace

// The input is one text message; after each 0xff byte, which no text has, a binary one.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  if (auto packet = decode_msgpack(rest)) check(*packet);

  Decoder decoder(Parser::json, {});
  bool text = true;
  while (true) {
    Packet packet;
    const auto end = rest.find('\xff');
    const auto piece = rest.substr(0, end);
    const auto outcome = text ? decoder.text(piece, packet) : decoder.binary(piece, packet);
    if (outcome == Decoder::Outcome::invalid) return 0;
    if (outcome == Decoder::Outcome::packet) check(packet);
    text = outcome == Decoder::Outcome::packet;
    if (end == std::string_view::npos) return 0;
    rest.remove_prefix(end + 1);
  }
}
