// The chat's own small grammars: mentions, links to uploads, emoji, names of people and files, the lines of `.env`.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/utf8.hpp"
#include "chat/app/dotenv.hpp"
#include "chat/emoji.hpp"
#include "chat/media/file_name.hpp"
#include "chat/rules.hpp"
#include "fuzz/require.hpp"

using namespace payam;
using namespace payam::chat;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)parse_dotenv(text);
  if (const auto emoji = parse_emoji(text)) {
    REQUIRE(emoji->size() <= kMaxEmojiBytes);
    REQUIRE(parse_emoji(*emoji) == emoji);
  }
  // What follows is checked before it gets so far.
  if (!is_valid_utf8(text)) return 0;
  std::size_t asked = 0;
  rules::find_mentions(text, [&asked](const std::string& key) {
    ++asked;
    return key.size() % 2 == 0;
  });
  REQUIRE(asked <= rules::kMaxMentionTries);
  REQUIRE(rules::find_media_links(text).size() <= size);
  const std::string key = rules::username_key(text);
  REQUIRE(rules::username_key(key) == key);
  const std::string name = clean_file_name(text);
  REQUIRE(!name.empty() && name.size() <= kMaxFileName && is_valid_utf8(name));
  REQUIRE(name.find_first_of(std::string_view("/\\\r\n\0", 5)) == name.npos && name != "." && name != "..");
  REQUIRE(clean_file_name(name) == name);
  const std::string disposition = content_disposition(name, "text/html");
  REQUIRE(disposition.starts_with("attachment") && disposition.find_first_of("\r\n") == disposition.npos);
  return 0;
}
