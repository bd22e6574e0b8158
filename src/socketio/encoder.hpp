// Packets to what is queued on a connection: a text message and its attachments, or with msgpack one binary message. Pure.
#pragma once

#include <boost/container/small_vector.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "engineio/encoded_packet.hpp"
#include "payam/sio/options.hpp"
#include "socketio/content.hpp"
#include "socketio/packet.hpp"

namespace payam::sio {

// The parts of one packet, queued as a unit: nothing may come between a header and its attachments.
using PacketParts = boost::container::small_vector<eio::PacketRef, 1>;

class Encoder {
 public:
  explicit Encoder(Parser parser) : parser_(parser) {}

  // `offset`, if not empty, becomes the last argument (connection state recovery).
  PacketParts event(std::string_view nsp, std::string_view name, Content& content, std::optional<std::uint64_t> id = {},
                    std::string_view offset = {}) const;
  PacketParts ack(std::string_view nsp, std::uint64_t id, Content& content) const;
  // Of a single argument without attachments, without a copy on the way.
  PacketParts ack(std::string_view nsp, std::uint64_t id, const boost::json::value& argument) const;
  // `pid` empty: left out.
  PacketParts connect(std::string_view nsp, std::string_view sid, std::string_view pid) const;
  // `data` null: left out.
  PacketParts connect_error(std::string_view nsp, std::string_view message, const boost::json::value& data) const;
  // The two as clients of Socket.IO v2 read them: CONNECT without a payload; ERROR, which is CONNECT_ERROR's number, with any.
  PacketParts connect(std::string_view nsp) const;
  PacketParts error(std::string_view nsp, const boost::json::value& payload) const;
  PacketParts disconnect(std::string_view nsp) const;

 private:
  PacketParts control(PacketType type, std::string_view nsp, const boost::json::value* payload) const;

  Parser parser_;
};

}  // namespace payam::sio
