#include "socketio/json_text.hpp"

#include <algorithm>
#include <array>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "base/json_string.hpp"
#include "base/utf8.hpp"

namespace payam::sio {
namespace {

namespace json = boost::json;
using json::error_code;

// Builds the value. Boost.JSON's own handler takes doubles that may be off by one bit; this one reads their text again.
struct Handler {
  static constexpr std::size_t max_object_size = json::object::max_size();
  static constexpr std::size_t max_array_size = json::array::max_size();
  static constexpr std::size_t max_key_size = json::string::max_size();
  static constexpr std::size_t max_string_size = json::string::max_size();

  json::value_stack stack;
  ObjectBounds bounds;
  std::string number;
  std::size_t depth = 0;
  std::size_t elements = 0;  // strings, numbers and so on met so far
  std::string first;
  bool first_is_string = false;

  void start(std::size_t max_members) {
    stack.reset();
    bounds.restart(max_members);
    number.clear();
    depth = elements = 0;
    first.clear();
    first_is_string = false;
  }
  void count() { ++elements; }

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code&) {
    ++depth;
    count();
    bounds.begin();
    return true;
  }
  bool on_object_end(std::size_t n, error_code&) {
    --depth;
    bounds.end();
    stack.push_object(n);
    return true;
  }
  bool on_array_begin(error_code&) {
    if (depth++ != 0) count();
    return true;
  }
  bool on_array_end(std::size_t n, error_code&) {
    --depth;
    stack.push_array(n);
    return true;
  }
  bool on_key_part(json::string_view part, std::size_t, error_code&) {
    stack.push_chars(part);
    return true;
  }
  bool on_key(json::string_view part, std::size_t, error_code& error) {
    if (!bounds.member()) {
      error = json::error::object_too_large;
      return false;
    }
    stack.push_key(part);
    return true;
  }
  bool on_string_part(json::string_view part, std::size_t, error_code&) {
    if (depth == 1 && elements == 0) first.append(part);
    stack.push_chars(part);
    return true;
  }
  bool on_string(json::string_view part, std::size_t, error_code&) {
    if (depth == 1 && elements == 0) {
      first.append(part);
      first_is_string = true;
    }
    count();
    stack.push_string(part);
    return true;
  }
  bool on_number_part(json::string_view part, error_code&) {
    number.append(part);
    return true;
  }
  bool on_int64(std::int64_t value, json::string_view, error_code&) {
    count();
    number.clear();
    stack.push_int64(value);
    return true;
  }
  bool on_uint64(std::uint64_t value, json::string_view, error_code&) {
    count();
    number.clear();
    stack.push_uint64(value);
    return true;
  }
  bool on_double(double, json::string_view part, error_code&) {
    count();
    number.append(part);
    double value = 0;
    const auto read = std::from_chars(number.data(), number.data() + number.size(), value);
    if (read.ec == std::errc::result_out_of_range) {
      // As JavaScript: too small is zero, too large infinite.
      value = std::strtod(number.c_str(), nullptr);
    }
    number.clear();
    stack.push_double(value);
    return true;
  }
  bool on_bool(bool value, error_code&) {
    count();
    stack.push_bool(value);
    return true;
  }
  bool on_null(error_code&) {
    count();
    stack.push_null();
    return true;
  }
  bool on_comment_part(json::string_view, error_code&) { return true; }
  bool on_comment(json::string_view, error_code&) { return true; }
};

json::parse_options options() {
  json::parse_options out;
  out.max_depth = kMaxJsonDepth;
  out.allow_invalid_utf8 = true;  // looked at before, on its own
  return out;
}

bool parse(std::string_view text, std::size_t max_members, json::value& out, std::string& first_string, error_code& error) {
  thread_local json::basic_parser<Handler> parser(options());
  Handler& handler = parser.handler();
  handler.start(max_members);
  parser.reset();
  const std::size_t used = parser.write_some(false, text.data(), text.size(), error);
  if (!error && used < text.size()) error = json::error::extra_data;
  if (handler.first_is_string) first_string = handler.first;
  if (!error) out = handler.stack.release();
  return !error;
}

// The code unit of the escape `\uXXXX` at `at`.
std::optional<unsigned> escaped_unit(std::string_view text, std::size_t at) {
  if (at + 6 > text.size() || text[at] != '\\' || text[at + 1] != 'u') return std::nullopt;
  unsigned unit = 0;
  const char* end = text.data() + at + 6;
  const auto read = std::from_chars(text.data() + at + 2, end, unit, 16);
  if (read.ec != std::errc{} || read.ptr != end) return std::nullopt;
  return unit;
}

bool is_leading(unsigned unit) { return unit >= 0xd800 && unit < 0xdc00; }
bool is_trailing(unsigned unit) { return unit >= 0xdc00 && unit < 0xe000; }

// The text with escapes of lone surrogates replaced by U+FFFD; nullopt if there are none.
std::optional<std::string> without_lone_surrogates(std::string_view text) {
  std::string out;
  bool found = false;
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] != '\\') {
      out += text[i++];
      continue;
    }
    const auto unit = escaped_unit(text, i);
    if (!unit) {
      out += text.substr(i, 2);  // another escape, `\\` among them
      i += 2;
    } else if (is_leading(*unit) && is_trailing(escaped_unit(text, i + 6).value_or(0))) {
      out += text.substr(i, 12);
      i += 12;
    } else if (is_leading(*unit) || is_trailing(*unit)) {
      out += "\\ufffd";
      found = true;
      i += 6;
    } else {
      out += text.substr(i, 6);
      i += 6;
    }
  }
  return found ? std::optional(std::move(out)) : std::nullopt;
}

void write_number(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  if (value == 0) {
    out += '0';
    return;
  }
  // The shortest digits that read back, as d.ddde±xx; then laid out by ECMA-262's Number::toString.
  std::array<char, 32> buffer;
  const auto written = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::scientific);
  std::string_view text(buffer.data(), static_cast<std::size_t>(written.ptr - buffer.data()));
  if (text.starts_with('-')) {
    out += '-';
    text.remove_prefix(1);
  }
  const std::size_t mark = text.find('e');
  int exponent = 0;
  const char* exponent_start = text.data() + mark + (text[mark + 1] == '+' ? 2 : 1);
  std::from_chars(exponent_start, text.data() + text.size(), exponent);
  std::string digits(1, text[0]);
  if (mark > 1) digits += text.substr(2, mark - 2);

  const int before_point = exponent + 1;
  const int count = static_cast<int>(digits.size());
  if (before_point >= count && before_point <= 21) {
    out += digits;
    out.append(static_cast<std::size_t>(before_point - count), '0');
  } else if (before_point > 0 && before_point <= 21) {
    out += digits.insert(static_cast<std::size_t>(before_point), 1, '.');
  } else if (before_point > -6 && before_point <= 0) {
    out += "0.";
    out.append(static_cast<std::size_t>(-before_point), '0');
    out += digits;
  } else {
    if (count > 1) digits.insert(1, 1, '.');
    out += digits;
    out += exponent < 0 ? "e-" : "e+";
    out += std::to_string(std::abs(exponent));
  }
}

}  // namespace

std::string_view to_string(JsonStatus status) {
  switch (status) {
    case JsonStatus::ok: return "ok";
    case JsonStatus::malformed: return "malformed JSON";
    case JsonStatus::lone_surrogate: return "a lone surrogate in a string";
    case JsonStatus::invalid_utf8: return "invalid UTF-8";
    case JsonStatus::too_deep: return "nested too deep";
    case JsonStatus::too_many_members: return "too many members in an object";
  }
  return "";
}

JsonStatus read_json(std::string_view text, json::value& out, std::string& first_string, std::size_t max_members) {
  error_code error;
  const bool valid = is_valid_utf8(text);
  if (parse(text, max_members, out, first_string, error)) return valid ? JsonStatus::ok : JsonStatus::invalid_utf8;
  if (error == json::error::too_deep) return JsonStatus::too_deep;
  if (error == json::error::object_too_large) return JsonStatus::too_many_members;
  if (const auto mended = without_lone_surrogates(text)) {
    error.clear();
    if (parse(*mended, max_members, out, first_string, error)) return JsonStatus::lone_surrogate;
    if (error == json::error::too_deep) return JsonStatus::too_deep;
    if (error == json::error::object_too_large) return JsonStatus::too_many_members;
  }
  return JsonStatus::malformed;
}

void write_json_elements(std::string& out, const json::array& values) {
  bool first = true;
  for (const json::value& value : values) {
    if (!first) out += ',';
    first = false;
    write_json(out, value);
  }
}

void write_json(std::string& out, const json::value& value) {
  switch (value.kind()) {
    case json::kind::null: out += "null"; return;
    case json::kind::bool_: out += value.get_bool() ? "true" : "false"; return;
    case json::kind::int64: out += std::to_string(value.get_int64()); return;
    case json::kind::uint64: out += std::to_string(value.get_uint64()); return;
    case json::kind::double_: write_number(out, value.get_double()); return;
    case json::kind::string: append_json_string(out, value.get_string()); return;
    case json::kind::array:
      out += '[';
      write_json_elements(out, value.get_array());
      out += ']';
      return;
    case json::kind::object: {
      out += '{';
      bool first = true;
      for (const auto& field : value.get_object()) {
        if (!first) out += ',';
        first = false;
        append_json_string(out, field.key());
        out += ':';
        write_json(out, field.value());
      }
      out += '}';
      return;
    }
  }
}

}  // namespace payam::sio
