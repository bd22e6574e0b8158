#include "chat/api/field_types.hpp"

namespace payam::chat::api {

std::optional<std::string> Presentable::refuse(const std::string& value) {
  for (std::size_t i = 0; i < value.size(); ++i) {
    const auto byte = static_cast<unsigned char>(value[i]);
    const bool c1 = byte == 0xc2 && i + 1 < value.size() && static_cast<unsigned char>(value[i + 1]) < 0xa0;
    if (byte < 0x20 || byte == 0x7f || c1) return "control characters are not allowed";
  }
  if (value.starts_with(' ') || value.ends_with(' ')) return "spaces around it are not allowed";
  return std::nullopt;
}

}  // namespace payam::chat::api
