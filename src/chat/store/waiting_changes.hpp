// How much waits to be written, in all and for each person, so that nobody fills a writer's queue alone. Counts in a table of
// fixed size: queueing allocates nothing. Its owner's lock.
#pragma once

#include <array>
#include <cstddef>

#include "base/salted_hash.hpp"
#include "chat/model.hpp"

namespace payam::chat {

class WaitingChanges {
 public:
  struct Limits {
    std::size_t changes = 20'000;
    std::size_t bytes = 64 << 20;  // of content
    // Of these what one person may have waiting.
    std::size_t persons_changes = 2'000;
    std::size_t persons_bytes = 8 << 20;
  };

  // What waits, and where it is counted: in each half of the table once, as people may share a place, but hardly two at once.
  struct Item {
    std::array<std::size_t, 2> places{kNobody, kNobody};
    std::size_t bytes = 0;
  };

  explicit WaitingChanges(const Limits& limits) : limits_(limits) {}

  // Any thread. An Item{} is work that is counted for nobody.
  Item item(const Change& change) const;

  // False if there is no room for it; then it is not counted.
  bool add(const Item& item);
  void remove(const Item& item);

 private:
  struct Count {
    std::size_t changes = 0;
    std::size_t bytes = 0;
  };
  static constexpr std::size_t kPlaces = 1024;  // in each half
  static constexpr std::size_t kNobody = 2 * kPlaces;

  bool has_room_for(const Item& item) const;

  const Limits limits_;
  const SaltedHash hash_;
  Count all_;
  std::array<Count, 2 * kPlaces + 1> counts_{};
};

}  // namespace payam::chat
