// Uploads: the bytes in the media store, the record in the store. Any shard.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "chat/media/media_store.hpp"
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
    Task<Result<>> write(std::string_view bytes);
    // `name` is the uploader's, whatever it is. Errc::out_of_storage also when others of theirs came to the quota meanwhile.
    Task<Result<Upload>> finish(std::string name);

   private:
    friend class Uploads;
    Uploads& uploads_;
    UserId uploader_;
    UploadId id_;
    std::uint64_t left_;  // of the uploader's quota
    std::unique_ptr<MediaStore::Incoming> file_;

    Receiving(Uploads& uploads, UserId uploader, UploadId id, std::uint64_t left, std::unique_ptr<MediaStore::Incoming> file)
        : uploads_(uploads), uploader_(std::move(uploader)), id_(std::move(id)), left_(left), file_(std::move(file)) {}
  };

  struct Found {
    Upload upload;
    http::Response::Body content;
  };

  // In bytes.
  struct Limits {
    std::uint64_t file = 0;
    std::uint64_t user = 0;  // all files of one person; 0: any amount
  };

  // Both outlive this.
  Uploads(Store& store, MediaStore& media, const Limits& limits, WallClock clock = wall_now)
      : store_(store), media_(media), limits_(limits), clock_(clock) {}

  std::uint64_t limit() const { return limits_.file; }
  // Files that were kept since the start, and their bytes; any thread.
  std::uint64_t kept() const { return kept_.load(std::memory_order_relaxed); }
  std::uint64_t kept_bytes() const { return kept_bytes_.load(std::memory_order_relaxed); }
  Task<Receiving> receive(UserId uploader);
  // Open for reading, for its uploader and members of a room it was sent to.
  Task<std::optional<Found>> find(UploadId id, UserId viewer);

 private:
  Store& store_;
  MediaStore& media_;
  // What is left of the user's quota.
  Task<std::uint64_t> left_of_quota(UserId user);

  const Limits limits_;
  const WallClock clock_;
  std::atomic<std::uint64_t> kept_{0}, kept_bytes_{0};
};

}  // namespace payam::chat
