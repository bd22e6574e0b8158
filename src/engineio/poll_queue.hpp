// The packets that wait for a session's next poll, in order.
#pragma once

#include <cstddef>
#include <vector>

#include "engineio/encoded_packet.hpp"

namespace payam::eio {

class PollQueue {
 public:
  struct Entry {
    PacketRef packet;
    bool compress = false;  // should it go out on a websocket after all
  };

  void push(PacketRef packet, bool compress);

  bool empty() const { return head_ == entries_.size(); }
  std::size_t count() const { return entries_.size() - head_; }
  // Of the packets' frames.
  std::size_t bytes() const { return bytes_; }

  // Takes the first packets out, at most `limit`.
  std::vector<PacketRef> take(std::size_t limit);
  // Takes all of them out.
  std::vector<Entry> take_all();
  void clear() { take_all(); }

 private:
  std::vector<Entry> entries_;
  std::size_t head_ = 0;  // entries before this are taken
  std::size_t bytes_ = 0;
};

}  // namespace payam::eio
