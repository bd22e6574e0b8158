// UTF-8 (RFC 3629).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace payam {

// No overlong forms, no surrogates, nothing above U+10FFFF, nothing cut off.
bool is_valid_utf8(std::string_view text);

// Code points; `text` must be valid.
std::size_t utf8_length(std::string_view text);
// The first `count` of them, or all.
std::string_view utf8_prefix(std::string_view text, std::size_t count);

// Checks text that arrives in pieces (websocket fragments): feed() false at the first byte that cannot be right;
// complete() whether it may end here.
class Utf8Checker {
 public:
  bool feed(std::string_view piece);
  bool complete() const { return need_ == 0; }

 private:
  unsigned char need_ = 0;    // continuation bytes still due
  unsigned char low_ = 0x80;  // bounds of the next one
  unsigned char high_ = 0xbf;
};

}  // namespace payam
