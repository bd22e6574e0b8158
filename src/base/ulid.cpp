#include "base/ulid.hpp"

#include <cstdint>

#include "base/random.hpp"

namespace payam {

std::string make_ulid(Timestamp now, const UlidEntropy& entropy) {
  static constexpr char kAlphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  std::string text(26, '0');
  auto time = static_cast<std::uint64_t>(now.time_since_epoch().count());
  for (int i = 9; i >= 0; --i, time >>= 5) text[static_cast<std::size_t>(i)] = kAlphabet[time & 31];
  std::uint32_t bits = 0;
  int held = 0;
  std::size_t at = 10;
  for (const unsigned char byte : entropy) {
    bits = bits << 8 | byte;
    for (held += 8; held >= 5;) {
      held -= 5;
      text[at++] = kAlphabet[bits >> held & 31];
    }
  }
  return text;
}

std::string new_ulid(Timestamp now) {
  thread_local Timestamp last{};
  thread_local UlidEntropy entropy{};
  if (now > last) {
    last = now;
    random_bytes(entropy);
    entropy[0] &= 0x7f;  // room to count up
  } else {
    for (std::size_t i = entropy.size(); i-- > 0;) {
      if (++entropy[i] != 0) break;
    }
  }
  return make_ulid(last, entropy);
}

}  // namespace payam
