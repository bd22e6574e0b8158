#include "base/durable_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/descriptor.hpp"

namespace payam {
namespace {

std::error_code last_error() { return {errno, std::generic_category()}; }

bool write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

std::error_code sync_directory(const std::filesystem::path& directory) {
  const Descriptor opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return opened.is_open() && ::fsync(opened.get()) == 0 ? std::error_code() : last_error();
}

std::error_code write_durably(const std::filesystem::path& file, std::string_view bytes, mode_t mode) {
  const Descriptor opened(::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
  if (!opened.is_open()) return last_error();
  if (write_all(opened.get(), bytes) && ::fsync(opened.get()) == 0) return {};
  const std::error_code fault = last_error();
  ::unlink(file.c_str());
  return fault;
}

}  // namespace payam
