// The program's log: one line an event, `time level what key=value …` or JSON. Never what people write or search for, nor
// names of files, e-mails, passwords, tokens or queries: people, rooms and messages appear by their ids.
//
//   log::info("session_ended", {{"session", id.str()}, {"reason", "token_reused"}});
#pragma once

#include <concepts>
#include <cstdint>
#include <exception>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "base/clock.hpp"

namespace payam::chat::log {

enum class Level : std::uint8_t { debug, info, warn, error };
enum class Format : std::uint8_t { text, json };

// The view must live until the call has ended.
struct Field {
  Field(std::string_view k, std::string_view v) : key(k), value(v) {}
  Field(std::string_view k, const char* v) : key(k), value(std::string_view(v)) {}
  Field(std::string_view k, const std::string& v) : key(k), value(std::string_view(v)) {}
  Field(std::string_view k, std::integral auto v) : key(k), value(static_cast<std::int64_t>(v)) {}
  Field(std::string_view k, double v) : key(k), value(v) {}

  std::string_view key;
  std::variant<std::string_view, std::int64_t, double> value;
};
using Fields = std::initializer_list<Field>;

// Whether a line of the level would be written; any thread, cheap.
bool enabled(Level level);

// Any thread; does not wait for the disk.
void write(Level level, std::string_view what, std::span<const Field> fields);
inline void write(Level level, std::string_view what, Fields fields) { write(level, what, std::span(fields)); }
inline void debug(std::string_view what, Fields fields) { write(Level::debug, what, fields); }
inline void info(std::string_view what, Fields fields) { write(Level::info, what, fields); }
inline void warn(std::string_view what, Fields fields) { write(Level::warn, what, fields); }
inline void error(std::string_view what, Fields fields) { write(Level::error, what, fields); }

// Milliseconds with their fraction, for a field.
double milliseconds(std::chrono::nanoseconds duration);

// What follows the level in a line of the format.
std::string to_line(Format format, std::string_view what, std::span<const Field> fields);
inline std::string to_line(Format format, std::string_view what, Fields fields) {
  return to_line(format, what, std::span(fields));
}

// Of the lines that write() makes from now on; before the threads start. Default: text.
void set_format(Format format);

}  // namespace payam::chat::log
