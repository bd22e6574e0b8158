#include "chat/app/dotenv.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace payam::chat {
namespace {

constexpr std::string_view kSpace = " \t\r";

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(kSpace);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

bool is_name(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

// What follows a closing quote may only be a comment.
bool ends_well(std::string_view rest) {
  rest = trim(rest);
  return rest.empty() || rest.front() == '#';
}

std::optional<std::string> read_value(std::string_view text) {
  if (text.starts_with('\'')) {
    const auto end = text.find('\'', 1);
    if (end == text.npos || !ends_well(text.substr(end + 1))) return std::nullopt;
    return std::string(text.substr(1, end - 1));
  }
  if (text.starts_with('"')) {
    std::string value;
    for (std::size_t i = 1; i < text.size(); ++i) {
      if (text[i] == '"') return ends_well(text.substr(i + 1)) ? std::optional(value) : std::nullopt;
      if (text[i] == '\\' && i + 1 < text.size()) {
        ++i;
        value += text[i] == 'n' ? '\n' : text[i];
      } else {
        value += text[i];
      }
    }
    return std::nullopt;
  }
  auto comment = text.starts_with('#') ? 0 : std::min(text.find(" #"), text.find("\t#"));
  return std::string(trim(text.substr(0, comment)));
}

}  // namespace

Result<std::map<std::string, std::string>> parse_dotenv(std::string_view text) {
  std::map<std::string, std::string> values;
  for (int number = 1; !text.empty(); ++number) {
    const auto end = std::min(text.find('\n'), text.size());
    std::string_view line = trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == '#') continue;
    if (line.starts_with("export ")) line = trim(line.substr(7));
    const auto equals = line.find('=');
    const std::string_view name = trim(line.substr(0, equals));
    if (equals == line.npos || !is_name(name)) return fail(Errc::invalid, fmt::format("line {}: not NAME=value", number));
    auto value = read_value(trim(line.substr(equals + 1)));
    if (!value) return fail(Errc::invalid, fmt::format("line {}: a quote is not closed, or text follows it", number));
    values.insert_or_assign(std::string(name), std::move(*value));
  }
  return values;
}

}  // namespace payam::chat
