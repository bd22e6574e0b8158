#include "engineio/packet.hpp"

#include <utility>

#include "base/base64.hpp"
#include "base/utf8.hpp"

namespace payam::eio {

std::optional<Packet> decode_packet(std::string_view text) {
  if (text.empty() || text.front() < '0' || text.front() > '6') return std::nullopt;
  return Packet{.type = static_cast<PacketType>(text.front()), .binary = false, .data = text.substr(1)};
}

std::optional<Packet> decode_packet(std::string_view text, std::string& bytes) {
  if (!text.starts_with('b')) return decode_packet(text);
  auto decoded = base64_decode(text.substr(1));
  if (!decoded) return std::nullopt;
  bytes = std::move(*decoded);
  return Packet{.type = PacketType::message, .binary = true, .data = bytes};
}

Payload encode_payload(std::span<const PacketRef> packets) {
  Payload payload;
  for (const auto& packet : packets) {
    if (!payload.body.empty()) payload.body.push_back(kRecordSeparator);
    packet->append_polling(payload.body);
  }
  return payload;
}

PayloadReader::Step PayloadReader::next(Packet& packet) {
  if (done_) return Step::end;
  const std::size_t separator = rest_.find(kRecordSeparator);
  const std::string_view text = rest_.substr(0, separator);
  if (separator == std::string_view::npos) {
    done_ = true;
  } else {
    rest_.remove_prefix(separator + 1);
  }

  const auto decoded = decode_packet(text, bytes_);
  if (!decoded || (!decoded->binary && !is_valid_utf8(decoded->data))) return Step::bad;
  packet = *decoded;
  return Step::packet;
}

}  // namespace payam::eio
