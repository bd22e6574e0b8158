// The packets one session or connection has yet to send, in order. Holds references, never copies.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "engineio/encoded_packet.hpp"

namespace payam::eio {

class Outbox {
 public:
  struct Entry {
    PacketRef packet;
    bool compress = false;
  };

  void push(PacketRef packet, bool compress);

  bool empty() const { return head_ == entries_.size(); }
  std::size_t count() const { return entries_.size() - head_; }
  // Bytes of the frames not yet sent whole.
  std::size_t bytes() const { return bytes_; }

  // Calls `add(std::string_view)` with what is to be written next, at most `limit` pieces.
  template <class Add>
  void gather(std::size_t limit, Add add) const {
    std::size_t offset = sent_of_first_;
    for (std::size_t i = head_; i < entries_.size() && limit > 0; ++i, --limit) {
      add(entries_[i].packet->frame().substr(offset));
      offset = 0;
    }
  }

  // The first `bytes` of what gather() gave are written.
  void consume(std::size_t bytes);

  // Drops what has not begun to be written; a frame cut in half would break the stream.
  void drop_unsent();
  void clear();

  // Takes the first packets out, at most `limit`. Nothing of them has been written.
  std::vector<PacketRef> take(std::size_t limit);

  // Empties the outbox into `add(Entry&&)`, in order. Nothing of it has been written.
  template <class Add>
  void move_to(Add add) {
    for (std::size_t i = head_; i < entries_.size(); ++i) add(std::move(entries_[i]));
    clear();
  }

 private:
  // Kept between bursts, so that a delivery allocates nothing; more than this, or than a burst needs, goes back.
  static constexpr std::size_t kKeptEntries = 32;

  std::vector<Entry> entries_;
  std::size_t head_ = 0;           // entries before this are sent
  std::size_t sent_of_first_ = 0;  // bytes of entries_[head_]
  std::size_t bytes_ = 0;
};

}  // namespace payam::eio
