#include "socketio/decoder.hpp"

#include <boost/json/object.hpp>
#include <utility>

#include "socketio/msgpack.hpp"

namespace payam::sio {

namespace json = boost::json;

Decoder::Outcome Decoder::text(std::string_view data, Packet& out) {
  if (parser_ == Parser::msgpack || partial_ != nullptr) return Outcome::invalid;
  const auto attachments = decode_text(data, max_attachments_, out);
  if (!attachments) return Outcome::invalid;
  if (*attachments == 0) return Outcome::packet;
  partial_ = std::make_unique<Partial>(std::move(out), *attachments);
  return Outcome::incomplete;
}

Decoder::Outcome Decoder::binary(std::string_view data, Packet& out) {
  if (parser_ == Parser::msgpack) {
    auto packet = decode_msgpack(data);
    if (!packet || packet->arguments.attachments.size() > max_attachments_) return Outcome::invalid;
    out = *std::move(packet);
    return Outcome::packet;
  }
  if (partial_ == nullptr) return Outcome::invalid;
  auto& attachments = partial_->packet.arguments.attachments;
  attachments.push_back(Binary{std::string(data)});
  if (attachments.size() < partial_->attachments) return Outcome::incomplete;
  out = std::move(std::exchange(partial_, nullptr)->packet);
  // What could not be read has no use for its attachments.
  if (!out.fault.empty()) out.arguments.attachments.clear();
  return Outcome::packet;
}

std::optional<Packet> decode_msgpack(std::string_view bytes) {
  Packet packet;
  auto value = read_msgpack(bytes, packet.arguments.attachments);
  if (!value || !value->is_object()) return std::nullopt;
  json::object& object = value->get_object();

  const json::value* type = object.if_contains("type");
  if (type == nullptr || !type->is_int64()) return std::nullopt;
  // There are no binary types: attachments stand in the data itself.
  if (type->get_int64() < 0 || type->get_int64() > static_cast<int>(PacketType::connect_error)) return std::nullopt;
  packet.type = static_cast<PacketType>(type->get_int64());

  const json::value* nsp = object.if_contains("nsp");
  if (nsp == nullptr || !nsp->is_string()) return std::nullopt;
  packet.nsp = nsp->get_string();
  if (!packet.nsp.starts_with('/')) return std::nullopt;  // in text one cannot be written otherwise

  if (const json::value* id = object.if_contains("id"); id != nullptr && !id->is_null()) {
    if (!id->is_int64() || id->get_int64() < 0) return std::nullopt;
    packet.id = static_cast<std::uint64_t>(id->get_int64());
  }
  json::value* data = object.if_contains("data");
  if (data == nullptr || data->is_null()) {
    const bool optional = packet.type == PacketType::connect || packet.type == PacketType::disconnect;
    return optional ? std::optional(std::move(packet)) : std::nullopt;
  }
  if (!take_payload(packet, std::move(*data))) return std::nullopt;
  return packet;
}

}  // namespace payam::sio
