// How much of a disk stays free, and for what: files (uploads) stop at the reserve, messages and whatever else adds at a
// quarter of it. The rest is for what makes room or must not fail: erasing, deleting, leaving, signing out, checkpoints.
//
// Pure: it is told what the disk has. Any thread.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>
#include <optional>

namespace payam {

class DiskReserve {
 public:
  // nullopt: 5 % of the disk, 1 GiB at most. 0: everything may be filled.
  explicit DiskReserve(std::optional<std::uint64_t> bytes) : given_(bytes), reserve_(bytes.value_or(0)) {}

  // Of a disk of `size` bytes `free` are free. Until the first time all has room.
  void measured(std::uint64_t free, std::uint64_t size) {
    if (!given_) reserve_.store(std::min(size / 20, kMost), std::memory_order_relaxed);
    free_.store(free, std::memory_order_relaxed);
  }

  // Whether `bytes` of a file may be written. They count until the next measurement, which finds them on the disk.
  bool take_for_files(std::uint64_t bytes) {
    std::uint64_t free = free_.load(std::memory_order_relaxed);
    do {
      if (bytes > free || free - bytes < reserve()) return false;
    } while (!free_.compare_exchange_weak(free, free - bytes, std::memory_order_relaxed));
    return true;
  }

  // Whether it would be taken.
  bool has_room_for_files(std::uint64_t bytes) const {
    const std::uint64_t now_free = free();
    return bytes <= now_free && now_free - bytes >= reserve();
  }
  bool has_room_for_messages() const { return free() >= reserve() / 4; }

  // That `bytes` were written: they count until the next measurement, so that a burst does not pass what is kept free.
  void wrote(std::uint64_t bytes) {
    std::uint64_t free = free_.load(std::memory_order_relaxed);
    while (!free_.compare_exchange_weak(free, free - std::min(bytes, free), std::memory_order_relaxed)) {
    }
  }

  std::uint64_t reserve() const { return reserve_.load(std::memory_order_relaxed); }
  std::uint64_t free() const { return free_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::uint64_t kMost = 1 << 30;

  const std::optional<std::uint64_t> given_;
  std::atomic<std::uint64_t> reserve_;
  std::atomic<std::uint64_t> free_{std::numeric_limits<std::uint64_t>::max()};
};

}  // namespace payam
