// Time. Pure code takes `now` as a parameter; only I/O code asks these.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace payam {

using Millis = std::chrono::milliseconds;
using SteadyTime = std::chrono::steady_clock::time_point;                      // for time-outs
using Timestamp = std::chrono::time_point<std::chrono::system_clock, Millis>;  // for people, UTC

inline SteadyTime steady_now() { return std::chrono::steady_clock::now(); }
inline Timestamp wall_now() { return std::chrono::floor<Millis>(std::chrono::system_clock::now()); }

// `2026-11-23T05:52:00.123Z`: ISO 8601, UTC, always milliseconds.
std::string to_iso8601(Timestamp time);

// Reads the form above; nullopt for anything else.
std::optional<Timestamp> parse_iso8601(std::string_view text);

// `Mon, 23 Nov 2026 05:52:00 GMT` (RFC 9110 section 5.6.7).
std::string to_http_date(Timestamp time);

}  // namespace payam
