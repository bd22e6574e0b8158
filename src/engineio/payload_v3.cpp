#include "engineio/payload_v3.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/base64.hpp"
#include "base/utf8.hpp"

namespace payam::eio {

using Step = PayloadReader::Step;

namespace {

constexpr char kOctetEnd = '\xff';
constexpr std::size_t kMaxDigits = 10;

// UTF-16 code units of the character a byte begins; 0 for a continuation byte.
std::size_t units(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte & 0xc0) == 0x80 ? 0 : byte >= 0xf0 ? 2 : 1;
}

std::size_t utf16_length(std::string_view text) {
  std::size_t length = 0;
  for (const char c : text) length += units(c);
  return length;
}

// The bytes of the first `length` code units; nullopt if there are fewer, or the cut would go through a surrogate pair.
std::optional<std::size_t> utf16_prefix(std::string_view text, std::size_t length) {
  std::size_t at = 0;
  while (length > 0) {
    if (at == text.size() || units(text[at]) > length) return std::nullopt;
    length -= units(text[at]);
    do ++at;
    while (at < text.size() && units(text[at]) == 0);
  }
  return at;
}

}  // namespace

std::optional<Packet> decode_packet_v3(std::string_view data, bool binary, std::string& bytes) {
  if (binary) {
    if (data.empty() || data.front() > 6 || data.front() < 0) return std::nullopt;
    return Packet{.type = static_cast<PacketType>('0' + data.front()), .binary = true, .data = data.substr(1)};
  }
  if (!data.starts_with('b')) return decode_packet(data);
  const auto typed = decode_packet(data.substr(1));
  if (!typed) return std::nullopt;
  auto decoded = base64_decode(typed->data);
  if (!decoded) return std::nullopt;
  bytes = std::move(*decoded);
  return Packet{.type = typed->type, .binary = true, .data = bytes};
}

PayloadReaderV3::PayloadReaderV3(std::string_view payload, PayloadForm form)
    : rest_(payload), form_(form), bad_(form == PayloadForm::text && (payload.empty() || !is_valid_utf8(payload))) {}

Step PayloadReaderV3::next(Packet& packet) {
  if (bad_) return Step::bad;
  if (form_ == PayloadForm::octets) return next_of_octets(packet);
  for (;;) {
    if (rest_.empty()) return Step::end;
    const auto text = take_text();
    if (!text) return Step::bad;
    if (text->empty()) continue;  // "0:" is how an empty payload is written
    const auto decoded = decode_packet_v3(*text, false, bytes_);
    if (!decoded) return Step::bad;
    packet = *decoded;
    return Step::packet;
  }
}

std::optional<std::string_view> PayloadReaderV3::take_text() {
  std::size_t length = 0;
  const char* const end = rest_.data() + rest_.size();
  const auto [colon, error] = std::from_chars(rest_.data(), end, length);
  if (error != std::errc{} || colon == end || *colon != ':') return std::nullopt;
  rest_.remove_prefix(static_cast<std::size_t>(colon - rest_.data()) + 1);
  const auto bytes = utf16_prefix(rest_, length);
  if (!bytes) return std::nullopt;
  const std::string_view text = rest_.substr(0, *bytes);
  rest_.remove_prefix(*bytes);
  return text;
}

Step PayloadReaderV3::next_of_octets(Packet& packet) {
  if (rest_.empty()) return Step::end;
  const char kind = rest_.front();
  if (kind != 0 && kind != 1) return Step::bad;
  const std::size_t end = rest_.find(kOctetEnd, 1);
  if (end == std::string_view::npos || end == 1 || end - 1 > kMaxDigits) return Step::bad;
  std::size_t length = 0;
  for (const char digit : rest_.substr(1, end - 1)) {
    if (digit < 0 || digit > 9) return Step::bad;
    length = length * 10 + static_cast<std::size_t>(digit);
  }
  rest_.remove_prefix(end + 1);
  if (length > rest_.size()) return Step::bad;
  const std::string_view data = rest_.substr(0, length);
  rest_.remove_prefix(length);
  if (kind == 0 && !is_valid_utf8(data)) return Step::bad;
  const auto decoded = decode_packet_v3(data, kind == 1, bytes_);
  if (!decoded) return Step::bad;
  packet = *decoded;
  return Step::packet;
}

Payload encode_payload_v3(std::span<const PacketRef> packets, BinaryForm binary) {
  Payload payload;
  const bool any_binary = std::ranges::any_of(packets, [](const auto& packet) { return packet->is_binary(); });
  if (any_binary && binary == BinaryForm::frame) payload.form = PayloadForm::octets;
  for (const auto& packet : packets) {
    const std::string_view data = packet->payload();
    if (payload.form == PayloadForm::octets) {
      const std::size_t type_bytes = packet->is_binary() ? 1 : 0;
      payload.body.push_back(packet->is_binary() ? '\1' : '\0');
      for (const char digit : std::to_string(type_bytes + data.size())) payload.body.push_back(static_cast<char>(digit - '0'));
      payload.body.push_back(kOctetEnd);
      if (packet->is_binary()) payload.body.push_back('\4');
      payload.body.append(data);
    } else if (packet->is_binary()) {
      const std::string text = "b4" + base64_encode(data);
      payload.body.append(std::to_string(text.size())).append(":").append(text);
    } else {
      payload.body.append(std::to_string(utf16_length(data))).append(":").append(data);
    }
  }
  return payload;
}

}  // namespace payam::eio
