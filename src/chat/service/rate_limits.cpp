#include "chat/service/rate_limits.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <string>
#include <vector>

namespace payam::chat {
namespace {

constexpr std::pair<std::string_view, TokenLimit RateLimits::*> kKinds[] = {
    {"logins", &RateLimits::logins}, {"signups", &RateLimits::signups}, {"handshakes", &RateLimits::handshakes},
    {"sends", &RateLimits::sends},   {"joins", &RateLimits::joins},     {"reads", &RateLimits::reads},
    {"typing", &RateLimits::typing}, {"uploads", &RateLimits::uploads}, {"events", &RateLimits::events}};

constexpr std::pair<std::string_view, double> kUnits[] = {{"s", 1}, {"min", 60}, {"h", 3600}};

template <class Table>
auto* find(Table& table, std::string_view name) {
  for (auto& [key, value] : table) {
    if (key == name) return &value;
  }
  return static_cast<decltype(&table[0].second)>(nullptr);
}

// 1 to a million.
std::optional<double> count_of(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 1 || value > 1'000'000) return std::nullopt;
  return value;
}

// "20/s", "5/min:10"
std::optional<TokenLimit> limit_of(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == text.npos) return std::nullopt;
  const auto colon = text.find(':', slash);
  const auto count = count_of(text.substr(0, slash));
  const auto* unit = find(kUnits, text.substr(slash + 1, colon == text.npos ? text.npos : colon - slash - 1));
  const auto burst = colon == text.npos ? count : count_of(text.substr(colon + 1));
  if (!count || unit == nullptr || !burst) return std::nullopt;
  return TokenLimit{.burst = *burst, .per_second = *count / *unit};
}

}  // namespace

Result<std::optional<RateLimits>> parse_rate_limits(std::string_view text) {
  if (text == "on") return RateLimits{};
  if (text == "off") return std::nullopt;
  RateLimits limits;
  for (std::size_t at = 0; at <= text.size();) {
    const auto end = std::min(text.find(',', at), text.size());
    const std::string_view item = text.substr(at, end - at);
    at = end + 1;
    const auto equals = item.find('=');
    const auto* member = find(kKinds, item.substr(0, equals));
    if (equals == item.npos || member == nullptr) {
      std::vector<std::string_view> names;
      for (const auto& [name, kind] : kKinds) names.push_back(name);
      return fail(Errc::invalid,
                  fmt::format("'{}' is not on, off or kind=count/s, where kind is one of: {}", item, fmt::join(names, ", ")));
    }
    const auto limit = limit_of(item.substr(equals + 1));
    if (!limit) return fail(Errc::invalid, fmt::format("'{}' is not like sends=20/s or logins=5/min:10", item));
    limits.*(*member) = *limit;
  }
  return limits;
}

}  // namespace payam::chat
