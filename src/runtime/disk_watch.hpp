// A thread that looks once a second how much of a disk is free, so that nobody asks the system for each message.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <stop_token>
#include <thread>

#include "base/clock.hpp"
#include "base/disk_reserve.hpp"

namespace payam {

class DiskWatch {
 public:
  // `directory` lies on the disk and exists; what cannot be measured stays as it was. Looks for the first time before it
  // returns. `reserve` outlives this.
  DiskWatch(std::filesystem::path directory, DiskReserve& reserve, Millis period = Millis{1'000});
  ~DiskWatch();
  DiskWatch(const DiskWatch&) = delete;
  DiskWatch& operator=(const DiskWatch&) = delete;

 private:
  void look();

  const std::filesystem::path directory_;
  DiskReserve& reserve_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;
};

}  // namespace payam
