#include "engineio/handshake.hpp"

#include <algorithm>

namespace payam::eio {
namespace {

// A header value may hold tabs, spaces, visible characters and bytes above 127 (RFC 9110 section 5.5).
bool is_field_value(std::string_view value) {
  return std::ranges::all_of(value, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
  });
}

// A string of a JSON document; a sid and our own messages are plain, the application's refusal may be anything.
void append_json_string(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out.push_back('"');
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (byte < 0x20) {
      out.append("\\u00");
      out.push_back(kHex[byte >> 4]);
      out.push_back(kHex[byte & 15]);
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

}  // namespace

std::string_view message_of(Refusal refusal) {
  switch (refusal) {
    case Refusal::unknown_transport: return "Transport unknown";
    case Refusal::unknown_sid: return "Session ID unknown";
    case Refusal::bad_handshake_method: return "Bad handshake method";
    case Refusal::bad_request: return "Bad request";
    case Refusal::forbidden: return "Forbidden";
    case Refusal::unsupported_protocol: return "Unsupported protocol version";
  }
  return "Bad request";
}

std::string to_json(Refusal refusal, std::string_view message) {
  std::string json = "{\"code\":" + std::to_string(static_cast<int>(refusal)) + ",\"message\":";
  append_json_string(json, message.empty() ? message_of(refusal) : message);
  json.push_back('}');
  return json;
}

std::expected<Transport, Refusal> check_transport(const RequestFacts& request, const EnabledTransports& enabled) {
  std::optional<Transport> transport;
  if (request.transport == "polling" && enabled.polling) transport = Transport::polling;
  if (request.transport == "websocket" && enabled.websocket) transport = Transport::websocket;
  if (!transport) return std::unexpected(Refusal::unknown_transport);
  if (request.origin && !is_field_value(*request.origin)) return std::unexpected(Refusal::bad_request);
  return *transport;
}

std::optional<Refusal> check_session(const RequestFacts& request, Transport wanted, Transport present,
                                     const EnabledTransports& enabled) {
  if (request.upgrade) {
    // Whether the session may still be upgraded is not asked here: a second websocket is accepted and then closed.
    return wanted == Transport::websocket && enabled.upgrades ? std::nullopt : std::optional(Refusal::bad_request);
  }
  return wanted == Transport::polling && present == Transport::polling ? std::nullopt : std::optional(Refusal::bad_request);
}

std::optional<Refusal> check_handshake(const RequestFacts& request, Transport wanted) {
  if (!request.get) return Refusal::bad_handshake_method;
  if ((wanted == Transport::websocket) != request.upgrade) return Refusal::bad_request;
  return std::nullopt;
}

std::expected<Protocol, Refusal> check_protocol(const RequestFacts& request, Eio3 eio3) {
  if (request.eio == "4") return Protocol::v4;
  if (eio3 == Eio3::allowed) return Protocol::v3;
  return std::unexpected(Refusal::unsupported_protocol);
}

std::string to_json(const OpenData& open) {
  std::string json = "{\"sid\":";
  append_json_string(json, open.sid);
  json += ",\"upgrades\":[";
  if (open.offer_websocket) json += "\"websocket\"";
  json += "],\"pingInterval\":" + std::to_string(open.ping_interval.count());
  json += ",\"pingTimeout\":" + std::to_string(open.ping_timeout.count());
  json += ",\"maxPayload\":" + std::to_string(open.max_payload) + "}";
  return json;
}

}  // namespace payam::eio
