// Uploads as files of a directory: `ab/<id>`, complete and durable or not there at all. What is on its way lies in `incoming`.
#pragma once

#include <filesystem>

#include "chat/media/media_store.hpp"
#include "runtime/worker_pool.hpp"

namespace payam::chat {

class MediaFiles final : public MediaStore {
 public:
  // Makes the directories and removes what a crash left in `incoming`. Blocks; throws std::filesystem::filesystem_error.
  // `pool` does what touches the disk and outlives this. Calls throw std::system_error for faults of the disk.
  MediaFiles(std::filesystem::path directory, WorkerPool& pool);

  std::unique_ptr<Incoming> receive(UploadId id, std::uint64_t limit) override;
  Task<std::optional<http::Response::Body>> open(UploadId id) override;
  Task<> remove(UploadId id) override;
  std::vector<UploadId> next_kept(Timestamp before) override;  // those of one directory
  void sweep(Timestamp) override {}                            // this server alone has the directory: its start did that

 private:
  class IncomingFile;

  std::filesystem::path path_of(const UploadId& id) const;

  const std::filesystem::path directory_;
  WorkerPool& pool_;
  std::string looked_at_;  // the directory that next_kept() gave last
};

}  // namespace payam::chat
