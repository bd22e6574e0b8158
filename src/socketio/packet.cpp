#include "socketio/packet.hpp"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <charconv>
#include <limits>

#include "socketio/json_text.hpp"

namespace payam::sio {

namespace json = boost::json;

namespace detail {

std::optional<std::size_t> placeholder_number(const json::value& value) {
  const json::object* object = value.if_object();
  if (object == nullptr) return std::nullopt;
  const json::value* mark = object->if_contains("_placeholder");
  if (mark == nullptr || !mark->is_bool() || !mark->get_bool()) return std::nullopt;
  // Not a whole number in range: a number no attachment has.
  constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();
  const json::value* number = object->if_contains("num");
  if (number == nullptr) return kNone;
  if (number->is_uint64()) return number->get_uint64();
  if (number->is_int64() && number->get_int64() >= 0) return static_cast<std::size_t>(number->get_int64());
  if (number->is_double() && number->get_double() >= 0 && number->get_double() < 1e6) {
    const auto whole = static_cast<std::size_t>(number->get_double());
    if (static_cast<double>(whole) == number->get_double()) return whole;
  }
  return kNone;
}

json::value make_placeholder(std::size_t number) { return json::object{{"_placeholder", true}, {"num", number}}; }

}  // namespace detail

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Reads a run of digits; nullopt for none or for more than JavaScript counts exactly.
std::optional<std::uint64_t> take_number(std::string_view& text) {
  constexpr std::uint64_t kMaxSafeInteger = (std::uint64_t{1} << 53) - 1;
  std::uint64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc{} || number > kMaxSafeInteger) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()));
  return number;
}

// `42[1,2]` is an event named "1".
std::optional<std::string> event_name(const json::value& value) {
  if (value.is_string()) return std::string(value.get_string());
  if (!value.is_number()) return std::nullopt;
  std::string name;
  write_json(name, value);
  return name;
}

bool take_event(Packet& packet, json::array elements) {
  if (elements.empty()) return false;
  auto name = event_name(elements.front());
  if (!name || (elements.front().is_string() && is_reserved_event(*name))) return false;
  packet.event = *std::move(name);
  elements.erase(elements.begin());
  packet.arguments.values = std::move(elements);
  return true;
}

}  // namespace

bool is_reserved_event(std::string_view name) {
  static constexpr std::array<std::string_view, 6> kReserved = {"connect",       "connect_error", "disconnect",
                                                                "disconnecting", "newListener",   "removeListener"};
  return std::ranges::find(kReserved, name) != kReserved.end();
}

bool take_payload(Packet& packet, json::value payload) {
  switch (packet.type) {
    case PacketType::connect:
      if (!payload.is_object()) return false;
      packet.payload = std::move(payload);
      return true;
    case PacketType::event: return payload.is_array() && take_event(packet, std::move(payload.get_array()));
    case PacketType::ack:
      if (!payload.is_array()) return false;
      packet.arguments.values = std::move(payload.get_array());
      return true;
    case PacketType::connect_error:
      if (!payload.is_object() && !payload.is_string()) return false;
      packet.payload = std::move(payload);
      return true;
    default: return false;
  }
}

std::optional<unsigned> decode_text(std::string_view text, const PacketLimits& limits, Packet& packet) {
  if (text.empty() || text[0] < '0' || text[0] > '6') return std::nullopt;
  unsigned attachments = 0;
  packet.type = static_cast<PacketType>(text[0] - '0');
  text.remove_prefix(1);

  if (packet.type == PacketType::binary_event || packet.type == PacketType::binary_ack) {
    const auto count = take_number(text);
    if (!count || *count == 0 || *count > limits.attachments || !text.starts_with('-')) return std::nullopt;
    text.remove_prefix(1);
    attachments = static_cast<unsigned>(*count);
    packet.type = packet.type == PacketType::binary_event ? PacketType::event : PacketType::ack;
  }
  if (text.starts_with('/')) {
    const std::size_t comma = text.find(',');
    packet.nsp = text.substr(0, comma);
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  }
  if (!text.empty() && is_digit(text[0])) {
    packet.id = take_number(text);
    if (!packet.id) return std::nullopt;
  }
  if (text.empty()) {
    const bool optional = packet.type == PacketType::connect || packet.type == PacketType::disconnect;
    return optional ? std::optional(attachments) : std::nullopt;
  }

  json::value payload;
  std::string first;
  const JsonStatus status = read_json(text, payload, first, limits.object_members);
  if (status == JsonStatus::malformed) return std::nullopt;
  if (status != JsonStatus::ok) {
    const bool is_event = packet.type == PacketType::event;
    if (packet.type == PacketType::disconnect || (is_event && is_reserved_event(first))) return std::nullopt;
    packet.fault = to_string(status);
    if (is_event) packet.event = std::move(first);
    return attachments;
  }
  if (attachments != 0) {
    // One attachment may stand in several places, but not in so many that a small packet becomes a large one.
    const auto placeholders = count_placeholders(payload, attachments);
    if (!placeholders || *placeholders > limits.attachments) return std::nullopt;
  }
  if (!take_payload(packet, std::move(payload))) return std::nullopt;
  return attachments;
}

std::optional<std::size_t> count_placeholders(const json::value& value, std::size_t attachments) {
  std::size_t sum = 0;
  const auto add = [&](const json::value& part) {
    const auto count = count_placeholders(part, attachments);
    if (count) sum += *count;
    return count.has_value();
  };
  if (const json::array* array = value.if_array()) {
    if (!std::ranges::all_of(*array, add)) return std::nullopt;
  } else if (const json::object* object = value.if_object()) {
    if (const auto number = detail::placeholder_number(value)) return *number < attachments ? std::optional(1) : std::nullopt;
    if (!std::ranges::all_of(*object, [&](const auto& field) { return add(field.value()); })) return std::nullopt;
  }
  return sum;
}

namespace {

class Arranger {
 public:
  explicit Arranger(std::vector<Binary>& attachments) : from_(attachments), place_(attachments.size(), kNone) {}

  void visit(json::value& value) {
    if (json::array* array = value.if_array()) {
      for (json::value& element : *array) visit(element);
    } else if (json::object* object = value.if_object()) {
      const auto number = detail::placeholder_number(value);
      if (!number) {
        for (auto& field : *object) visit(field.value());
      } else if (*number >= from_.size()) {
        value = nullptr;
      } else {
        if (place_[*number] == kNone) {
          place_[*number] = arranged_.size();
          arranged_.push_back(std::move(from_[*number]));
        }
        value = detail::make_placeholder(place_[*number]);
      }
    }
  }

  std::vector<Binary> take() { return std::move(arranged_); }

 private:
  static constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();
  std::vector<Binary>& from_;
  std::vector<std::size_t> place_;  // where each one went
  std::vector<Binary> arranged_;
};

}  // namespace

void arrange_attachments(Arguments& arguments) {
  Arranger arranger(arguments.attachments);
  for (json::value& value : arguments.values) arranger.visit(value);
  arguments.attachments = arranger.take();
}

void append_header(std::string& out, PacketType type, std::size_t attachments, std::string_view nsp,
                   std::optional<std::uint64_t> id) {
  out += static_cast<char>('0' + static_cast<int>(type));
  if (attachments != 0) {
    out += std::to_string(attachments);
    out += '-';
  }
  if (nsp != "/") {
    out += nsp;
    out += ',';
  }
  if (id) out += std::to_string(*id);
}

}  // namespace payam::sio
