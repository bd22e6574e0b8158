#include "engineio/outbox.hpp"

#include <cassert>
#include <utility>

namespace payam::eio {

void Outbox::push(PacketRef packet, bool compress) {
  bytes_ += packet->frame().size();
  // A queue that never runs empty must not grow at its dead end.
  if (head_ > kKeptEntries && head_ * 2 > entries_.size()) {
    entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }
  entries_.push_back({std::move(packet), compress});
}

void Outbox::consume(std::size_t bytes) {
  bytes += sent_of_first_;
  while (!empty()) {
    const std::size_t size = entries_[head_].packet->frame().size();
    if (bytes < size) break;
    bytes -= size;
    bytes_ -= size;
    entries_[head_].packet.reset();
    ++head_;
  }
  sent_of_first_ = bytes;
  if (empty()) {
    assert(bytes == 0);
    clear();
  }
}

void Outbox::drop_unsent() {
  if (sent_of_first_ == 0) {
    clear();
    return;
  }
  entries_.resize(head_ + 1);
  bytes_ = entries_[head_].packet->frame().size();
}

void Outbox::clear() {
  // Room for a burst is kept while bursts come; the next heartbeat at the latest finds it unused.
  if (entries_.capacity() > kKeptEntries || entries_.capacity() > 4 * entries_.size()) {
    std::vector<Entry>().swap(entries_);
  } else {
    entries_.clear();
  }
  head_ = sent_of_first_ = bytes_ = 0;
}

std::vector<PacketRef> Outbox::take(std::size_t limit) {
  std::vector<PacketRef> packets;
  for (; limit > 0 && !empty(); --limit, ++head_) {
    PacketRef packet = std::move(entries_[head_].packet);
    bytes_ -= packet->frame().size();
    packets.push_back(std::move(packet));
  }
  if (empty()) clear();
  return packets;
}

}  // namespace payam::eio
