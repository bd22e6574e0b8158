#include "engineio/poll_queue.hpp"

#include <utility>

namespace payam::eio {

void PollQueue::push(PacketRef packet, bool compress) {
  bytes_ += packet->frame().size();
  // A queue that never runs empty must not grow at its dead end.
  if (head_ * 2 > entries_.size()) {
    entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }
  entries_.push_back({std::move(packet), compress});
}

std::vector<PacketRef> PollQueue::take(std::size_t limit) {
  std::vector<PacketRef> packets;
  for (; limit > 0 && !empty(); --limit, ++head_) {
    PacketRef packet = std::move(entries_[head_].packet);
    bytes_ -= packet->frame().size();
    packets.push_back(std::move(packet));
  }
  if (empty()) clear();
  return packets;
}

std::vector<PollQueue::Entry> PollQueue::take_all() {
  std::vector<Entry> all = std::exchange(entries_, {});
  all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(head_));
  head_ = bytes_ = 0;
  return all;
}

}  // namespace payam::eio
