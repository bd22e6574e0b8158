// Uploads: the bytes in the media store, the record in the store. Any shard.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/budget.hpp"
#include "base/disk_reserve.hpp"
#include "base/error.hpp"
#include "chat/media/media_store.hpp"
#include "chat/model.hpp"
#include "chat/service/clock.hpp"
#include "chat/service/upload_quota.hpp"
#include "chat/store/store.hpp"
#include "runtime/task.hpp"

namespace payam::chat {

class Uploads {
 public:
  // One upload on its way; destroyed before finish() it leaves nothing behind.
  class Receiving {
   public:
    // Errc::too_large: the file, or with the reason `quota` all files of the uploader. Errc::out_of_storage: the disk.
    Task<Result<>> write(std::string_view bytes);
    // `name` is the uploader's, whatever it is. The quota again, as others of theirs may have come on another server.
    Task<Result<Upload>> finish(std::string name);

   private:
    friend class Uploads;
    Uploads& uploads_;
    UserId uploader_;
    UploadId id_;
    Budget::Held place_;
    UploadQuota::Share share_;
    std::unique_ptr<MediaStore::Incoming> file_;

    Receiving(Uploads& uploads, UserId uploader, UploadId id, Budget::Held place, UploadQuota::Share share,
              std::unique_ptr<MediaStore::Incoming> file)
        : uploads_(uploads),
          uploader_(std::move(uploader)),
          id_(std::move(id)),
          place_(std::move(place)),
          share_(std::move(share)),
          file_(std::move(file)) {}
  };

  struct Found {
    Upload upload;
    http::Response::Body content;
  };

  struct Limits {
    std::uint64_t file = 0;         // bytes
    std::uint64_t user = 0;         // bytes of all files of one person; 0: any amount
    Budget::Bounds under_way = {};  // uploads
  };

  // All outlive this. `disk` is the one the media store writes to; null: another machine's.
  Uploads(Store& store, MediaStore& media, const Limits& limits, DiskReserve* disk = nullptr, WallClock clock = wall_now)
      : store_(store),
        media_(media),
        file_limit_(limits.file),
        quota_(limits.user),
        under_way_(limits.under_way),
        disk_(disk),
        clock_(clock) {}

  std::uint64_t limit() const { return file_limit_; }
  // Files that were kept since the start, and their bytes; any thread.
  std::uint64_t kept() const { return kept_.load(std::memory_order_relaxed); }
  std::uint64_t kept_bytes() const { return kept_bytes_.load(std::memory_order_relaxed); }
  // And what was removed as nobody needed it.
  std::uint64_t swept() const { return swept_.load(std::memory_order_relaxed); }
  const Budget& under_way() const { return under_way_; }

  // `caller.user` is the uploader; the file has `at_least` bytes. Errc::rate_limited: the caller has too many under way;
  // Errc::unavailable: all have; and those of write().
  Task<Result<Receiving>> receive(Caller caller, std::uint64_t at_least);
  // Open for reading, for its uploader and members of a room it was sent to.
  Task<std::optional<Found>> find(UploadId id, UserId viewer);

  // Removes a part of what no message has referred to for a day, and of an erased account's at once. First the record, so that
  // a message that is sent meanwhile either keeps the upload or does not find it.
  Task<> sweep_unused(Timestamp now);
  // Removes bytes without a record, of `kept`, which MediaStore::next_kept() gave: a crash came between the one and the other.
  Task<> sweep_orphans(std::vector<UploadId> kept);

  static constexpr std::chrono::hours kUnusedFor{24};

 private:
  Store& store_;
  MediaStore& media_;
  const std::uint64_t file_limit_;
  UploadQuota quota_;
  Budget under_way_;
  DiskReserve* const disk_;
  const WallClock clock_;
  std::atomic<std::uint64_t> kept_{0}, kept_bytes_{0}, swept_{0};
};

}  // namespace payam::chat
