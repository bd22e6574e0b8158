// What counts as one emoji: the sequences recommended for general interchange (Unicode Technical Standard 51, RGI), flags,
// keycaps, skin tones and joined ones among them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace payam::chat {

inline constexpr std::size_t kMaxEmojiBytes = 64;  // the longest there is has 35

// The emoji as it is recommended to be written, so that one reaction is not two; nullopt if `text` is not exactly one. The
// variation selector 16, which keyboards leave out or add, may be missing or be too much.
std::optional<std::string> parse_emoji(std::string_view text);

}  // namespace payam::chat
