#include "engineio/packet.hpp"

#include "base/base64.hpp"
#include "base/utf8.hpp"

namespace payam::eio {

std::optional<Packet> decode_packet(std::string_view text) {
  if (text.empty() || text.front() < '0' || text.front() > '6') return std::nullopt;
  return Packet{.type = static_cast<PacketType>(text.front()), .binary = false, .data = text.substr(1)};
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

  if (text.starts_with('b')) {
    auto bytes = base64_decode(text.substr(1));
    if (!bytes) return Step::bad;
    bytes_ = std::move(*bytes);
    packet = Packet{.type = PacketType::message, .binary = true, .data = bytes_};
    return Step::packet;
  }
  const auto decoded = decode_packet(text);
  if (!decoded || !is_valid_utf8(decoded->data)) return Step::bad;
  packet = *decoded;
  return Step::packet;
}

}  // namespace payam::eio
