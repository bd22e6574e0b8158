// A hash for tables whose keys come from outside: SipHash-1-3 under a key made at random when the process starts, so that
// nobody can choose keys that meet in one bucket (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace payam {

using SipKey = std::array<std::uint64_t, 2>;  // two little-endian words

// SipHash with `rounds` rounds a word and `final_rounds` at the end.
std::uint64_t sip_hash(const SipKey& key, std::string_view text, int rounds = 1, int final_rounds = 3);

// For unordered containers of strings; views may be looked up.
struct SaltedHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept;
};

}  // namespace payam
