#include "chat/service/rate_limits.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <string>
#include <vector>

namespace payam::chat {
namespace {

constexpr std::pair<std::string_view, TokenLimit RateLimits::*> kKinds[] = {
    {"logins", &RateLimits::logins},         {"signups", &RateLimits::signups},     {"checks", &RateLimits::checks},
    {"handshakes", &RateLimits::handshakes}, {"sends", &RateLimits::sends},         {"joins", &RateLimits::joins},
    {"reads", &RateLimits::reads},           {"typing", &RateLimits::typing},       {"uploads", &RateLimits::uploads},
    {"downloads", &RateLimits::downloads},   {"lists", &RateLimits::lists},         {"people", &RateLimits::people},
    {"profile", &RateLimits::profile},       {"strangers", &RateLimits::strangers}, {"events", &RateLimits::events}};

constexpr std::pair<std::string_view, double> kUnits[] = {{"s", 1}, {"min", 60}, {"h", 3600}};

// What an address may hold at once, or a user where users only do.
struct Holding {
  HoldingLimits::Bounds HoldingLimits::* bounds;
  std::uint64_t Budget::Bounds::* whose;
};
constexpr std::pair<std::string_view, Holding> kHoldings[] = {
    {"connections", {&HoldingLimits::connections, &Budget::Bounds::address}},
    {"body_bytes", {&HoldingLimits::bodies, &Budget::Bounds::address}},
    {"reply_bytes", {&HoldingLimits::replies, &Budget::Bounds::address}},
    {"attachment_bytes", {&HoldingLimits::attachments, &Budget::Bounds::address}},
    {"passwords", {&HoldingLimits::passwords, &Budget::Bounds::address}},
    {"reads_at_once", {&HoldingLimits::reads, &Budget::Bounds::user}},
    {"searches", {&HoldingLimits::searches, &Budget::Bounds::user}},
    {"uploads_at_once", {&HoldingLimits::uploads, &Budget::Bounds::user}}};

constexpr std::pair<std::string_view, double> kSizes[] = {{"", 1}, {"K", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}};

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

// "500", "16M"
std::optional<std::uint64_t> amount_of(std::string_view text) {
  const auto digits = text.substr(0, text.find_first_not_of("0123456789"));
  const auto count = count_of(digits);
  const auto* size = find(kSizes, text.substr(digits.size()));
  if (!count || size == nullptr) return std::nullopt;
  return static_cast<std::uint64_t>(*count * *size);
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

Result<CallerLimits> parse_caller_limits(std::string_view text) {
  CallerLimits limits;
  if (text == "on") return limits;
  if (text == "off") return CallerLimits{.rates = std::nullopt, .holding = limits.holding.totals_only()};
  for (std::size_t at = 0; at <= text.size();) {
    const auto end = std::min(text.find(',', at), text.size());
    const std::string_view item = text.substr(at, end - at);
    at = end + 1;
    const auto equals = item.find('=');
    const std::string_view name = item.substr(0, equals);
    const std::string_view value = equals == item.npos ? std::string_view() : item.substr(equals + 1);
    if (const auto* rate = find(kKinds, name); rate != nullptr && equals != item.npos) {
      const auto limit = limit_of(value);
      if (!limit) return fail(Errc::invalid, fmt::format("'{}' is not like sends=20/s or logins=5/min:10", item));
      (*limits.rates).*(*rate) = *limit;
    } else if (const auto* holding = find(kHoldings, name); holding != nullptr && equals != item.npos) {
      const auto amount = amount_of(value);
      if (!amount) return fail(Errc::invalid, fmt::format("'{}' is not like connections=500 or body_bytes=16M", item));
      (limits.holding.*(holding->bounds)).*(holding->whose) = *amount;
    } else {
      std::vector<std::string_view> rates, holdings;
      for (const auto& [known, kind] : kKinds) rates.push_back(known);
      for (const auto& [known, kind] : kHoldings) holdings.push_back(known);
      return fail(Errc::invalid, fmt::format("'{}' is not on, off, kind=count/s with one of: {}; or kind=count with one of: {}",
                                             item, fmt::join(rates, ", "), fmt::join(holdings, ", ")));
    }
  }
  return limits;
}

}  // namespace payam::chat
