// Engine.IO packets as they arrive, https://socket.io/docs/v4/engine-io-protocol/ ("Packet encoding").
//
//   packet  = type [data]              on a websocket: a text frame; a binary frame is a message without a type
//   payload = packet *( %x1E packet )  on polling; there a binary message is "b" and its bytes as base64
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "engineio/encoded_packet.hpp"

namespace payam::eio {

struct Packet {
  PacketType type = PacketType::message;
  bool binary = false;
  std::string_view data;  // of the buffer it was read from

  bool operator==(const Packet&) const = default;
};

// What a poll answers with, or a post brings: text, or octets (version 3 with binary messages).
enum class PayloadForm : std::uint8_t { text, octets };
struct Payload {
  std::string body;
  PayloadForm form = PayloadForm::text;
};

inline constexpr char kRecordSeparator = '\x1e';

// One text packet; nullopt if it has no known type. UTF-8 is not checked here.
std::optional<Packet> decode_packet(std::string_view text);

// The same, or a binary message as base64: "b" and so on. Clients that cannot send binary frames (`b64` in their query) send it
// on a websocket too. `bytes` takes the decoded data.
std::optional<Packet> decode_packet(std::string_view text, std::string& bytes);

// Walks the packets of a polling payload.
class PayloadReader {
 public:
  enum class Step { packet, end, bad };

  // `payload` outlives the reader.
  explicit PayloadReader(std::string_view payload) : rest_(payload) {}

  // Gives the next packet, valid until the next call. After `bad` (an unknown type, nothing between two separators, text that
  // is not UTF-8, broken base64) the rest of the payload cannot be trusted. An empty payload is bad.
  Step next(Packet& packet);

 private:
  std::string_view rest_;
  bool done_ = false;
  std::string bytes_;  // the present binary packet's
};

// What a poll answers with.
Payload encode_payload(std::span<const PacketRef> packets);

}  // namespace payam::eio
