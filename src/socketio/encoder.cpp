#include "socketio/encoder.hpp"

#include <array>

#include "base/json_string.hpp"
#include "socketio/json_text.hpp"
#include "socketio/msgpack.hpp"

namespace payam::sio {

namespace json = boost::json;

namespace {

// What npm's socket.io-msgpack-parser sends: a map of type, nsp, data, id.
std::string msgpack_start(int type, std::string_view nsp, bool has_data, std::optional<std::uint64_t> id) {
  std::string out;
  write_msgpack_map_header(out, 2u + (has_data ? 1 : 0) + (id ? 1 : 0));
  write_msgpack_string(out, "type");
  write_msgpack(out, type, {});
  write_msgpack_string(out, "nsp");
  write_msgpack_string(out, nsp);
  if (id) {
    write_msgpack_string(out, "id");
    write_msgpack(out, json::value(*id), {});
  }
  if (has_data) write_msgpack_string(out, "data");
  return out;
}

// A string that keeps its room from one packet to the next, a thread's own. One at a time.
class Scratch {
 public:
  ~Scratch() {
    if (text_.capacity() > kKept) std::string().swap(text_);
    text_.clear();
  }
  std::string& operator*() { return text_; }
  std::string* operator->() { return &text_; }

 private:
  static constexpr std::size_t kKept = 64 * 1024;
  static thread_local std::string text_;
};
thread_local std::string Scratch::text_;

PacketParts binary_message(const std::string& bytes) { return PacketParts{eio::EncodedPacket::binary(bytes)}; }

// A text message from its pieces, then the attachments.
PacketParts text_message(std::span<const std::string_view> pieces, std::span<const Binary> attachments) {
  PacketParts parts;
  parts.reserve(1 + attachments.size());
  parts.push_back(eio::EncodedPacket::message(pieces));
  for (const Binary& attachment : attachments) parts.push_back(eio::EncodedPacket::binary(attachment.bytes));
  return parts;
}

}  // namespace

PacketParts Encoder::event(std::string_view nsp, std::string_view name, Content& content, std::optional<std::uint64_t> id,
                           std::string_view offset) const {
  if (parser_ == Parser::msgpack) {
    std::string out = msgpack_start(static_cast<int>(PacketType::event), nsp, true, id);
    write_msgpack_array_header(out, 1 + content.values().size() + (offset.empty() ? 0 : 1));
    write_msgpack_string(out, name);
    for (const json::value& value : content.values()) write_msgpack(out, value, content.attachments());
    if (!offset.empty()) write_msgpack_string(out, offset);
    return binary_message(out);
  }
  const auto& attachments = content.attachments();
  std::string start;
  append_header(start, attachments.empty() ? PacketType::event : PacketType::binary_event, attachments.size(), nsp, id);
  start += '[';
  append_json_string(start, name);
  const std::string& arguments = content.json();
  if (!arguments.empty()) start += ',';
  std::string end;
  if (!offset.empty()) {
    end += ',';
    append_json_string(end, offset);
  }
  end += ']';
  const std::array<std::string_view, 3> pieces{start, arguments, end};
  return text_message(pieces, attachments);
}

PacketParts Encoder::ack(std::string_view nsp, std::uint64_t id, Content& content) const {
  if (parser_ == Parser::msgpack) {
    std::string out = msgpack_start(static_cast<int>(PacketType::ack), nsp, true, id);
    write_msgpack_array_header(out, content.values().size());
    for (const json::value& value : content.values()) write_msgpack(out, value, content.attachments());
    return binary_message(out);
  }
  const auto& attachments = content.attachments();
  std::string start;
  append_header(start, attachments.empty() ? PacketType::ack : PacketType::binary_ack, attachments.size(), nsp, id);
  start += '[';
  const std::array<std::string_view, 3> pieces{start, content.json(), "]"};
  return text_message(pieces, attachments);
}

PacketParts Encoder::ack(std::string_view nsp, std::uint64_t id, const json::value& argument) const {
  if (parser_ == Parser::msgpack) {
    std::string out = msgpack_start(static_cast<int>(PacketType::ack), nsp, true, id);
    write_msgpack_array_header(out, 1);
    write_msgpack(out, argument, {});
    return binary_message(out);
  }
  Scratch text;
  append_header(*text, PacketType::ack, 0, nsp, id);
  *text += '[';
  write_json(*text, argument);
  *text += ']';
  const std::array<std::string_view, 1> pieces{*text};
  return text_message(pieces, {});
}

PacketParts Encoder::control(PacketType type, std::string_view nsp, const json::value* payload) const {
  if (parser_ == Parser::msgpack) {
    std::string out = msgpack_start(static_cast<int>(type), nsp, payload != nullptr, std::nullopt);
    if (payload != nullptr) write_msgpack(out, *payload, {});
    return binary_message(out);
  }
  std::string text;
  append_header(text, type, 0, nsp, std::nullopt);
  if (payload != nullptr) write_json(text, *payload);
  const std::array<std::string_view, 1> pieces{text};
  return text_message(pieces, {});
}

PacketParts Encoder::connect(std::string_view nsp, std::string_view sid, std::string_view pid) const {
  json::object payload{{"sid", sid}};
  if (!pid.empty()) payload.emplace("pid", pid);
  const json::value value(std::move(payload));
  return control(PacketType::connect, nsp, &value);
}

PacketParts Encoder::connect_error(std::string_view nsp, std::string_view message, const json::value& data) const {
  json::object payload{{"message", message}};
  if (!data.is_null()) payload.emplace("data", data);
  return error(nsp, std::move(payload));
}

PacketParts Encoder::connect(std::string_view nsp) const { return control(PacketType::connect, nsp, nullptr); }

PacketParts Encoder::error(std::string_view nsp, const json::value& payload) const {
  return control(PacketType::connect_error, nsp, &payload);
}

PacketParts Encoder::disconnect(std::string_view nsp) const { return control(PacketType::disconnect, nsp, nullptr); }

}  // namespace payam::sio
