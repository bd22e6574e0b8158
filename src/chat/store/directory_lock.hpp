// Keeps a data directory to one server: two on one directory would each believe to be the only writer.
#pragma once

#include <filesystem>

namespace payam::chat {

// Makes the folder if there is none (mode 0700) and holds `payam.lock` in it for as long as it lives; the system lets go of it
// when the process ends, however it ends. Throws std::runtime_error with a text for the operator.
class DirectoryLock {
 public:
  explicit DirectoryLock(const std::filesystem::path& directory);
  ~DirectoryLock();
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

 private:
  int descriptor_ = -1;
};

}  // namespace payam::chat
