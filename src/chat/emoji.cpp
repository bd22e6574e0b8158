#include "chat/emoji.hpp"

#include <unicode/uchar.h>
#include <unicode/uniset.h>
#include <unicode/usetiter.h>

#include <stdexcept>
#include <unordered_map>

namespace payam::chat {
namespace {

constexpr std::string_view kVariationSelector = "\uFE0F";

std::string without_selectors(std::string_view text) {
  std::string bare(text);
  for (auto at = bare.find(kVariationSelector); at != bare.npos; at = bare.find(kVariationSelector, at)) {
    bare.erase(at, kVariationSelector.size());
  }
  return bare;
}

// Every emoji by what is left of it without selectors.
std::unordered_map<std::string, std::string> read_emojis() {
  UErrorCode error = U_ZERO_ERROR;
  const USet* set = u_getBinaryPropertySet(UCHAR_RGI_EMOJI, &error);
  if (U_FAILURE(error)) throw std::runtime_error(std::string("ICU: ") + u_errorName(error));
  std::unordered_map<std::string, std::string> emojis;
  icu::UnicodeSetIterator each(*icu::UnicodeSet::fromUSet(set));
  while (each.next()) {
    std::string emoji;
    each.getString().toUTF8String(emoji);
    std::string bare = without_selectors(emoji);
    emojis.emplace(std::move(bare), std::move(emoji));
  }
  return emojis;
}

}  // namespace

std::optional<std::string> parse_emoji(std::string_view text) {
  static const auto emojis = read_emojis();
  if (text.size() > kMaxEmojiBytes) return std::nullopt;
  const auto found = emojis.find(without_selectors(text));
  if (found == emojis.end()) return std::nullopt;
  return found->second;
}

}  // namespace payam::chat
