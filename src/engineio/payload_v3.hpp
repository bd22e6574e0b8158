// The polling payloads of protocol version 3, which Socket.IO v2 clients speak (Options::allow_eio3).
//
//   text payload  = *( length ":" packet )           length in UTF-16 code units; a binary message is "b", its type, base64
//   octet payload = *( kind 1*digit %xFF packet )    kind %x00: text; %x01: binary, which begins with its type as a byte;
//                                                    digits %x00 to %x09: the length in bytes
//
// https://github.com/socketio/engine.io-protocol/tree/v3
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "engineio/encoded_packet.hpp"
#include "engineio/packet.hpp"
#include "engineio/session_types.hpp"

namespace payam::eio {

class PayloadReaderV3 {
 public:
  // `payload` outlives the reader.
  PayloadReaderV3(std::string_view payload, PayloadForm form);

  // As PayloadReader::next().
  PayloadReader::Step next(Packet& packet);

 private:
  std::optional<std::string_view> take_text();
  PayloadReader::Step next_of_octets(Packet& packet);

  std::string_view rest_;
  PayloadForm form_;
  bool bad_;
  std::string bytes_;  // the present packet's, if it had to be decoded
};

// One packet of a websocket: a text frame, or a binary one, whose first byte is the type.
std::optional<Packet> decode_packet_v3(std::string_view data, bool binary, std::string& bytes);

// Octets only if there is a binary packet and the client takes them.
Payload encode_payload_v3(std::span<const PacketRef> packets, BinaryForm binary);

}  // namespace payam::eio
