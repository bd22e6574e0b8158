// JSON text, piece by piece.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace payam::http {

// With quotes; `text` is UTF-8.
void write_string(std::string& out, std::string_view text);
void write_number(std::string& out, std::int64_t value);
void write_number(std::string& out, std::uint64_t value);
void write_number(std::string& out, double value);  // null for what JSON cannot say

}  // namespace payam::http
