// Numbers as JSON has them.
#pragma once

#include <cstdint>
#include <string>

namespace payam::http {

void write_number(std::string& out, std::int64_t value);
void write_number(std::string& out, std::uint64_t value);
void write_number(std::string& out, double value);  // null for what JSON cannot say

}  // namespace payam::http
