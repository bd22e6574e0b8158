#include "chat/migrate/loose.hpp"

#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/ulid.hpp"
#include "base/utf8.hpp"

namespace payam::chat::migrate {
namespace {

using mongo::Field;
using mongo::Kind;
using mongo::View;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Exactly `length` digits at the beginning of `text`, which loses them.
std::optional<int> take_digits(std::string_view& text, std::size_t length) {
  int value = 0;
  if (text.size() < length || !std::ranges::all_of(text.substr(0, length), is_digit)) return std::nullopt;
  std::from_chars(text.data(), text.data() + length, value);
  text.remove_prefix(length);
  return value;
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

// What stands behind the time: nullopt if it is no zone.
std::optional<std::chrono::minutes> take_zone(std::string_view text) {
  if (text.empty() || text == "Z" || text == "z") return std::chrono::minutes(0);
  const int sign = text.front() == '-' ? -1 : 1;
  if (text.front() != '+' && text.front() != '-') return std::nullopt;
  text.remove_prefix(1);
  const auto hours = take_digits(text, 2);
  take(text, ':');
  const auto minutes = text.empty() ? std::optional(0) : take_digits(text, 2);
  if (!hours || !minutes || !text.empty()) return std::nullopt;
  return std::chrono::minutes(sign * (*hours * 60 + *minutes));
}

}  // namespace

std::optional<Field> find_any(View document, Names names) {
  for (const std::string_view name : names) {
    if (const auto field = document.find(name); field && field->kind() != Kind::null) return field;
  }
  return std::nullopt;
}

std::optional<std::string> text_of(const Field& field) {
  std::string text;
  switch (field.kind()) {
    case Kind::string: text = *field.read<std::string>(); break;
    case Kind::object_id: text = field.read<mongo::ObjectId>()->hex(); break;
    case Kind::integer: text = std::to_string(*field.read<std::int64_t>()); break;
    default: return std::nullopt;
  }
  const bool usable = !text.empty() && is_valid_utf8(text) && text.find('\0') == text.npos;
  return usable ? std::optional(std::move(text)) : std::nullopt;
}

std::optional<std::string> text_of(View document, Names names) {
  const auto field = find_any(document, names);
  return field ? text_of(*field) : std::nullopt;
}

std::optional<Timestamp> parse_loose_time(std::string_view text) {
  const auto year = take_digits(text, 4);
  if (!year || !take(text, '-')) return std::nullopt;
  const auto month = take_digits(text, 2);
  if (!month || !take(text, '-')) return std::nullopt;
  const auto day = take_digits(text, 2);
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(month.value_or(0))),
                                         std::chrono::day(static_cast<unsigned>(day.value_or(0)))};
  if (!day || !date.ok()) return std::nullopt;
  Timestamp time{std::chrono::sys_days(date)};
  if (text.empty()) return time;
  if (!take(text, 'T') && !take(text, 't') && !take(text, ' ')) return std::nullopt;
  const auto hour = take_digits(text, 2);
  if (!hour || !take(text, ':')) return std::nullopt;
  const auto minute = take_digits(text, 2);
  int second = 0, millis = 0;
  if (take(text, ':')) {
    const auto digits = take_digits(text, 2);
    if (!digits) return std::nullopt;
    second = *digits;
    if (take(text, '.') || take(text, ',')) {
      int place = 100;
      for (; !text.empty() && is_digit(text.front()); text.remove_prefix(1), place /= 10)
        millis += place * (text.front() - '0');
    }
  }
  const auto zone = take_zone(text);
  if (!minute || !zone || *hour > 23 || *minute > 59 || second > 60) return std::nullopt;
  return time + std::chrono::hours(*hour) + std::chrono::minutes(*minute) + std::chrono::seconds(second) + Millis(millis) -
         *zone;
}

std::optional<Timestamp> time_of(const Field& field) {
  constexpr double kMillisFrom = 1e11;  // as seconds that is the year 5138
  switch (field.kind()) {
    case Kind::date: return field.read<Timestamp>();
    case Kind::string: return parse_loose_time(*field.read<std::string_view>());
    case Kind::integer:
    case Kind::real: {
      const double number =
          field.kind() == Kind::real ? *field.read<double>() : static_cast<double>(*field.read<std::int64_t>());
      if (!std::isfinite(number) || number < 0 || number > 1e14) return std::nullopt;
      return Timestamp(Millis(std::llround(number < kMillisFrom ? number * 1000 : number)));
    }
    default: return std::nullopt;
  }
}

std::optional<Timestamp> time_of(View document, Names names) {
  for (const std::string_view name : names) {
    const auto field = document.find(name);
    if (const auto time = field ? time_of(*field) : std::nullopt) return time;
  }
  return std::nullopt;
}

std::optional<Timestamp> made_at(View document) {
  if (document.kind("_id") != Kind::object_id) return std::nullopt;
  const auto id = document.get<mongo::ObjectId>("_id");
  std::int64_t seconds = 0;
  for (std::size_t i = 0; i < 4; ++i) seconds = seconds << 8 | id.bytes[i];
  return Timestamp(std::chrono::seconds(seconds));
}

std::optional<std::string> email_of(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  const auto at = text.find('@');
  if (at == 0 || at == text.npos || at + 1 == text.size() ||
      text.find_first_of(std::string_view(" \t\r\n\0", 5)) != text.npos) {
    return std::nullopt;
  }
  std::string email(text);
  for (char& c : email) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return email;
}

std::string derived_id(Timestamp at, std::string_view kind, std::string_view source, std::uint32_t number) {
  std::string text(kind);
  text += '\0';
  text += source;
  std::array<unsigned char, SHA256_DIGEST_LENGTH> hash;
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), hash.data());
  UlidEntropy entropy;
  for (std::size_t i = 0; i < 4; ++i) entropy[i] = static_cast<unsigned char>(number >> (24 - 8 * i));
  std::copy_n(hash.begin(), entropy.size() - 4, entropy.begin() + 4);
  return make_ulid(std::max(at, Timestamp{}), entropy);
}

}  // namespace payam::chat::migrate
