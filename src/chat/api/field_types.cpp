#include "chat/api/field_types.hpp"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include "chat/emoji.hpp"

namespace payam::chat::api {
namespace {

bool turns_direction(UChar32 character) {
  switch (u_charDirection(character)) {
    case U_LEFT_TO_RIGHT_EMBEDDING:
    case U_LEFT_TO_RIGHT_OVERRIDE:
    case U_LEFT_TO_RIGHT_ISOLATE:
    case U_RIGHT_TO_LEFT_EMBEDDING:
    case U_RIGHT_TO_LEFT_OVERRIDE:
    case U_RIGHT_TO_LEFT_ISOLATE:
    case U_POP_DIRECTIONAL_FORMAT:
    case U_FIRST_STRONG_ISOLATE:
    case U_POP_DIRECTIONAL_ISOLATE: return true;
    default: return false;
  }
}

}  // namespace

std::optional<std::string> Presentable::refuse(const std::string& value) {
  constexpr uint32_t kBreaks = U_GC_CC_MASK | U_GC_ZL_MASK | U_GC_ZP_MASK;
  UChar32 character = 0;
  bool is_visible = false, begins_with_space = false;
  for (std::size_t at = 0; at < value.size();) {
    const bool is_first = at == 0;
    U8_NEXT(value.data(), at, value.size(), character);
    if ((U_GET_GC_MASK(character) & kBreaks) != 0) return "control characters are not allowed";
    if (turns_direction(character)) return "characters that change the direction of text are not allowed";
    const bool is_space = u_isUWhiteSpace(character);
    if (is_first) begins_with_space = is_space;
    if (!is_space && !u_hasBinaryProperty(character, UCHAR_DEFAULT_IGNORABLE_CODE_POINT)) is_visible = true;
  }
  if (begins_with_space || u_isUWhiteSpace(character)) return "spaces around it are not allowed";
  if (!is_visible) return "something visible is needed";
  return std::nullopt;
}

bool OneEmoji::check(http::Reader& reader, std::string& value, const http::json::value& input) {
  auto emoji = parse_emoji(value);
  if (!emoji) return reader.value_error("exactly one emoji is needed", input);
  value = std::move(*emoji);
  return true;
}

std::string lower_ascii(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

}  // namespace payam::chat::api
