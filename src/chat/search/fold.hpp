// Letters as a search compares them, the same for what is written and for what is asked.
//
// NFKC and case (ß = ss; I, ı and İ = i); the digits of all scripts; the letter forms of Arabic and Persian (ي ی, ك ک, ة ه,
// أ إ آ ا, …), tatweel; the diacritics of Latin, Greek, Arabic and Hebrew, and those of Cyrillic that make no other letter.
// Marks that other scripts spell with stay (か is not が). What Unicode calls ignorable is ignored. An emoji is a piece of its
// own, without skin tone and variation selector.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace payam::chat::search {

// Code points of a text: from `start` as many as `length`.
struct Span {
  std::size_t start = 0;
  std::size_t length = 0;
  std::size_t end() const { return start + length; }

  bool operator==(const Span&) const = default;
};

// A word, an emoji, or a run of letters of a script that sets no spaces between words.
struct Piece {
  enum class Kind : std::uint8_t { word, emoji, run };
  // What stands between it and the piece before. In Persian and Arabic the first three are spellings of one another.
  enum class Gap : std::uint8_t { none, zwnj, space, other };

  Kind kind = Kind::word;
  Gap gap = Gap::other;
  bool arabic = false;        // every letter is of the Arabic script
  std::u32string text;        // folded
  std::vector<Span> origins;  // of each of its code points, in the text it came from

  Span origin() const { return {origins.front().start, origins.back().end() - origins.front().start}; }
};

// In the order of the text. Bytes that are not UTF-8 separate words.
std::vector<Piece> fold(std::string_view text);

}  // namespace payam::chat::search
