// Uploads as files of a directory: `ab/<id>`, complete and durable or not there at all. What is on its way lies in `incoming`.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "chat/model.hpp"
#include "runtime/task.hpp"
#include "runtime/worker_pool.hpp"

namespace payam::chat {

class MediaFiles {
 public:
  struct Kept {
    std::uint64_t size = 0;
    std::string content_type;  // found in the content
  };

  // A file on its way. Its destructor removes what keep() has not taken over, so an upload that breaks off leaves nothing.
  // One coroutine's, any shard.
  class Incoming {
   public:
    ~Incoming();
    Incoming(const Incoming&) = delete;
    Incoming& operator=(const Incoming&) = delete;

    // `bytes` stay valid until it returns. Errc::too_large over the limit, Errc::out_of_storage if the disk is full; throws
    // std::system_error for other faults of the disk.
    Task<Result<>> write(std::string_view bytes);
    // Durable under its id when this returns.
    Task<Result<Kept>> keep();

   private:
    friend class MediaFiles;
    Incoming(MediaFiles& files, UploadId id, std::uint64_t limit);

    MediaFiles& files_;
    const UploadId id_;
    const std::uint64_t limit_;
    const std::filesystem::path draft_;
    int descriptor_ = -1;
    std::uint64_t size_ = 0;
  };

  // Makes the directories and removes what a crash left in `incoming`. Blocks; throws std::filesystem::filesystem_error.
  // `pool` does what touches the disk and outlives this.
  MediaFiles(std::filesystem::path directory, WorkerPool& pool);

  // At most `limit` bytes. `id` is new.
  std::unique_ptr<Incoming> receive(UploadId id, std::uint64_t limit);

  // For reading; null if there is no such file. Closed when released.
  Task<std::shared_ptr<const int>> open(UploadId id);

  Task<> remove(UploadId id);

 private:
  std::filesystem::path path_of(const UploadId& id) const;

  const std::filesystem::path directory_;
  WorkerPool& pool_;
};

}  // namespace payam::chat
