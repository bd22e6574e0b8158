// Bytes held of a budget by a buffer that grows and shrinks: little is free, the rest is taken in steps, so that the budget's
// lock is rarely needed.
#pragma once

#include <cstddef>
#include <optional>
#include <utility>

#include "base/budget.hpp"

namespace payam {

class HeldBytes {
 public:
  static constexpr std::size_t kFree = 4 * 1024;
  static constexpr std::size_t kStep = 16 * 1024;

  // Up to how many bytes the buffer may grow before set() has to be called.
  std::size_t covered() const { return held_ ? held_.amount() : kFree; }

  // The buffer takes `bytes` now; what stands in the way, and then nothing has changed. `caller()` says whose it is; asked when
  // the first bytes are taken.
  template <class F>
  std::optional<Budget::Over> set(Budget& budget, std::size_t bytes, F caller) {
    const std::size_t due = bytes <= kFree ? 0 : (bytes + kStep - 1) / kStep * kStep;
    if (due == held_.amount()) return std::nullopt;
    if (due == 0) {
      held_.release();
    } else if (!held_) {
      auto taken = budget.take(caller(), due);
      if (!taken) return taken.error();
      held_ = std::move(*taken);
    } else if (due > held_.amount()) {
      return held_.grow(due - held_.amount());
    } else {
      held_.shrink(held_.amount() - due);
    }
    return std::nullopt;
  }
  void release() { held_.release(); }

 private:
  Budget::Held held_;
};

}  // namespace payam
