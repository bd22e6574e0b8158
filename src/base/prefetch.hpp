// For loops over objects that lie all over memory: what one will touch is fetched while others are dealt with.
#pragma once

#include <cstddef>
#include <cstdint>

namespace payam {

// Fetches `bytes` from `begin` on into the processor's caches, without waiting. Any address is allowed.
inline void prefetch(const void* begin, std::size_t bytes) {
  constexpr std::uintptr_t kLine = 64;
  const auto first = reinterpret_cast<std::uintptr_t>(begin);
  for (std::uintptr_t line = first / kLine * kLine; line < first + bytes; line += kLine) {
    __builtin_prefetch(reinterpret_cast<const void*>(line));  // NOLINT(performance-no-int-to-ptr): an address only
  }
}

}  // namespace payam
