// What a process and all its children use, from /proc; and what the kernel holds for sockets.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace payam::bench {

struct Usage {
  double user_seconds = 0;
  double system_seconds = 0;
  std::uint64_t private_bytes = 0;  // anonymous memory of the processes: what a connection adds, without shared libraries
  int processes = 0;
  double cpu() const { return user_seconds + system_seconds; }
};

// Of `root` and its descendants. Children that have ended and were waited for are counted with their parent. All zero if
// `root` is 0 or gone.
Usage usage_of(pid_t root);

// This program's own processor time in seconds.
double own_cpu();

// Processor time all of the machine has spent on anything, stolen time included.
double machine_cpu();

// Kernel memory of the whole machine: slabs that cannot be reclaimed and TCP buffers. Both ends of a loopback connection
// are in it.
std::uint64_t kernel_bytes();

}  // namespace payam::bench
