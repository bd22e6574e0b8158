// The bytes of one input, read from its front. Small numbers are written as digits ('0' is 0, ':' is 10, 'A' is 17), so that
// the hand-made seeds can be read; whatever comes past the end is 0, which always stands for the ordinary choice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace payam::fuzz {

class Input {
 public:
  explicit Input(std::string_view bytes) : rest_(bytes) {}

  bool empty() const { return rest_.empty(); }

  // 0 … count - 1.
  unsigned choose(unsigned count) { return static_cast<std::uint8_t>(next() - '0') % count; }
  // True once in `count`.
  bool rarely(unsigned count) { return choose(count) == count - 1; }
  char letter() { return next(); }

  // Up to a backslash; two of them stand for one.
  std::string text() {
    std::string text;
    while (!rest_.empty()) {
      const char c = next();
      if (c != '\\') {
        text.push_back(c);
      } else if (rest_.starts_with('\\')) {
        text.push_back(next());
      } else {
        break;
      }
    }
    return text;
  }

  std::string_view rest() {
    const auto rest = rest_;
    rest_ = {};
    return rest;
  }

 private:
  char next() {
    if (rest_.empty()) return '0';
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

  std::string_view rest_;
};

}  // namespace payam::fuzz
