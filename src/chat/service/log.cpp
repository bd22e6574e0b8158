#include "chat/service/log.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <string>

namespace payam::chat::log {
namespace {

Format format_of_lines = Format::text;

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::debug: return spdlog::level::debug;
    case Level::info: return spdlog::level::info;
    case Level::warn: return spdlog::level::warn;
    case Level::error: return spdlog::level::err;
  }
  return spdlog::level::info;
}

std::string quoted(std::string_view text) { return boost::json::serialize(boost::json::string_view(text.data(), text.size())); }

// As it is if a reader can tell where it ends.
bool needs_quotes(std::string_view text) {
  return text.empty() || std::ranges::any_of(text, [](char c) {
           return static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '=' || c == '\\' || c == '\x7f';
         });
}

std::string value_text(const Field& field, Format format) {
  if (const auto* text = std::get_if<std::string_view>(&field.value)) {
    return format == Format::json || needs_quotes(*text) ? quoted(*text) : std::string(*text);
  }
  if (const auto* number = std::get_if<double>(&field.value)) return fmt::format("{:.3f}", *number);
  return fmt::format("{}", std::get<std::int64_t>(field.value));
}

}  // namespace

void set_format(Format format) { format_of_lines = format; }

bool enabled(Level level) { return spdlog::should_log(to_spdlog(level)); }

double milliseconds(std::chrono::nanoseconds duration) { return std::chrono::duration<double, std::milli>(duration).count(); }

std::string to_line(Format format, std::string_view what, std::span<const Field> fields) {
  std::string line = format == Format::json ? R"("what":)" + quoted(what) : std::string(what);
  for (const Field& field : fields) {
    if (format == Format::json) {
      line += ',' + quoted(field.key) + ':' + value_text(field, format);
    } else {
      line.append(" ").append(field.key).append("=").append(value_text(field, format));
    }
  }
  return line;
}

void write(Level level, std::string_view what, std::span<const Field> fields) {
  if (!enabled(level)) return;
  spdlog::log(to_spdlog(level), "{}", to_line(format_of_lines, what, fields));
}

}  // namespace payam::chat::log
