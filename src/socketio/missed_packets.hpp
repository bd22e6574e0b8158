// What was sent to one recoverable socket of late, so that a client that comes back gets what it missed and nothing else.
// Bounded in count, bytes and time. Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "socketio/encoder.hpp"

namespace payam::sio {

class MissedPackets {
 public:
  struct Limits {
    std::size_t packets = 1'000;
    std::size_t bytes = 1 << 20;
    Millis age{165'000};  // time to notice a dead connection and time allowed to come back
  };
  struct Entry {
    std::uint64_t offset;
    std::shared_ptr<const PacketParts> parts;
    SteadyTime at;
    std::size_t bytes;
  };

  // `limits` outlive this.
  explicit MissedPackets(const Limits& limits) : limits_(&limits) {}

  // In the order they are sent; offsets need not ascend.
  void push(std::uint64_t offset, std::shared_ptr<const PacketParts> parts, SteadyTime now);

  // Adds the entries of `later` that are not here yet, for a state that was collected in two places.
  void merge(const MissedPackets& later);

  // What came after `offset`, the last the client has processed (nullopt: it has processed none). nullopt: not known any
  // more, or never sent to it.
  std::optional<std::vector<Entry>> after(std::optional<std::uint64_t> offset) const;

  std::size_t size() const { return entries_.size(); }
  std::size_t bytes() const { return bytes_; }

 private:
  void drop_first();

  const Limits* limits_;
  std::deque<Entry> entries_;
  std::size_t bytes_ = 0;
  std::optional<std::uint64_t> last_dropped_;
};

// Offsets as clients see them: opaque text, in fact a number to base 36.
std::string offset_text(std::uint64_t offset);
std::optional<std::uint64_t> parse_offset(std::string_view text);

}  // namespace payam::sio
