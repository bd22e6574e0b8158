// Puts a connection's messages together to packets. Pure. Holds memory only while a packet waits for its attachments.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "payam/sio/options.hpp"
#include "socketio/packet.hpp"

namespace payam::sio {

class Decoder {
 public:
  Decoder(Parser parser, unsigned max_attachments) : parser_(parser), max_attachments_(max_attachments) {}

  enum class Outcome {
    packet,      // `out`, a new one, has it
    incomplete,  // attachments are missing
    invalid,     // against the grammar: close the connection
  };
  Outcome text(std::string_view data, Packet& out);
  Outcome binary(std::string_view data, Packet& out);

 private:
  Parser parser_;
  unsigned max_attachments_;
  struct Partial {
    Packet packet;
    unsigned attachments;
  };
  std::unique_ptr<Partial> partial_;
};

// A whole packet of npm's socket.io-msgpack-parser; nullopt: invalid.
std::optional<Packet> decode_msgpack(std::string_view bytes);

}  // namespace payam::sio
