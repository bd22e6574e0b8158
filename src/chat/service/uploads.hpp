// Uploads: the file in the media directory, the record in the store. Any shard.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "chat/media/media_files.hpp"
#include "chat/model.hpp"
#include "chat/service/clock.hpp"
#include "chat/store/store.hpp"
#include "runtime/task.hpp"

namespace payam::chat {

class Uploads {
 public:
  // One upload on its way; destroyed before finish() it leaves nothing behind.
  class Receiving {
   public:
    // Errc::too_large, Errc::out_of_storage.
    Task<Result<>> write(std::string_view bytes) { return file_->write(bytes); }
    // `name` is the uploader's, whatever it is.
    Task<Result<Upload>> finish(std::string name);

   private:
    friend class Uploads;
    Uploads& uploads_;
    UserId uploader_;
    UploadId id_;
    std::unique_ptr<MediaFiles::Incoming> file_;

    Receiving(Uploads& uploads, UserId uploader, UploadId id, std::unique_ptr<MediaFiles::Incoming> file)
        : uploads_(uploads), uploader_(std::move(uploader)), id_(std::move(id)), file_(std::move(file)) {}
  };

  struct Found {
    Upload upload;
    std::shared_ptr<const int> descriptor;
  };

  // Both outlive this. `limit` in bytes, for one file.
  Uploads(Store& store, MediaFiles& files, std::uint64_t limit, WallClock clock = wall_now)
      : store_(store), files_(files), limit_(limit), clock_(clock) {}

  std::uint64_t limit() const { return limit_; }
  Receiving receive(UserId uploader);
  // Open for reading, for its uploader and members of a room it was sent to.
  Task<std::optional<Found>> find(UploadId id, UserId viewer);

 private:
  Store& store_;
  MediaFiles& files_;
  const std::uint64_t limit_;
  const WallClock clock_;
};

}  // namespace payam::chat
