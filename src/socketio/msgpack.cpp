#include "socketio/msgpack.hpp"

#include <bit>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value_stack.hpp>
#include <cstdint>
#include <limits>
#include <utility>

#include "base/clock.hpp"
#include "base/utf8.hpp"
#include "socketio/json_text.hpp"

namespace payam::sio {
namespace {

namespace json = boost::json;

// The dates ISO 8601 has four digits for, in milliseconds.
constexpr std::int64_t kYear0 = -62'167'219'200'000;
constexpr std::int64_t kYear10000 = 253'402'300'800'000;

// Values are pushed on a stack, of which arrays and maps take what is theirs.
class Input {
 public:
  Input(std::string_view bytes, const PacketLimits& limits, std::vector<Binary>& attachments)
      : rest_(bytes), max_attachments_(limits.attachments), bounds_(limits.object_members), attachments_(attachments) {}

  std::optional<json::value> document() {
    if (!value(0) || !rest_.empty()) return std::nullopt;
    json::value whole = stack_.release();
    // Beside attachments a map that looks like a placeholder would stand for one of them, again and again; else it is a map.
    if (attachments_.empty()) return whole;
    const auto placeholders = count_placeholders(whole, attachments_.size());
    return placeholders && *placeholders <= attachments_.size() ? std::optional(std::move(whole)) : std::nullopt;
  }

 private:
  using Length = std::optional<std::uint64_t>;

  bool value(std::size_t depth) {
    const auto tag = unsigned_number(1);
    if (!tag || depth > kMaxJsonDepth) return false;
    const auto byte = static_cast<unsigned>(*tag);
    if (byte < 0x80) return whole_number(static_cast<std::int64_t>(byte));
    if (byte < 0x90) return map(byte & 0x0f, depth);
    if (byte < 0xa0) return array(byte & 0x0f, depth);
    if (byte < 0xc0) return string(byte & 0x1f);
    if (byte >= 0xe0) return whole_number(static_cast<std::int64_t>(byte) - 256);
    switch (byte) {
      case 0xc0: return null();
      case 0xc2: return boolean(false);
      case 0xc3: return boolean(true);
      case 0xc4: return binary(unsigned_number(1));
      case 0xc5: return binary(unsigned_number(2));
      case 0xc6: return binary(unsigned_number(4));
      case 0xc7: return extension(unsigned_number(1), false);
      case 0xc8: return extension(unsigned_number(2), false);
      case 0xc9: return extension(unsigned_number(4), false);
      case 0xca: return real32();
      case 0xcb: return real64();
      case 0xcc: return plain(unsigned_number(1));
      case 0xcd: return plain(unsigned_number(2));
      case 0xce: return plain(unsigned_number(4));
      case 0xcf: return plain(unsigned_number(8));
      case 0xd0: return signed_number<std::int8_t>();
      case 0xd1: return signed_number<std::int16_t>();
      case 0xd2: return signed_number<std::int32_t>();
      case 0xd3: return signed_number<std::int64_t>();
      case 0xd4: return extension(1, true);
      case 0xd5: return extension(2, true);
      case 0xd6: return extension(4, true);
      case 0xd7: return extension(8, true);
      case 0xd8: return extension(16, true);
      case 0xd9: return string(unsigned_number(1));
      case 0xda: return string(unsigned_number(2));
      case 0xdb: return string(unsigned_number(4));
      case 0xdc: return array(unsigned_number(2), depth);
      case 0xdd: return array(unsigned_number(4), depth);
      case 0xde: return map(unsigned_number(2), depth);
      case 0xdf: return map(unsigned_number(4), depth);
      default: return false;  // 0xc1 is never used
    }
  }

  std::optional<std::string_view> take(Length length) {
    if (!length || *length > rest_.size()) return std::nullopt;
    const std::string_view taken = rest_.substr(0, *length);
    rest_.remove_prefix(*length);
    return taken;
  }

  Length unsigned_number(std::size_t bytes) {
    const auto taken = take(bytes);
    if (!taken) return std::nullopt;
    std::uint64_t number = 0;
    for (const char byte : *taken) number = number << 8 | static_cast<unsigned char>(byte);
    return number;
  }

  bool null() {
    stack_.push_null();
    return true;
  }

  bool boolean(bool value) {
    stack_.push_bool(value);
    return true;
  }

  bool whole_number(std::int64_t number) {
    stack_.push_int64(number);
    return true;
  }

  template <class T>
  bool signed_number() {
    const auto bits = unsigned_number(sizeof(T));
    return bits && whole_number(static_cast<T>(*bits));
  }

  bool plain(Length number) {
    if (!number) return false;
    if (std::in_range<std::int64_t>(*number)) return whole_number(static_cast<std::int64_t>(*number));
    stack_.push_uint64(*number);
    return true;
  }

  bool real(double number) {
    stack_.push_double(number);
    return true;
  }

  bool real32() {
    const auto bits = unsigned_number(4);
    return bits && real(static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(*bits))));
  }

  bool real64() {
    const auto bits = unsigned_number(8);
    return bits && real(std::bit_cast<double>(*bits));
  }

  std::optional<std::string_view> text(Length length) {
    const auto taken = take(length);
    return taken && is_valid_utf8(*taken) ? taken : std::nullopt;
  }

  bool string(Length length) {
    const auto taken = text(length);
    if (taken) stack_.push_string(*taken);
    return taken.has_value();
  }

  bool binary(Length length) {
    const auto taken = take(length);
    if (!taken || attachments_.size() >= max_attachments_) return false;
    stack_.push_key("_placeholder");
    stack_.push_bool(true);
    stack_.push_key("num");
    stack_.push_uint64(attachments_.size());
    stack_.push_object(2);
    attachments_.push_back(Binary{std::string(*taken)});
    return true;
  }

  // notepack.io's type 0: an ArrayBuffer when the length is variable, a Date when it is 8, `undefined` when it is 1. Nobody
  // knows the meaning of other types.
  bool extension(Length length, bool fixed) {
    const auto type = unsigned_number(1);
    if (!length || !type) return false;
    if (*type == 0 && !fixed) return binary(length);
    if (*type != 0 || *length != 8) return take(length) && null();
    const auto millis = unsigned_number(8);
    if (!millis) return false;
    const auto signed_millis = static_cast<std::int64_t>(*millis);
    if (signed_millis < kYear0 || signed_millis >= kYear10000) return null();
    stack_.push_string(to_iso8601(Timestamp(Millis(signed_millis))));
    return true;
  }

  // A claimed length is believed no further than the bytes that are there: each element takes one at least.
  bool array(Length length, std::size_t depth) {
    if (!length || *length > rest_.size()) return false;
    for (std::uint64_t i = 0; i < *length; ++i) {
      if (!value(depth + 1)) return false;
    }
    stack_.push_array(*length);
    return true;
  }

  bool map(Length length, std::size_t depth) {
    if (!length || *length > rest_.size() / 2) return false;
    bounds_.begin();
    for (std::uint64_t i = 0; i < *length; ++i) {
      if (!bounds_.member() || !key() || !value(depth + 1)) return false;
    }
    bounds_.end();
    stack_.push_object(*length);
    return true;
  }

  // A string.
  bool key() {
    const auto tag = unsigned_number(1);
    if (!tag) return false;
    const auto byte = static_cast<unsigned>(*tag);
    Length length;
    if (byte >= 0xa0 && byte < 0xc0) length = byte & 0x1f;
    if (byte >= 0xd9 && byte <= 0xdb) length = unsigned_number(std::size_t{1} << (byte - 0xd9));
    const auto name = text(length);
    if (name) stack_.push_key(*name);
    return name.has_value();
  }

  std::string_view rest_;
  const std::size_t max_attachments_;
  ObjectBounds bounds_;
  std::vector<Binary>& attachments_;
  json::value_stack stack_;
};

void put(std::string& out, std::uint64_t number, unsigned bytes) {
  for (unsigned i = bytes; i-- > 0;) out += static_cast<char>(number >> (8 * i));
}

void put_tagged(std::string& out, unsigned char tag, std::uint64_t number, unsigned bytes) {
  out += static_cast<char>(tag);
  put(out, number, bytes);
}

void put_double(std::string& out, double value) { put_tagged(out, 0xcb, std::bit_cast<std::uint64_t>(value), 8); }

void put_unsigned(std::string& out, std::uint64_t number) {
  if (number < 0x80) {
    put(out, number, 1);
  } else if (number <= 0xff) {
    put_tagged(out, 0xcc, number, 1);
  } else if (number <= 0xffff) {
    put_tagged(out, 0xcd, number, 2);
  } else if (number <= 0xffff'ffff) {
    put_tagged(out, 0xce, number, 4);
  } else {
    put_tagged(out, 0xcf, number, 8);
  }
}

void put_signed(std::string& out, std::int64_t number) {
  const auto bits = static_cast<std::uint64_t>(number);
  if (number >= 0) {
    put_unsigned(out, bits);
  } else if (number >= -32) {
    put(out, bits, 1);
  } else if (number >= std::numeric_limits<std::int8_t>::min()) {
    put_tagged(out, 0xd0, bits, 1);
  } else if (number >= std::numeric_limits<std::int16_t>::min()) {
    put_tagged(out, 0xd1, bits, 2);
  } else if (number >= std::numeric_limits<std::int32_t>::min()) {
    put_tagged(out, 0xd2, bits, 4);
  } else {
    put_tagged(out, 0xd3, bits, 8);
  }
}

void put_binary(std::string& out, std::string_view bytes) {
  if (bytes.size() <= 0xff) {
    put_tagged(out, 0xc4, bytes.size(), 1);
  } else if (bytes.size() <= 0xffff) {
    put_tagged(out, 0xc5, bytes.size(), 2);
  } else {
    put_tagged(out, 0xc6, bytes.size(), 4);
  }
  out += bytes;
}

}  // namespace

std::optional<json::value> read_msgpack(std::string_view bytes, const PacketLimits& limits, std::vector<Binary>& attachments) {
  return Input(bytes, limits, attachments).document();
}

void write_msgpack_string(std::string& out, std::string_view text) {
  if (text.size() < 32) {
    put(out, 0xa0 | text.size(), 1);
  } else if (text.size() <= 0xff) {
    put_tagged(out, 0xd9, text.size(), 1);
  } else if (text.size() <= 0xffff) {
    put_tagged(out, 0xda, text.size(), 2);
  } else {
    put_tagged(out, 0xdb, text.size(), 4);
  }
  out += text;
}

void write_msgpack_map_header(std::string& out, std::size_t fields) {
  if (fields < 16) {
    put(out, 0x80 | fields, 1);
  } else if (fields <= 0xffff) {
    put_tagged(out, 0xde, fields, 2);
  } else {
    put_tagged(out, 0xdf, fields, 4);
  }
}

void write_msgpack_array_header(std::string& out, std::size_t elements) {
  if (elements < 16) {
    put(out, 0x90 | elements, 1);
  } else if (elements <= 0xffff) {
    put_tagged(out, 0xdc, elements, 2);
  } else {
    put_tagged(out, 0xdd, elements, 4);
  }
}

void write_msgpack(std::string& out, const json::value& value, std::span<const Binary> attachments) {
  switch (value.kind()) {
    case json::kind::null: put(out, 0xc0, 1); return;
    case json::kind::bool_: put(out, value.get_bool() ? 0xc3 : 0xc2, 1); return;
    case json::kind::int64: put_signed(out, value.get_int64()); return;
    case json::kind::uint64: put_unsigned(out, value.get_uint64()); return;
    case json::kind::double_: put_double(out, value.get_double()); return;
    case json::kind::string: write_msgpack_string(out, value.get_string()); return;
    case json::kind::array:
      write_msgpack_array_header(out, value.get_array().size());
      for (const json::value& element : value.get_array()) write_msgpack(out, element, attachments);
      return;
    case json::kind::object:
      if (!attachments.empty()) {
        const auto number = detail::placeholder_number(value);
        if (number && *number < attachments.size()) {
          put_binary(out, attachments[*number].bytes);
          return;
        }
      }
      write_msgpack_map_header(out, value.get_object().size());
      for (const auto& field : value.get_object()) {
        write_msgpack_string(out, field.key());
        write_msgpack(out, field.value(), attachments);
      }
      return;
  }
}

}  // namespace payam::sio
