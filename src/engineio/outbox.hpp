// The frames a websocket has yet to write, in order. Holds references, never copies.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "engineio/encoded_packet.hpp"

namespace payam::eio {

class Outbox {
 public:
  void push(PacketRef packet);

  bool empty() const { return first_ == nullptr; }
  std::size_t count() const { return empty() ? 0 : 1 + later_.size() - next_; }
  // Bytes of the frames not yet sent whole.
  std::size_t bytes() const { return bytes_; }

  // Calls `add(std::string_view)` with what is to be written next, at most `limit` pieces.
  template <class Add>
  void gather(std::size_t limit, Add add) const {
    if (empty() || limit == 0) return;
    add(first_->frame().substr(sent_of_first_));
    for (std::size_t i = next_; i < later_.size() && --limit > 0; ++i) add(later_[i]->frame());
  }

  // The first `bytes` of what gather() gave are written.
  void consume(std::size_t bytes);

  // Drops what has not begun to be written; a frame cut in half would break the stream.
  void drop_unsent();
  void clear();

 private:
  // Room for a burst is kept between bursts, so that a delivery allocates nothing; more than this, or than a burst needs, goes
  // back.
  static constexpr std::size_t kKeptPackets = 32;

  // Mostly one frame waits alone, and then `later_` has no memory.
  PacketRef first_;
  std::size_t sent_of_first_ = 0;
  std::vector<PacketRef> later_;
  std::size_t next_ = 0;  // packets of `later_` before this are sent
  std::size_t bytes_ = 0;
};

}  // namespace payam::eio
