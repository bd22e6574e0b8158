// Puts a connection's messages together to packets. Pure. Holds memory only while a packet waits for its attachments, and of
// that packet its text, which is up to eighteen times smaller than what is read from it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "payam/sio/options.hpp"
#include "socketio/packet.hpp"

namespace payam::sio {

class Decoder {
 public:
  Decoder(Parser parser, PacketLimits limits) : parser_(parser), limits_(limits) {}

  enum class Outcome {
    packet,      // `out`, a new one, has it
    incomplete,  // attachments are missing
    invalid,     // against the grammar: close the connection
  };
  Outcome text(std::string_view data, Packet& out);
  Outcome binary(std::string_view data, Packet& out);

  // What a packet that waits for its attachments takes, in bytes.
  std::size_t held_bytes() const;

 private:
  Parser parser_;
  PacketLimits limits_;
  struct Partial {
    std::string text;
    unsigned expected;  // attachments
    std::vector<Binary> attachments;
  };
  std::optional<Partial> partial_;
};

// A whole packet of npm's socket.io-msgpack-parser; nullopt: invalid.
std::optional<Packet> decode_msgpack(std::string_view bytes, const PacketLimits& limits = {});

}  // namespace payam::sio
