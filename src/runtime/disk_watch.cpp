#include "runtime/disk_watch.hpp"

#include <sys/statvfs.h>

#include <utility>

namespace payam {

DiskWatch::DiskWatch(std::filesystem::path directory, DiskReserve& reserve, Millis period)
    : directory_(std::move(directory)), reserve_(reserve) {
  look();
  thread_ = std::jthread([this, period](const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (!stop.stop_requested()) {
      wake_.wait_for(lock, stop, period, [] { return false; });
      look();
    }
  });
}

DiskWatch::~DiskWatch() = default;  // the thread is told to stop, and joined

void DiskWatch::look() {
  struct statvfs disk{};
  if (::statvfs(directory_.c_str(), &disk) != 0) return;
  reserve_.measured(std::uint64_t{disk.f_bavail} * disk.f_frsize, std::uint64_t{disk.f_blocks} * disk.f_frsize);
}

}  // namespace payam
