#include "base/json_string.hpp"

#include <cstdint>
#include <cstring>

namespace payam {
namespace {

bool needs_escape(unsigned char byte) { return byte < 0x20 || byte == '"' || byte == '\\'; }

// Whether any of eight bytes does.
bool any_needs_escape(const char* bytes) {
  constexpr std::uint64_t kOnes = 0x0101010101010101, kHighs = 0x8080808080808080;
  const auto has_below = [](std::uint64_t word, std::uint64_t limit) { return (word - kOnes * limit) & ~word & kHighs; };
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof word);
  return (has_below(word, 0x20) | has_below(word ^ kOnes * '"', 1) | has_below(word ^ kOnes * '\\', 1)) != 0;
}

// How many bytes from `start` on can stand as they are.
std::size_t plain_bytes(std::string_view text, std::size_t start) {
  std::size_t i = start;
  while (i + 8 <= text.size() && !any_needs_escape(text.data() + i)) i += 8;
  while (i < text.size() && !needs_escape(static_cast<unsigned char>(text[i]))) ++i;
  return i - start;
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out += '"';
  for (std::size_t i = 0;; ++i) {
    const std::size_t plain = plain_bytes(text, i);
    out += text.substr(i, plain);
    i += plain;
    if (i == text.size()) break;
    const auto byte = static_cast<unsigned char>(text[i]);
    switch (byte) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\b': out += "\\b"; break;
      case '\f': out += "\\f"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        out += "\\u00";
        out += kHex[byte >> 4];
        out += kHex[byte & 15];
    }
  }
  out += '"';
}

std::size_t json_string_size(std::string_view text) {
  constexpr std::size_t kQuotes = 2, kShort = 2, kLong = 6;  // \n, \u0001
  std::size_t size = kQuotes;
  for (std::size_t i = 0;; ++i) {
    const std::size_t plain = plain_bytes(text, i);
    size += plain;
    i += plain;
    if (i == text.size()) return size;
    size += std::string_view("\"\\\b\f\n\r\t").contains(text[i]) ? kShort : kLong;
  }
}

}  // namespace payam
