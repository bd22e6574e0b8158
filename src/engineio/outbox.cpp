#include "engineio/outbox.hpp"

#include <cassert>
#include <utility>

namespace payam::eio {

void Outbox::push(PacketRef packet) {
  bytes_ += packet->frame().size();
  if (empty()) {
    first_ = std::move(packet);
    return;
  }
  // A queue that never runs empty must not grow at its dead end.
  if (next_ > kKeptPackets && next_ * 2 > later_.size()) {
    later_.erase(later_.begin(), later_.begin() + static_cast<std::ptrdiff_t>(next_));
    next_ = 0;
  }
  later_.push_back(std::move(packet));
}

void Outbox::consume(std::size_t bytes) {
  bytes += sent_of_first_;
  while (!empty()) {
    const std::size_t size = first_->frame().size();
    if (bytes < size) break;
    bytes -= size;
    bytes_ -= size;
    first_ = next_ < later_.size() ? std::move(later_[next_++]) : nullptr;
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
  later_.clear();
  next_ = 0;
  bytes_ = first_->frame().size();
}

void Outbox::clear() {
  // Room for a burst is kept while bursts come; the next heartbeat at the latest finds it unused.
  if (later_.capacity() > kKeptPackets || later_.capacity() > 4 * later_.size()) {
    std::vector<PacketRef>().swap(later_);
  } else {
    later_.clear();
  }
  first_.reset();
  next_ = sent_of_first_ = bytes_ = 0;
}

}  // namespace payam::eio
