#include "socketio/missed_packets.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace payam::sio {

void MissedPackets::push(std::uint64_t offset, std::shared_ptr<const PacketParts> parts, SteadyTime now) {
  std::size_t size = 0;
  for (const auto& part : *parts) size += part->size();
  bytes_ += size;
  entries_.push_back({offset, std::move(parts), now, size});
  while (!entries_.empty() &&
         (entries_.size() > limits_->packets || bytes_ > limits_->bytes || entries_.front().at + limits_->age < now)) {
    drop_first();
  }
}

void MissedPackets::drop_first() {
  bytes_ -= entries_.front().bytes;
  last_dropped_ = entries_.front().offset;
  entries_.pop_front();
}

void MissedPackets::merge(const MissedPackets& later) {
  const std::size_t known = entries_.size();
  for (const Entry& entry : later.entries_) {
    const auto end = entries_.begin() + static_cast<std::ptrdiff_t>(std::min(known, entries_.size()));
    if (std::find_if(entries_.begin(), end, [&](const Entry& each) { return each.offset == entry.offset; }) == end) {
      push(entry.offset, entry.parts, entry.at);
    }
  }
}

std::optional<std::vector<MissedPackets::Entry>> MissedPackets::after(std::optional<std::uint64_t> offset) const {
  // Nothing may be missing between what the client has and the oldest entry.
  if (offset == last_dropped_) return std::vector<Entry>(entries_.begin(), entries_.end());
  if (!offset) return std::nullopt;
  const auto found =
      std::find_if(entries_.rbegin(), entries_.rend(), [&](const Entry& entry) { return entry.offset == *offset; });
  if (found == entries_.rend()) return std::nullopt;
  return std::vector<Entry>(found.base(), entries_.end());
}

std::string offset_text(std::uint64_t offset) {
  std::array<char, 16> buffer;
  const auto written = std::to_chars(buffer.data(), buffer.data() + buffer.size(), offset, 36);
  return std::string(buffer.data(), written.ptr);
}

std::optional<std::uint64_t> parse_offset(std::string_view text) {
  std::uint64_t offset = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), offset, 36);
  if (text.empty() || read.ec != std::errc{} || read.ptr != text.data() + text.size()) return std::nullopt;
  return offset;
}

}  // namespace payam::sio
