// Promise 1 on a real process: a child that sends until it is killed, and what must be there afterwards.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "chat/store/store.hpp"

namespace payam::chat {

// The child's part: sends from several coroutines on two shards and writes "client_id seq rev\n" to its standard output for
// every message that was acknowledged. Ends only by being killed, or by a fault.
[[noreturn]] void send_until_killed(Store& store);

// A child process and the reading end of its standard output.
class Victim {
 public:
  Victim(const std::string& program, const std::string& argument);
  ~Victim();
  Victim(const Victim&) = delete;
  Victim& operator=(const Victim&) = delete;

  // Reads until `lines` more lines were written; false if it ended before.
  bool wait_for(int lines);
  int kill();  // the signal that ended it, or -1
  // All it ever wrote, after its end; a line cut off was not acknowledged to anybody.
  std::string whole_output();

 private:
  bool read_some();

  pid_t process_ = -1;
  int output_ = -1;
  std::string text_;
};

using Acknowledged = std::map<std::string, std::pair<std::int64_t, std::int64_t>>;  // client_id → seq, rev

// Adds what the victim wrote; fails the test if something was acknowledged twice.
void read_acknowledged(const std::string& output, Acknowledged& acknowledged);
// Everything acknowledged is there once, where it was said to be, in a log without gaps.
void verify_acknowledged(Store& store, const Acknowledged& acknowledged);

}  // namespace payam::chat
