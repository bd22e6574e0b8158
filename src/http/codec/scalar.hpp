// Reading single values as Pydantic's lax mode does: `"7"` is an integer, `"yes"` a boolean; queries and forms need no
// second set of rules. Each adds a fault and returns false if the input does not fit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "http/codec/fault.hpp"

namespace payam::http {

bool read_text(Reader& reader, const json::value& input, std::string& out);
bool read_integer(Reader& reader, const json::value& input, std::int64_t& out);
bool read_number(Reader& reader, const json::value& input, double& out);
bool read_bool(Reader& reader, const json::value& input, bool& out);
// ISO 8601; without a zone it is UTC.
bool read_timestamp(Reader& reader, const json::value& input, Timestamp& out);
// The index of the name.
bool read_name(Reader& reader, const json::value& input, std::span<const std::string_view> names, std::size_t& out);

bool check_length(Reader& reader, std::string_view text, std::size_t min, std::size_t max, const json::value& input);
bool check_range(Reader& reader, std::int64_t value, std::int64_t min, std::int64_t max, const json::value& input);
// `what` is "List" or "Dictionary".
bool check_count(Reader& reader, std::string_view what, std::size_t count, std::size_t min, std::size_t max,
                 const json::value& input);
// Trims and lower-cases `text`. The address part of RFC 5321 without quoting and address literals, UTF-8 allowed.
bool check_email(Reader& reader, std::string& text, const json::value& input);

}  // namespace payam::http
