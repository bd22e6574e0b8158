#include "chat/store/directory_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>

#include "runtime/system_fault.hpp"

namespace payam::chat {
namespace {

std::string written_in(int descriptor) {
  char text[32] = {};
  const auto length = ::pread(descriptor, text, sizeof text - 1, 0);
  std::string line(text, length > 0 ? static_cast<std::size_t>(length) : 0);
  while (!line.empty() && line.back() == '\n') line.pop_back();
  return line;
}

}  // namespace

DirectoryLock::DirectoryLock(const std::filesystem::path& directory) {
  std::error_code error;  // what cannot be made shows below
  if (directory.has_parent_path()) std::filesystem::create_directories(directory.parent_path(), error);
  ::mkdir(directory.c_str(), 0700);
  const std::string file = (directory / "payam.lock").string();
  descriptor_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor_ < 0) {
    throw std::runtime_error(fmt::format("cannot use the data directory {}: {}", directory.string(), std::strerror(errno)));
  }
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    const int reason = errno;
    const std::string holder = written_in(descriptor_);
    ::close(descriptor_);
    if (reason != EWOULDBLOCK) {
      throw std::runtime_error(fmt::format("cannot lock the data directory {}: {}", directory.string(), std::strerror(reason)));
    }
    throw std::runtime_error(fmt::format("the data directory {} is in use by another server{}", directory.string(),
                                         holder.empty() ? "" : fmt::format(" (process {})", holder)));
  }
  // For people who ask who holds it; the lock is the flock alone.
  const std::string process = fmt::format("{}\n", ::getpid());
  if (::ftruncate(descriptor_, 0) != 0 || ::pwrite(descriptor_, process.data(), process.size(), 0) < 0) {
    const int reason = errno;
    if (is_out_of_space(reason)) return;  // no reason to refuse those who want to make room
    ::close(descriptor_);
    throw std::runtime_error(
        fmt::format("cannot write to the data directory {}: {}", directory.string(), std::strerror(reason)));
  }
}

DirectoryLock::~DirectoryLock() { ::close(descriptor_); }

}  // namespace payam::chat
