// The epoll loop all clients share: one thread, edge-triggered, one large buffer to read into.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <memory>

namespace payam::bench {

inline std::uint64_t now_us() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(time.tv_nsec) / 1000;
}

class Pollable {
 public:
  virtual void on_events(std::uint32_t events) = 0;

 protected:
  ~Pollable() = default;
};

class Loop {
 public:
  static constexpr std::size_t kScratchBytes = 256 * 1024;

  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // The descriptor must be non-blocking; `pollable` outlives its time in the loop.
  void add(int descriptor, Pollable& pollable);
  void remove(int descriptor);

  // Waits at most `timeout_us` and runs what is ready.
  void turn(std::uint64_t timeout_us);

  // Its content is gone when the current on_events() returns.
  char* scratch() { return scratch_.get(); }

  // When the present batch of events was fetched: good enough as the time of arrival, and cheap.
  std::uint64_t batch_time() const { return batch_time_; }

 private:
  int epoll_ = -1;
  std::uint64_t batch_time_ = 0;
  std::array<epoll_event, 512> events_{};
  std::unique_ptr<char[]> scratch_ = std::make_unique<char[]>(kScratchBytes);
};

}  // namespace payam::bench
