#include "chat/media/file_name.hpp"

#include <fmt/format.h>

#include "base/utf8.hpp"
#include "http/percent.hpp"

namespace payam::chat {
namespace {

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

// Cut to at most `limit` bytes at the border of a code point.
std::string_view cut(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return text;
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xc0) == 0x80) --limit;
  return text.substr(0, limit);
}

}  // namespace

std::string clean_file_name(std::string_view given) {
  if (const auto slash = given.find_last_of("/\\"); slash != given.npos) given.remove_prefix(slash + 1);
  std::string name;
  for (const char c : given) {
    if (!is_control(c)) name += c;
  }
  while (name.ends_with(' ')) name.pop_back();
  name.erase(0, std::min(name.find_first_not_of(' '), name.size()));
  if (name.size() > kMaxFileName) {
    constexpr std::size_t kMaxExtension = 16;
    const auto dot = name.rfind('.');
    const std::string extension = dot != name.npos && name.size() - dot <= kMaxExtension ? name.substr(dot) : "";
    name = std::string(cut(name, kMaxFileName - extension.size())) + extension;
  }
  if (name.find_first_not_of('.') == name.npos) return "file";
  return name;
}

std::string media_path(std::string_view id, std::string_view name) {
  return fmt::format("/media/{}/{}", id, http::percent_encode(name));
}

std::string content_disposition(std::string_view name, std::string_view content_type) {
  const bool shown = (content_type.starts_with("image/") && content_type != "image/svg+xml") ||
                     content_type.starts_with("audio/") || content_type.starts_with("video/");
  std::string ascii;
  for (const char c : name) ascii += c == '"' || c == '\\' || c == '%' || static_cast<unsigned char>(c) >= 0x80 ? '_' : c;
  return fmt::format("{}; filename=\"{}\"; filename*=UTF-8''{}", shown ? "inline" : "attachment", ascii,
                     http::percent_encode(name));
}

}  // namespace payam::chat
