// The scenarios in which rooms are published to: closed loops (fan-out, flood) and a fixed rate.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "load/crowd.hpp"
#include "load/measure.hpp"

namespace payam::bench {

// Deals with the messages of both kinds of publishing. A message begins with `~`, a letter for the loop it belongs to, and
// its number in eight hexadecimal digits, so that a receiver's frame need not be parsed but for that.
class Broadcast : public Crowd {
 public:
  Broadcast(Loop& loop, const Options& options);

  // Closed loops: each publishes its next message when its publisher has received its last one. A server is never idle then,
  // and one that gathers can put all loops' messages into one write.
  void start_loops();
  // Call every turn: a message that a lost publisher will never get must not stop its loop for good.
  void revive_stuck_loops();

  // Open loop: publishes what is due by now; returns the time until the next is, in microseconds.
  std::uint64_t publish_due();

  Tally& tally() { return tally_; }
  std::uint64_t incomplete() const { return incomplete_; }
  int stalled_cut_off();

 private:
  struct Slot {
    int room = 0;
    Client* publisher = nullptr;
    std::uint32_t number = 0;
    std::uint64_t sent_at = 0;
  };

  void on_event(Client& client, std::string_view data) override;
  void publish_next(std::size_t slot);
  void publish(int slot_letter, std::uint32_t number, int room);
  Client& publisher(std::size_t slot, int room);

  std::string body_;  // the text, to be filled in at its start
  std::vector<Slot> slots_;
  std::vector<bool> publishes_;  // the clients that are or were some loop's publisher
  std::uint64_t last_delivery_ = 0;
  std::uint64_t incomplete_ = 0;

  bool open_loop_ = false;
  std::uint64_t next_due_ = 0;
  std::uint32_t next_number_ = 0;
  std::array<std::uint64_t, 1 << 16> due_at_{};  // of each recent message of the open loop

  Tally tally_;
};

}  // namespace payam::bench
