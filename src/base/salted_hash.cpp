#include "base/salted_hash.hpp"

#include <bit>
#include <cstring>

#include "base/random.hpp"

namespace payam {
namespace {

struct State {
  std::uint64_t v0, v1, v2, v3;

  void mix(int rounds) {
    for (int i = 0; i < rounds; ++i) {
      v0 += v1;
      v1 = std::rotl(v1, 13) ^ v0;
      v0 = std::rotl(v0, 32);
      v2 += v3;
      v3 = std::rotl(v3, 16) ^ v2;
      v0 += v3;
      v3 = std::rotl(v3, 21) ^ v0;
      v2 += v1;
      v1 = std::rotl(v1, 17) ^ v2;
      v2 = std::rotl(v2, 32);
    }
  }

  void take(std::uint64_t word, int rounds) {
    v3 ^= word;
    mix(rounds);
    v0 ^= word;
  }
};

static_assert(std::endian::native == std::endian::little);

SipKey random_key() {
  std::array<unsigned char, 16> bytes;
  random_bytes(bytes);
  return std::bit_cast<SipKey>(bytes);
}

}  // namespace

std::uint64_t sip_hash(const SipKey& key, std::string_view text, int rounds, int final_rounds) {
  State state{key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d, key[0] ^ 0x6c7967656e657261,
              key[1] ^ 0x7465646279746573};
  std::uint64_t last = static_cast<std::uint64_t>(text.size()) << 56;
  for (; text.size() >= 8; text.remove_prefix(8)) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data(), 8);
    state.take(word, rounds);
  }
  std::uint64_t rest = 0;
  if (!text.empty()) std::memcpy(&rest, text.data(), text.size());
  last |= rest;
  state.take(last, rounds);
  state.v2 ^= 0xff;
  state.mix(final_rounds);
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

std::size_t SaltedHash::operator()(std::string_view text) const noexcept {
  static const SipKey key = random_key();
  return sip_hash(key, text);
}

}  // namespace payam
