#include "http/codec/text.hpp"

#include <array>
#include <charconv>
#include <cmath>

namespace payam::http {
namespace {

template <class T>
void append_number(std::string& out, T value) {
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

}  // namespace

void write_number(std::string& out, std::int64_t value) { append_number(out, value); }
void write_number(std::string& out, std::uint64_t value) { append_number(out, value); }
void write_number(std::string& out, double value) {
  if (std::isfinite(value)) {
    append_number(out, value);
  } else {
    out += "null";
  }
}

}  // namespace payam::http
