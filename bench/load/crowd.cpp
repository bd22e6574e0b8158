#include "load/crowd.hpp"

#include <charconv>
#include <cstdio>

namespace payam::bench {
namespace {

constexpr int kJoinIds = 100;  // acknowledgements from here on answer a join
// Microseconds. Some servers lose an event that comes before the application has set its handlers, on connection.
constexpr std::uint64_t kAskAgain = 1'000'000;

}  // namespace

Crowd::Crowd(Loop& loop, const Options& options)
    : loop_(loop),
      options_(options),
      room_sizes_(static_cast<std::size_t>(options.rooms)),
      joins_missing_(static_cast<std::size_t>(options.receivers)) {
  for (int i = 0; i < options.receivers; ++i) {
    // A poller cannot publish while its poll is pending, so the publishers of one room use a websocket.
    const bool publishes = options.rooms == 1 && i % (options.receivers / options.publishers) == 0;
    clients_.push_back(Client::make(loop, *this, options, options.polling && !publishes, i));
    for (int k = 0; k < options.memberships && !stalls(i); ++k) ++room_sizes_[static_cast<std::size_t>(room_of(i, k))];
  }
}

// Five characters whatever the number, so that every frame has the size the figures speak of.
std::string Crowd::room_name(int room) {
  char name[16];
  std::snprintf(name, sizeof name, "r%04d", room % 10'000);
  return name;
}

// Neighbours share their first room alone, if there are rooms enough.
int Crowd::room_of(int index, int membership) const {
  const int stride = options_.rooms > 37 * options_.memberships ? 37 : 1;
  return (index + membership * stride) % options_.rooms;
}

bool Crowd::gather(bool join) {
  join_ = join;
  const std::uint64_t deadline = now_us() + static_cast<std::uint64_t>(options_.limit * 1e6);
  std::uint64_t ask_again = now_us() + kAskAgain;
  while (joined_ + lost_ < size()) {
    const std::uint64_t now = now_us();
    if (now > deadline) return false;
    if (now > ask_again) {
      ask_again = now + kAskAgain;
      for (int i = 0; i < started_; ++i) {
        if ((*this)[i].ready()) ask_to_join((*this)[i]);
      }
    }
    start_some();
    loop_.turn(100'000);
  }
  return joined_ > 0 && lost_ * 10 < size();
}

void Crowd::start_some() {
  while (started_ < size() && started_ - joined_ - lost_ < options_.window) {
    Client& client = (*this)[started_++];
    if (!client.connect()) on_closed(client);
  }
}

void Crowd::on_ready(Client& client) {
  if (!join_) return arrived(client);
  joins_missing_[static_cast<std::size_t>(client.index())] = (1u << options_.memberships) - 1;
  ask_to_join(client);
}

void Crowd::ask_to_join(Client& client) {
  const unsigned missing = joins_missing_[static_cast<std::size_t>(client.index())];
  for (int k = 0; k < options_.memberships; ++k) {
    if ((missing >> k & 1) == 0) continue;
    client.send("42" + std::to_string(kJoinIds + k) + "[\"join\",\"" + room_name(room_of(client.index(), k)) + "\"]");
  }
}

void Crowd::on_ack(Client& client, std::string_view packet) {
  int id = kJoinIds;  // of a compressed packet it cannot be read
  std::from_chars(packet.data(), packet.data() + packet.size(), id);
  if (id < kJoinIds) return on_reply(client, packet);
  unsigned& missing = joins_missing_[static_cast<std::size_t>(client.index())];
  if (missing == 0) return;  // asked twice, answered twice
  missing &= ~(1u << (id - kJoinIds));
  if (missing == 0) arrived(client);
}

void Crowd::arrived(Client& client) {
  ++joined_;
  if (stalls(client.index())) client.stop_reading();
}

void Crowd::on_closed(Client& client) {
  ++lost_;
  for (int k = 0; k < options_.memberships && !stalls(client.index()); ++k) {
    --room_sizes_[static_cast<std::size_t>(room_of(client.index(), k))];
  }
}

void Crowd::on_event(Client&, std::string_view) {}
void Crowd::on_reply(Client&, std::string_view) {}

}  // namespace payam::bench
