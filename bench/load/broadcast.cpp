#include "load/broadcast.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace payam::bench {
namespace {

constexpr std::size_t kMarkBytes = 10;           // "~A0000002a"
constexpr std::uint64_t kStuck = 1'000'000;      // microseconds
constexpr std::uint64_t kLongestWait = 100'000;  // microseconds

// Text that does not compress to nothing, the same in every run.
std::string filler(std::size_t bytes) {
  std::string text;
  for (std::uint32_t x = 12345; text.size() < bytes; x = x * 1664525 + 1013904223) {
    text += "etaoinshrdlu etaoin cmfwypvbgkqjxz "[(x >> 24) % 35];
  }
  return text;
}

std::uint32_t parse_hex(const char* digits) {
  std::uint32_t value = 0;
  for (int i = 0; i < 8; ++i) {
    const char c = digits[i];
    value = value << 4 | static_cast<std::uint32_t>(c <= '9' ? c - '0' : c - 'a' + 10);
  }
  return value;
}

}  // namespace

Broadcast::Broadcast(Loop& loop, const Options& options)
    : Crowd(loop, options),
      body_(filler(std::max<std::size_t>(kMarkBytes, static_cast<std::size_t>(options.bytes)))),
      slots_(static_cast<std::size_t>(options.publishers)),
      publishes_(static_cast<std::size_t>(options.receivers)) {}

Client& Broadcast::publisher(std::size_t slot, int room) {
  const int readers = options_.receivers - options_.stalled;
  if (options_.rooms > 1) return (*this)[room % readers];
  return (*this)[static_cast<int>(slot) * (options_.receivers / options_.publishers) % readers];
}

void Broadcast::start_loops() {
  last_delivery_ = now_us();
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    slots_[i].room = static_cast<int>(i) % options_.rooms;
    publish_next(i);
  }
}

void Broadcast::revive_stuck_loops() {
  const std::uint64_t now = now_us();
  if (now - last_delivery_ < kStuck) return;
  last_delivery_ = now;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    ++incomplete_;
    publish_next(i);
  }
}

void Broadcast::publish_next(std::size_t index) {
  Slot& slot = slots_[index];
  slot.room = (slot.room + options_.publishers) % options_.rooms;
  slot.publisher = &publisher(index, slot.room);
  publishes_[static_cast<std::size_t>(slot.publisher->index())] = true;
  slot.sent_at = now_us();
  publish(static_cast<int>(index), ++slot.number, slot.room);
}

std::uint64_t Broadcast::publish_due() {
  const std::uint64_t now = now_us();
  const auto interval = static_cast<std::uint64_t>(1e6 * room_size(0) / options_.rate);
  if (!open_loop_) next_due_ = now;
  open_loop_ = true;
  while (next_due_ <= now) {
    due_at_[next_number_ % due_at_.size()] = next_due_;
    publish(static_cast<int>(next_number_ % slots_.size()), next_number_, static_cast<int>(next_number_) % options_.rooms);
    ++next_number_;
    next_due_ += interval;
  }
  return std::min(next_due_ - now, kLongestWait);
}

void Broadcast::publish(int slot, std::uint32_t number, int room) {
  char mark[kMarkBytes + 1];
  std::snprintf(mark, sizeof mark, "~%c%08x", 'A' + slot, number);
  std::memcpy(body_.data(), mark, kMarkBytes);
  Client& client = publisher(static_cast<std::size_t>(slot), room);
  if (!client.ready()) return;
  if (options_.binary) {
    client.send("451-[\"publish_binary\",{\"room\":\"" + room_name(room) +
                "\",\"message\":{\"_placeholder\":true,\"num\":0}}]");
    client.send_binary(body_);
  } else {
    client.send("42[\"publish\",{\"room\":\"" + room_name(room) + "\",\"message\":\"" + body_ + "\"}]");
  }
}

void Broadcast::on_event(Client& client, std::string_view data) {
  last_delivery_ = loop_.batch_time();
  ++tally_.done;
  tally_.bytes += data.size();
  if (!open_loop_ && !publishes_[static_cast<std::size_t>(client.index())]) return;
  std::size_t index = 0;
  std::uint32_t number = slots_[0].number;
  if (!options_.deflate) {  // compressed: there is one loop, and all that comes is its message
    const void* mark = std::memchr(data.data(), '~', data.size());
    if (mark == nullptr) return;
    const char* text = static_cast<const char*>(mark);
    if (text + kMarkBytes > data.data() + data.size()) return;
    index = static_cast<std::size_t>(text[1] - 'A');
    number = parse_hex(text + 2);
  }
  if (index >= slots_.size()) return;
  if (open_loop_) {
    tally_.latency.add(loop_.batch_time() - std::min(loop_.batch_time(), due_at_[number % due_at_.size()]));
    return;
  }
  Slot& slot = slots_[index];
  if (slot.number != number || slot.publisher != &client) return;
  tally_.latency.add(loop_.batch_time() - std::min(loop_.batch_time(), slot.sent_at));
  publish_next(index);
}

int Broadcast::stalled_cut_off() {
  int cut = 0;
  for (int i = options_.receivers - options_.stalled; i < options_.receivers; ++i) cut += (*this)[i].cut_off() ? 1 : 0;
  return cut;
}

}  // namespace payam::bench
