// Socket.IO v5 packets. https://socket.io/docs/v4/socket-io-protocol/
//
//   packet      = type [count "-"] [namespace ","] [id] [payload]
//   type        = "0" connect | "1" disconnect | "2" event | "3" ack | "4" connect error | "5" binary event | "6" binary ack
//   count       = number of attachments, which follow as binary messages (types 5 and 6 only)
//   namespace   = "/" and anything but ","; "/" itself is left out; the comma may be missing at the end of the packet
//   id          = digits
//   payload     = JSON: object | nothing (0), nothing (1), array with the event's name first (2, 5), array (3, 6),
//                 object | string (4)
//   placeholder = {"_placeholder":true,"num":n}: stands in the payload for attachment n
//
// Pure. What breaks the grammar closes the connection; JSON that is well formed but unreadable is a `fault`.
#pragma once

#include <boost/container/small_vector.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/object_bounds.hpp"
#include "engineio/encoded_packet.hpp"
#include "payam/sio/json.hpp"
#include "payam/sio/options.hpp"

namespace payam::sio {

enum class PacketType : std::uint8_t { connect, disconnect, event, ack, connect_error, binary_event, binary_ack };

// A packet that was received. With an event, `event` is its name and `arguments` what followed it.
struct Packet {
  PacketType type = PacketType::event;  // never binary_*: whole packets are event or ack
  std::string nsp = "/";
  std::optional<std::uint64_t> id;
  std::string event;
  Arguments arguments;
  boost::json::value payload;  // of a connect: object or null
  // Not empty: well formed, but with data that cannot be handed on (and no arguments therefore).
  std::string fault;
};

// Names a client must not send and an application must not emit.
bool is_reserved_event(std::string_view name);

// What a packet may hold.
struct PacketLimits {
  unsigned attachments = 10;
  std::size_t object_members = ObjectBounds::kMaxMembers;
};

// Reads the text part of a packet into `out`, which is new. Gives how many binary messages complete it (its placeholders are
// already checked against that number); nullopt: against the grammar.
std::optional<unsigned> decode_text(std::string_view text, const PacketLimits& limits, Packet& out);

// Fills the parts of a packet that a payload has, checking it for the type. False: against the grammar.
bool take_payload(Packet& packet, boost::json::value payload);

// How many placeholders are within; nullopt if one of them names none of so many `attachments`.
std::optional<std::size_t> count_placeholders(const boost::json::value& value, std::size_t attachments);
// Makes arguments that may come from anywhere fit to be sent: attachments stand in the order of their placeholders, each once,
// none without; a placeholder that names no attachment becomes null, as it would make receivers close their connections.
void arrange_attachments(Arguments& arguments);

// Everything up to the payload.
void append_header(std::string& out, PacketType type, std::size_t attachments, std::string_view nsp,
                   std::optional<std::uint64_t> id);

}  // namespace payam::sio
