#include "http/codec/scalar.hpp"

#include <algorithm>
#include <array>
#include <boost/json/string.hpp>
#include <charconv>
#include <chrono>
#include <cmath>
#include <limits>
#include <optional>

#include "base/utf8.hpp"

namespace payam::http {
namespace {

std::string_view view(const json::string& text) { return {text.data(), text.size()}; }

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n\f\v");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n\f\v") - first + 1);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

enum class Number { ok, malformed, too_large };

// `[+-]digits[.0…]`, single underscores between digits.
Number parse_integer(std::string_view text, std::int64_t& out) {
  text = trim(text);
  if (const auto dot = text.find('.'); dot != std::string_view::npos) {
    const auto fraction = text.substr(dot + 1);
    if (fraction.empty() || fraction.find_first_not_of('0') != std::string_view::npos) return Number::malformed;
    text = text.substr(0, dot);
  }
  std::string digits;
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) {
    if (text[0] == '-') digits += '-';
    text.remove_prefix(1);
  }
  if (text.empty() || !is_digit(text.front()) || !is_digit(text.back())) return Number::malformed;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_digit(text[i])) {
      digits += text[i];
    } else if (text[i] != '_' || !is_digit(text[i + 1])) {
      return Number::malformed;
    }
  }
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), out);
  return result.ec == std::errc{} ? Number::ok : Number::too_large;
}

}  // namespace

bool read_text(Reader& reader, const json::value& input, std::string& out) {
  const auto* text = input.if_string();
  if (text == nullptr) return reader.fault("string_type", "Input should be a valid string", input);
  if (!is_valid_utf8(view(*text))) {
    return reader.fault("string_unicode", "Input should be a valid string, unable to parse raw data as a unicode string",
                        input);
  }
  // Nothing downstream (C strings, SQLite's functions, file names) can be trusted with it.
  if (view(*text).find('\0') != std::string_view::npos) return reader.value_error("NUL is not allowed in text", input);
  out.assign(view(*text));
  return true;
}

bool read_integer(Reader& reader, const json::value& input, std::int64_t& out) {
  constexpr auto kTooLarge = "Unable to parse input string as an integer, exceeded maximum size";
  switch (input.kind()) {
    case json::kind::int64: out = input.get_int64(); return true;
    case json::kind::uint64: return reader.fault("int_parsing_size", kTooLarge, input);  // above the other's range
    case json::kind::bool_: out = input.get_bool() ? 1 : 0; return true;
    case json::kind::double_: {
      const double value = input.get_double();
      if (value != std::floor(value)) {
        return reader.fault("int_from_float", "Input should be a valid integer, got a number with a fractional part", input);
      }
      if (std::abs(value) >= 0x1p63) return reader.fault("int_parsing_size", kTooLarge, input);
      out = static_cast<std::int64_t>(value);
      return true;
    }
    case json::kind::string:
      switch (parse_integer(view(input.get_string()), out)) {
        case Number::ok: return true;
        case Number::too_large: return reader.fault("int_parsing_size", kTooLarge, input);
        case Number::malformed: break;
      }
      return reader.fault("int_parsing", "Input should be a valid integer, unable to parse string as an integer", input);
    default: return reader.fault("int_type", "Input should be a valid integer", input);
  }
}

bool read_number(Reader& reader, const json::value& input, double& out) {
  switch (input.kind()) {
    case json::kind::int64: out = static_cast<double>(input.get_int64()); return true;
    case json::kind::uint64: out = static_cast<double>(input.get_uint64()); return true;
    case json::kind::double_: out = input.get_double(); break;
    case json::kind::bool_: out = input.get_bool() ? 1 : 0; return true;
    case json::kind::string: {
      auto text = trim(view(input.get_string()));
      if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
      const auto result = std::from_chars(text.data(), text.data() + text.size(), out);
      if (result.ec != std::errc{} || result.ptr != text.data() + text.size()) {
        return reader.fault("float_parsing", "Input should be a valid number, unable to parse string as a number", input);
      }
      break;
    }
    default: return reader.fault("float_type", "Input should be a valid number", input);
  }
  if (!std::isfinite(out)) return reader.fault("finite_number", "Input should be a finite number", input);
  return true;
}

bool read_bool(Reader& reader, const json::value& input, bool& out) {
  static constexpr std::array<std::string_view, 6> kTrue{"true", "1", "yes", "on", "t", "y"};
  static constexpr std::array<std::string_view, 6> kFalse{"false", "0", "no", "off", "f", "n"};
  std::optional<bool> value;
  switch (input.kind()) {
    case json::kind::bool_: value = input.get_bool(); break;
    case json::kind::int64:
      if (input.get_int64() == 0 || input.get_int64() == 1) value = input.get_int64() == 1;
      break;
    case json::kind::double_:
      if (input.get_double() != std::floor(input.get_double())) {
        return reader.fault("bool_type", "Input should be a valid boolean", input);
      }
      if (input.get_double() == 0 || input.get_double() == 1) value = input.get_double() == 1;
      break;
    case json::kind::string: {
      std::string word(view(input.get_string()).substr(0, 6));
      std::ranges::transform(word, word.begin(), lower);
      if (std::ranges::count(kTrue, word) > 0) value = true;
      if (std::ranges::count(kFalse, word) > 0) value = false;
      break;
    }
    case json::kind::uint64: break;
    default: return reader.fault("bool_type", "Input should be a valid boolean", input);
  }
  if (!value) {
    return reader.fault("bool_parsing", "Input should be a valid boolean, unable to interpret input", input);
  }
  out = *value;
  return true;
}

namespace {

// A cursor over `2026-11-23T05:52:00.123+03:30`; every step false at the first thing that does not fit.
struct TimeText {
  std::string_view rest;

  bool take(char c) {
    if (!rest.starts_with(c)) return false;
    rest.remove_prefix(1);
    return true;
  }
  bool number(std::size_t digits, int& out) {
    if (rest.size() < digits || !std::ranges::all_of(rest.substr(0, digits), is_digit)) return false;
    out = 0;
    for (const char c : rest.substr(0, digits)) out = out * 10 + (c - '0');
    rest.remove_prefix(digits);
    return true;
  }
  // Up to nine digits; what is finer than a millisecond is dropped.
  bool fraction(int& milliseconds) {
    std::size_t digits = 0;
    while (digits < rest.size() && is_digit(rest[digits])) ++digits;
    if (digits == 0 || digits > 9) return false;
    milliseconds = 0;
    for (std::size_t i = 0; i < 3; ++i) milliseconds = milliseconds * 10 + (i < digits ? rest[i] - '0' : 0);
    rest.remove_prefix(digits);
    return true;
  }
};

// nullptr, or why not.
const char* parse_timestamp(std::string_view text, Timestamp& out) {
  if (text.size() < 10) return "input is too short";
  TimeText at{text};
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, millisecond = 0, offset = 0;
  if (!at.number(4, year) || !at.take('-') || !at.number(2, month) || !at.take('-') || !at.number(2, day)) {
    return "invalid date";
  }
  if (month < 1 || month > 12) return "month value is outside expected range of 1-12";
  const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return "day value is outside expected range";
  if (!at.rest.empty()) {
    if (!at.take('T') && !at.take('t') && !at.take(' ')) return "invalid datetime separator, expected `T`, `t`, `_` or space";
    if (!at.number(2, hour) || !at.take(':') || !at.number(2, minute)) return "invalid time";
    if (at.take(':') && !at.number(2, second)) return "invalid time";
    if (at.take('.') && !at.fraction(millisecond)) return "invalid time";
    if (hour > 23 || minute > 59 || second > 59) return "time value is outside expected range";
    if (!at.take('Z') && !at.take('z') && !at.rest.empty()) {
      const bool west = at.take('-');
      if (!west && !at.take('+')) return "invalid timezone sign";
      int hours = 0, minutes = 0;
      if (!at.number(2, hours)) return "invalid timezone";
      at.take(':');
      if (!at.number(2, minutes) || hours > 23 || minutes > 59) return "invalid timezone";
      offset = (west ? -1 : 1) * (hours * 60 + minutes);
    }
    if (!at.rest.empty()) return "unexpected extra characters at the end of the input";
  }
  out = std::chrono::sys_days{date} + std::chrono::hours{hour} + std::chrono::minutes{minute - offset} +
        std::chrono::seconds{second} + Millis{millisecond};
  return nullptr;
}

}  // namespace

bool read_timestamp(Reader& reader, const json::value& input, Timestamp& out) {
  const auto* text = input.if_string();
  if (text == nullptr) return reader.fault("datetime_type", "Input should be a valid datetime", input);
  if (const char* reason = parse_timestamp(trim(view(*text)), out)) {
    return reader.fault("datetime_from_date_parsing", std::string("Input should be a valid datetime or date, ") + reason, input,
                        {{"error", reason}});
  }
  return true;
}

bool read_name(Reader& reader, const json::value& input, std::span<const std::string_view> names, std::size_t& out) {
  if (const auto* text = input.if_string()) {
    for (out = 0; out < names.size(); ++out) {
      if (names[out] == view(*text)) return true;
    }
  }
  std::string expected;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) expected += i + 1 == names.size() ? " or " : ", ";
    expected += '\'';
    expected += names[i];
    expected += '\'';
  }
  return reader.fault("enum", "Input should be " + expected, input, {{"expected", expected}});
}

namespace {

std::string plural(std::size_t count, std::string_view word) {
  return std::to_string(count) + " " + std::string(word) + (count == 1 ? "" : "s");
}

}  // namespace

bool check_length(Reader& reader, std::string_view text, std::size_t min, std::size_t max, const json::value& input) {
  const auto length = utf8_length(text);
  if (length < min) {
    return reader.fault("string_too_short", "String should have at least " + plural(min, "character"), input,
                        {{"min_length", min}});
  }
  if (length > max) {
    return reader.fault("string_too_long", "String should have at most " + plural(max, "character"), input,
                        {{"max_length", max}});
  }
  return true;
}

bool check_range(Reader& reader, std::int64_t value, std::int64_t min, std::int64_t max, const json::value& input) {
  if (value < min) {
    return reader.fault("greater_than_equal", "Input should be greater than or equal to " + std::to_string(min), input,
                        {{"ge", min}});
  }
  if (value > max) {
    return reader.fault("less_than_equal", "Input should be less than or equal to " + std::to_string(max), input,
                        {{"le", max}});
  }
  return true;
}

bool check_count(Reader& reader, std::string_view what, std::size_t count, std::size_t min, std::size_t max,
                 const json::value& input) {
  const auto refuse = [&](std::string_view type, const char* bound, std::string_view words, std::size_t limit) {
    return reader.fault(type,
                        std::string(what) + " should have " + std::string(words) + " " + plural(limit, "item") +
                            " after validation, not " + std::to_string(count),
                        input, {{"field_type", what}, {bound, limit}, {"actual_length", count}});
  };
  if (count < min) return refuse("too_short", "min_length", "at least", min);
  if (count > max) return refuse("too_long", "max_length", "at most", max);
  return true;
}

namespace {

// The characters of an unquoted local part (RFC 5321 atext, RFC 6531: any beyond ASCII).
bool is_atext(char c) {
  return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') || static_cast<unsigned char>(c) >= 0x80 ||
         std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
}

std::string name_of(char c) { return c == ' ' ? "SPACE." : std::string("'") + c + "'."; }

// Nothing, or why not, in the words of Python's email-validator.
std::optional<std::string> refuse_email(std::string_view email) {
  const auto at = email.find('@');
  if (at == std::string_view::npos) return "An email address must have an @-sign.";
  const auto local = email.substr(0, at), domain = email.substr(at + 1);
  if (local.empty()) return "There must be something before the @-sign.";
  if (domain.empty()) return "There must be something after the @-sign.";
  if (email.size() > 254) return "The email address is too long.";
  if (local.size() > 64) return "The email address is too long before the @-sign.";
  if (local.front() == '"') return "Quoting the part before the @-sign is not allowed here.";
  for (const char c : local) {
    if (c != '.' && !is_atext(c)) return "The email address contains invalid characters before the @-sign: " + name_of(c);
  }
  if (domain.front() == '[') return "A bracketed IP address after the @-sign is not allowed here.";
  for (const char c : domain) {
    if (c != '.' && c != '-' && !is_digit(c) && (lower(c) < 'a' || lower(c) > 'z') && static_cast<unsigned char>(c) < 0x80) {
      return "The part after the @-sign contains invalid characters: " + name_of(c);
    }
  }
  if (local.front() == '.') return "An email address cannot start with a period.";
  if (local.back() == '.') return "An email address cannot have a period immediately before the @-sign.";
  if (domain.front() == '.') return "An email address cannot have a period immediately after the @-sign.";
  if (domain.back() == '.') return "An email address cannot end with a period.";
  if (email.find("..") != std::string_view::npos) return "An email address cannot have two periods in a row.";
  if (domain.find('.') == std::string_view::npos) {
    return "The part after the @-sign is not valid. It should have a period.";
  }
  for (auto rest = domain; !rest.empty();) {
    const auto label = rest.substr(0, rest.find('.'));
    rest = label.size() == rest.size() ? std::string_view{} : rest.substr(label.size() + 1);
    if (label.front() == '-' || label.back() == '-') return "The part after the @-sign has a hyphen beside a period.";
    if (label.size() > 63) return "After the @-sign, periods cannot be separated by so many characters.";
    if (rest.empty() && std::ranges::all_of(label, is_digit)) {
      return "The part after the @-sign is not valid. It is not within a valid top-level domain.";
    }
  }
  return std::nullopt;
}

}  // namespace

bool check_email(Reader& reader, std::string& text, const json::value& input) {
  text = std::string(trim(text));
  if (const auto reason = refuse_email(text)) {
    return reader.fault("value_error", "value is not a valid email address: " + *reason, input, {{"reason", *reason}});
  }
  std::ranges::transform(text, text.begin(), lower);
  return true;
}

}  // namespace payam::http
