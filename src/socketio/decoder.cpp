#include "socketio/decoder.hpp"

#include <boost/json/object.hpp>
#include <utility>

#include "socketio/msgpack.hpp"

namespace payam::sio {

namespace json = boost::json;

Decoder::Outcome Decoder::text(std::string_view data, Packet& out) {
  if (parser_ == Parser::msgpack || partial_) return Outcome::invalid;
  const auto attachments = decode_text(data, limits_, out);
  if (!attachments) return Outcome::invalid;
  if (*attachments == 0) return Outcome::packet;
  // Its grammar is known to be good; it is read again when all of it has come.
  out = {};
  partial_.emplace(std::string(data), *attachments, std::vector<Binary>{});
  return Outcome::incomplete;
}

Decoder::Outcome Decoder::binary(std::string_view data, Packet& out) {
  if (parser_ == Parser::msgpack) {
    auto packet = decode_msgpack(data, limits_);
    if (!packet) return Outcome::invalid;
    out = *std::move(packet);
    return Outcome::packet;
  }
  if (!partial_) return Outcome::invalid;
  partial_->attachments.push_back(Binary{std::string(data)});
  if (partial_->attachments.size() < partial_->expected) return Outcome::incomplete;
  Partial whole = *std::exchange(partial_, std::nullopt);
  if (!decode_text(whole.text, limits_, out)) return Outcome::invalid;
  // What could not be read has no use for its attachments.
  if (out.fault.empty()) out.arguments.attachments = std::move(whole.attachments);
  return Outcome::packet;
}

std::size_t Decoder::held_bytes() const {
  if (!partial_) return 0;
  std::size_t bytes = partial_->text.capacity();
  for (const Binary& attachment : partial_->attachments) bytes += sizeof(Binary) + attachment.bytes.capacity();
  return bytes;
}

std::optional<Packet> decode_msgpack(std::string_view bytes, const PacketLimits& limits) {
  Packet packet;
  auto value = read_msgpack(bytes, limits, packet.arguments.attachments);
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
