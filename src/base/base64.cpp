#include "base/base64.hpp"

#include <array>
#include <cstdint>

namespace payam {
namespace {

constexpr std::string_view kStandard = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrl = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

using Reverse = std::array<std::int8_t, 256>;

constexpr Reverse reverse(std::string_view alphabet) {
  Reverse table{};
  table.fill(-1);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::int8_t>(i);
  }
  return table;
}

constexpr Reverse kStandardReverse = reverse(kStandard);
constexpr Reverse kUrlReverse = reverse(kUrl);

void encode(std::string& out, std::string_view bytes, std::string_view alphabet, bool pad) {
  out.reserve(out.size() + (bytes.size() + 2) / 3 * 4);
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : bytes) {
    bits = bits << 8 | static_cast<unsigned char>(c);
    held += 8;
    while (held >= 6) {
      held -= 6;
      out.push_back(alphabet[bits >> held & 63]);
    }
  }
  if (held > 0) out.push_back(alphabet[bits << (6 - held) & 63]);
  if (pad && bytes.size() % 3 != 0) out.append(3 - bytes.size() % 3, '=');
}

std::optional<std::string> decode(std::string_view text, const Reverse& table) {
  if (text.size() % 4 == 1) return std::nullopt;
  std::string out;
  out.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : text) {
    const int value = table[static_cast<unsigned char>(c)];
    if (value < 0) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    held += 6;
    if (held >= 8) {
      held -= 8;
      out.push_back(static_cast<char>(bits >> held & 255));
    }
  }
  if ((bits & ((1u << held) - 1)) != 0) return std::nullopt;
  return out;
}

}  // namespace

std::string base64_encode(std::string_view bytes) {
  std::string out;
  encode(out, bytes, kStandard, true);
  return out;
}

void base64_encode_to(std::string& out, std::string_view bytes) { encode(out, bytes, kStandard, true); }

std::optional<std::string> base64_decode(std::string_view text) {
  if (text.ends_with('=')) {
    if (text.size() % 4 != 0) return std::nullopt;
    text.remove_suffix(text.ends_with("==") ? 2 : 1);
  }
  return decode(text, kStandardReverse);
}

std::string base64url_encode(std::string_view bytes) {
  std::string out;
  encode(out, bytes, kUrl, false);
  return out;
}

std::optional<std::string> base64url_decode(std::string_view text) { return decode(text, kUrlReverse); }

}  // namespace payam
